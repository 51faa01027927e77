// The small parts that every page is made of.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { addressOf } from "../data/base";
import { zone } from "../data/preferences";
import { createStore, useStore } from "../data/store";
import type { Counts, Problem, Verdict } from "../data/types";
import { count, counted, exact, relative } from "../format";
import { kindName, kindTone, verdicts } from "../vocabulary";
import { Sign } from "./icons";

// A link to another place of the page.
export function To(props: {
  href: string;
  class?: string;
  children: ComponentChildren;
  current?: boolean;
  label?: string;
}) {
  return (
    <a
      data-page
      href={addressOf(props.href)}
      class={props.class}
      aria-current={props.current ? "page" : undefined}
      aria-label={props.label}
    >
      {props.children}
    </a>
  );
}

export function VerdictBadge({ verdict, plain }: { verdict: Verdict | null; plain?: boolean }) {
  const words = verdict ? verdicts[verdict] : undefined;
  const tone = words?.tone ?? "idle";
  return (
    <span class={`verdict tone-${tone}${plain ? " plain" : ""}`} title={words?.meaning ?? "Has not run yet"}>
      <Sign of={verdict && words ? verdict : "never"} />
      {verdict ?? "never run"}
    </span>
  );
}

export function RunBadge({ state, verdict }: { state: string; verdict: Verdict | null }) {
  if (state === "finished") return <VerdictBadge verdict={verdict} />;
  return (
    <span class="verdict tone-idle">
      <Sign of={state === "running" ? "running" : "queued"} />
      {state}
    </span>
  );
}

// One clock for all times on the page.
const nowMs = createStore(Date.now());
setInterval(() => document.hidden || nowMs.set(Date.now()), 5_000);

// Exact on hover, and not before: a large overview has hundreds of them.
export function Time({ at, never = "never" }: { at: string | null; never?: string }) {
  const now = useStore(nowMs);
  if (!at) return <span class="quiet">{never}</span>;
  const name = (event: PointerEvent) => {
    (event.currentTarget as HTMLElement).title = exact(at, zone.get());
  };
  return (
    <time dateTime={at} onPointerEnter={name}>
      {relative(at, Math.max(now, Date.now() - 1_000))}
    </time>
  );
}

export function ExactTime({ at, never = "not yet" }: { at: string | null; never?: string }) {
  const said = useStore(zone);
  if (!at) return <span class="quiet">{never}</span>;
  return <time dateTime={at}>{exact(at, said)}</time>;
}

// A text of the API's. Times in it are said as all others are here.
export function Said({ text }: { text: string }) {
  const parts = text.split(/(\d{4}-\d\d-\d\dT[\d:.]+Z)/);
  return <>{parts.map((part, index) => (index % 2 === 1 ? <ExactTime key={index} at={part} /> : part))}</>;
}

export function Kinds({ counts, none = "none" }: { counts: Counts; none?: string }) {
  const found = Object.entries(counts).filter(([, number]) => number > 0);
  if (found.length === 0) return <span class="quiet">{none}</span>;
  return (
    <span class="kinds">
      {found.map(([kind, number]) => (
        <span key={kind} class={`kind kind-${kindTone(kind)}`}>
          {count(number)} {kindName(kind)}
        </span>
      ))}
    </span>
  );
}

export function Facts({ items, class: name = "" }: { items: [string, ComponentChildren][]; class?: string }) {
  return (
    <dl class={`facts ${name}`}>
      {items.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Section(props: {
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
}) {
  const id = useId();
  return (
    <section aria-labelledby={id} class={props.class}>
      <div class="section-head">
        <h2 id={id}>{props.title}</h2>
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="empty">{children}</div>;
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="loading" role="status">
      Reading {what}…
    </div>
  );
}

export function ProblemBox({ problem, retry }: { problem: Problem; retry?: () => void }) {
  // Nothing is said twice.
  const more = (problem.errors ?? []).filter((error) => !problem.detail.includes(error.detail));
  return (
    <div class="problem" role="alert">
      <Sign of="error" />
      <div>
        <strong>{problem.title}</strong>
        {problem.detail && <p>{problem.detail}</p>}
        {more.length > 0 && (
          <ul>
            {more.map((error) => (
              <li key={error.field}>
                {error.field}: {error.detail}
              </li>
            ))}
          </ul>
        )}
        {retry && (
          <button type="button" class="small" onClick={retry}>
            Try again
          </button>
        )}
      </div>
    </div>
  );
}

// A page of which nothing could be read yet: what it is, and whether it is being read or why it cannot be.
export function Unread(props: { title: string; problem: Problem | null; retry: () => void }) {
  const { title, problem, retry } = props;
  return (
    <>
      <h1>{title}</h1>
      {problem && problem.status !== 401 ? ( // the prompt for a token says that
        <ProblemBox problem={problem} retry={retry} />
      ) : (
        <Loading what={title} />
      )}
    </>
  );
}

// The width of an element in CSS pixels, followed as it changes.
export function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}

// "findings of corruption" and such, with the number in front; nothing for zero.
export const some = (number: number, noun: string, plural?: string) =>
  number > 0 ? counted(number, noun, plural) : "";
