// A row of filters over a listing.
import type { ComponentChildren } from "preact";

export function Choice(props: {
  name: string;
  value: string;
  all?: string;
  options: readonly (readonly [string, string])[];
  onChoice: (value: string) => void;
}) {
  const known = props.value === "" || props.options.some(([value]) => value === props.value);
  return (
    <label>
      {props.name}
      <select value={props.value} onChange={(event) => props.onChoice(event.currentTarget.value)}>
        {props.all !== undefined && <option value="">{props.all}</option>}
        {!known && <option value={props.value}>{props.value}</option>}
        {props.options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

export const plain = (names: readonly string[]): [string, string][] => names.map((name) => [name, name]);

export function Filters({ children }: { children: ComponentChildren }) {
  return (
    <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      {children}
    </form>
  );
}
