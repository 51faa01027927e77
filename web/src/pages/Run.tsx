// One run: its verdict and why, what its writes came to, its findings, what avoids them, its events.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { queryText } from "../data/client";
import type { Finding, Run } from "../data/types";
import { useApi } from "../data/use_api";
import { count, counted, seconds, size, total } from "../format";
import { ExactTime, Facts, Kinds, RunBadge, Section, To, Unread } from "../parts/basics";
import { bytesColumn, nameColumn, whatColumn } from "../parts/finding_columns";
import { LiveRun } from "../parts/live_run";
import { RunEvents } from "../parts/run_events";
import { Attribution, Breakdown } from "../parts/run_parts";
import { type Column, Table } from "../parts/table";

const FINDINGS_SHOWN = 12;

type Fact = [string, ComponentChildren];

const columns: Column<Finding>[] = [
  nameColumn,
  { name: "File", kind: "head", value: (finding) => finding.file || "none" },
  { name: "Offset", kind: "number", value: (finding) => (finding.file ? count(finding.offset_bytes) : "") },
  bytesColumn,
  whatColumn,
  { name: "State", kind: "badge", value: (finding) => (finding.acknowledged ? "acknowledged" : "open") },
];

function FoundHere({ run }: { run: Run }) {
  const [all, setAll] = useState(false);
  const findings = run.findings ?? [];
  const countedOnly = total(run.finding_counts) - findings.length;
  if (findings.length === 0 && countedOnly <= 0)
    return <p class="quiet">{run.verdict === "clean" ? "None: every acknowledged byte was right." : "None."}</p>;
  const hidden = findings.length - FINDINGS_SHOWN;
  return (
    <>
      {findings.length > 0 && (
        <Table
          label="Findings of this run"
          columns={columns}
          rows={all ? findings : findings.slice(0, FINDINGS_SHOWN)}
          keyOf={(finding) => finding.id}
        />
      )}
      {countedOnly > 0 && (
        <p class="quiet counted-only">
          {counted(countedOnly, findings.length > 0 ? "more finding" : "finding")} of this run{" "}
          {countedOnly === 1 ? "is" : "are"} counted and not kept: its{" "}
          <To href={`/incidents?target=${encodeURIComponent(run.target)}&profile=${run.profile}`}>incidents</To> keep
          the first and the latest ones.
        </p>
      )}
      {hidden > 0 && !all && (
        <button type="button" class="more" onClick={() => setAll(true)}>
          {count(hidden)} more
        </button>
      )}
    </>
  );
}

function againPath(run: Run): string {
  return `/start${queryText({ target: run.target, profile: run.profile, seed: run.seed, writes: run.writes })}`;
}

const triggers: Record<string, string> = { schedule: "the schedule", startup: "the daemon, at its start" };

function outcome(run: Run): Fact[] {
  const rate = run.duration_seconds > 0 ? Math.round(run.writes / run.duration_seconds) : 0;
  const files = `${counted(run.files, "file")}, ${count(run.files_cold)} of them cold too`;
  return [
    ["Ended", <ExactTime key="ended" at={run.finished_at} />],
    ["Took", `${seconds(run.duration_seconds)}, ${counted(rate, "write")} per second`],
    ["First finding", run.first_finding_seconds === null ? "none" : `after ${seconds(run.first_finding_seconds)}`],
    ["Written", size(run.bytes_written)],
    ["Verified", `${size(run.bytes_verified)} in ${files}`],
    ["Limit hits", count(run.limit_hits)],
    ["Killed for memory", count(run.oom_kills)],
  ];
}

// How it went is in its live part until it has ended.
function factsOf(run: Run): Fact[] {
  return [
    ["Started", <ExactTime key="started" at={run.started_at} />],
    ...(run.state === "finished" ? outcome(run) : []),
    ["Memory pressure", run.pressure.backend || "none"],
    ["Asked for by", triggers[run.trigger] ?? (run.requested_by || "the API")],
    ["Kernel", run.kernel.release || "not known"],
    ["Filesystem", run.filesystem.type ? `${run.filesystem.type}, ${run.filesystem.source}` : "not known"],
    [
      "Seed",
      <span key="seed" class="mono">
        {run.seed}
      </span>,
    ],
  ];
}

export function RunPage({ id }: { id: string }) {
  const loaded = useApi<Run>(`/runs/${encodeURIComponent(id)}`, [
    "run.started",
    "run.finished",
    "incident.acknowledged",
  ]);
  const run = loaded.data;
  if (!run) return <Unread title={`Run ${id}`} problem={loaded.problem} retry={loaded.reload} />;
  const ended = run.state === "finished";
  const found = total(run.finding_counts);
  return (
    <>
      <p class="kicker">
        <To href="/runs">Runs</To> <span class="quiet">run {run.id}</span>
      </p>
      <div class="page-head">
        <h1>
          {run.profile} on{" "}
          <To href={`/targets/${encodeURIComponent(run.target)}`} class="calm">
            {run.target}
          </To>
        </h1>
        <To href={againPath(run)} class="button">
          Run it again
        </To>
      </div>
      {ended ? (
        <p class="lead">
          <RunBadge state={run.state} verdict={run.verdict} /> <span>{run.reason}</span>
        </p>
      ) : (
        <LiveRun run={run} named={false} />
      )}
      <Facts items={factsOf(run)} />
      {ended && (
        <>
          <Section title={`${count(run.writes)} writes`}>
            <Breakdown run={run} />
          </Section>
          <Section title="Findings" aside={found > 0 ? <Kinds counts={run.finding_counts} /> : undefined}>
            <FoundHere run={run} />
          </Section>
        </>
      )}
      {found > 0 && (
        <Section title="What avoids it">
          <Attribution run={run} />
        </Section>
      )}
      <Section title="Events">
        <RunEvents id={run.id} />
      </Section>
    </>
  );
}
