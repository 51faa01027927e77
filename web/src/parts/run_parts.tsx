// Parts of one run: what its writes came to, what avoids its findings, when what happened.
import type { Run, VariantRate } from "../data/types";
import { count } from "../format";
import { type Tone, variants } from "../vocabulary";
import { Table, type Column } from "./table";

// What became of the writes, each to the scale of all writes.
export function Breakdown({ run }: { run: Run }) {
  const rows: [string, number, string, string][] = [
    ["exposed", run.exposures, "ran the kernel path that this profile watches", "exposed"],
    ["inline", run.inline, "completed within the submitting call", ""],
    ["punted", run.punted, "handed to a worker", ""],
    ["partial", run.partial, "of these, after some bytes were written inline", ""],
    ["disarmed", run.disarmed, "gave up before the first byte, because a timer tick had passed", ""],
  ];
  return (
    <ul class="breakdown">
      {rows.map(([name, number, meaning, style]) => (
        <li key={name}>
          <span class="breakdown-name">{name}</span>
          <meter
            class={style}
            min={0}
            max={Math.max(run.writes, 1)}
            value={number}
            aria-label={`${name}: ${number} of ${run.writes} writes`}
          />
          <span class="number">{count(number)}</span>
          <span class="quiet">{meaning}</span>
        </li>
      ))}
    </ul>
  );
}

function said(rate: VariantRate): string {
  if (rate.runs_with_findings > 0) return `seen in ${rate.runs_with_findings} of ${rate.runs} repetitions`;
  if (rate.exposures === 0) return "not exposed, so it says nothing";
  return rate.variant === "as_is" ? "not seen again" : "avoids it here";
}

const columnsIn = (seen: Tone): Column<VariantRate>[] => [
  { name: "Way of writing", kind: "head", value: (rate) => variants[rate.variant] ?? rate.variant },
  {
    name: "Result",
    value: (rate) => (
      <span
        class={`said tone-${rate.runs_with_findings > 0 ? seen : rate.exposures > 0 && rate.variant !== "as_is" ? "good" : "idle"}`}
      >
        {said(rate)}
      </span>
    ),
  },
  { name: "Findings", kind: "number", value: (rate) => count(rate.findings) },
  { name: "Writes", kind: "number", value: (rate) => count(rate.writes) },
  { name: "Exposed", kind: "number", value: (rate) => count(rate.exposures) },
];

export function Attribution({ run }: { run: Pick<Run, "verdict" | "attribution"> }) {
  const rates = run.attribution;
  if (rates.length === 0)
    return <p class="quiet">This run did not repeat itself, so nothing is known of what avoids it.</p>;
  return (
    <>
      <Table
        label="What avoids it"
        columns={columnsIn(run.verdict === "violation" ? "broken" : "bad")}
        rows={rates}
        keyOf={(rate) => rate.variant}
      />
      <p class="quiet">
        Measured right after the finding with the same seed. No finding in n exposed writes bounds the rate by 3/n.
      </p>
    </>
  );
}
