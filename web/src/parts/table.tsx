// A table that becomes a list of small blocks on a phone, every value with its heading.
import type { ComponentChildren } from "preact";

export interface Column<T> {
  name: string;
  value: (row: T) => ComponentChildren;
  // short: on one line. On a phone a badge stands beside the head, and a list, as what is wide, on lines of its own.
  kind?: "number" | "wide" | "head" | "short" | "badge" | "list";
}

export function Table<T>(props: {
  label: string;
  columns: Column<T>[];
  rows: readonly T[];
  keyOf: (row: T) => string | number;
}) {
  return (
    <table class="rows">
      <caption class="hidden">{props.label}</caption>
      <thead>
        <tr>
          {props.columns.map((column) => (
            <th key={column.name} scope="col" class={column.kind}>
              {column.name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {props.rows.map((row) => (
          <tr key={props.keyOf(row)}>
            {props.columns.map((column) => (
              <td key={column.name} class={column.kind} data-label={column.name}>
                <span>{column.value(row)}</span>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
