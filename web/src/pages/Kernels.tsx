// What was measured on each kernel that this host ran, and when it changed.
import { useEffect, useRef, useState } from "preact/hooks";
import type { ActivityList, Kernel, List } from "../data/types";
import { useApi } from "../data/use_api";
import { count, rate } from "../format";
import { Empty, Kinds, Loading, ProblemBox, Section, Time, To, Unread } from "../parts/basics";
import { Choice } from "../parts/filters";
import { KnownIssues } from "../parts/known_issues";
import { type Column, Table } from "../parts/table";

const DAY_MS = 86_400_000;
const spans: [string, string, number, number][] = [
  ["0.25", "6 hours", 0.25, 600],
  ["1", "24 hours", 1, 1800],
  ["7", "7 days", 7, 3 * 3600],
  ["30", "30 days", 30, 12 * 3600],
  ["90", "90 days", 90, 24 * 3600],
];

// The chart's library is most of the page's size, and needed nowhere else: it is loaded when it is.
function KernelChart({ activity }: { activity: ActivityList }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let gone = false;
    let remove: (() => void) | undefined;
    void import("../parts/chart").then(({ drawChart }) => {
      if (!gone && place.current) remove = drawChart(place.current, activity);
    });
    return () => {
      gone = true;
      remove?.();
    };
  }, [activity]);
  return (
    <>
      <div class="chart" ref={place} />
      <p class="chart-legend quiet" aria-hidden="true">
        <span class="key key-exposures">exposures, scale on the left</span>
        <span class="key key-findings">findings, scale on the right</span>
        <span class="key key-kernel">first run of a kernel</span>
      </p>
    </>
  );
}

const bound = ({ rate_upper_bound_95: most }: Kernel) =>
  most === null ? <span class="quiet">not known</span> : <span title={String(most)}>{rate(most)}</span>;

const columnsWith = (running: string | undefined): Column<Kernel>[] => [
  {
    name: "Release",
    kind: "head",
    value: ({ release }) => (
      <>
        <To href={`/runs?kernel=${encodeURIComponent(release)}`}>{release}</To>{" "}
        {release === running && <span class="tag">running now</span>}
      </>
    ),
  },
  { name: "Exposures", kind: "number", value: (kernel) => count(kernel.exposures) },
  { name: "Upper bound", kind: "number", value: bound },
  { name: "Findings", kind: "list", value: (kernel) => <Kinds counts={kernel.finding_counts} /> },
  { name: "Runs", kind: "number", value: (kernel) => count(kernel.runs) },
  { name: "Writes", kind: "number", value: (kernel) => count(kernel.writes) },
  { name: "First seen", value: (kernel) => <Time at={kernel.first_seen} /> },
  { name: "Last seen", value: (kernel) => <Time at={kernel.last_seen} /> },
];

// The shortest span in which all of it lies.
function spanOf(kernels: readonly Kernel[]): string {
  const first = Math.min(...kernels.map((kernel) => Date.parse(kernel.first_seen)));
  return (spans.find(([, , days]) => first > Date.now() - days * DAY_MS) ?? spans[1] ?? ["7"])[0];
}

export function Kernels() {
  const kernels = useApi<List<Kernel>>("/kernels", ["run.finished"]);
  const [chosen, setChosen] = useState("");
  const days = chosen || (kernels.data ? spanOf(kernels.data.items) : "7");
  const [, , length = 7, step = 3600] = spans.find(([key]) => key === days) ?? [];
  // On the step, so that the points stay where they are as time goes on.
  const stepMs = step * 1000;
  const until = Math.ceil(Date.now() / stepMs) * stepMs;
  const since = until - length * DAY_MS;
  const activity = useApi<ActivityList>(
    kernels.data &&
      `/activity?since=${Math.floor(since / 1000)}&until=${Math.floor(until / 1000)}&step_seconds=${step}`,
    ["run.finished"],
  );
  const status = useApi<{ kernel: { release: string } }>("/status");
  if (!kernels.data) return <Unread title="Kernels" problem={kernels.problem} retry={kernels.reload} />;
  return (
    <>
      <h1>Kernels</h1>
      <p class="lead">What was measured on each release that this host ran. A version proves nothing; exposures do.</p>
      {kernels.data.items.length === 0 ? (
        <Empty>No run has finished yet.</Empty>
      ) : (
        <>
          <Section
            title="Exposures and findings"
            aside={
              <Choice name="Span" value={days} options={spans.map(([key, text]) => [key, text])} onChoice={setChosen} />
            }
          >
            {activity.data ? (
              <KernelChart activity={activity.data} />
            ) : activity.problem ? (
              <ProblemBox problem={activity.problem} />
            ) : (
              <Loading what="the chart" />
            )}
          </Section>
          <Section
            title="Releases, last seen first"
            aside={<span class="quiet">upper bound: of corruption per exposure, with a confidence of 95 %</span>}
          >
            <Table
              label="Releases, last seen first"
              columns={columnsWith(status.data?.kernel.release)}
              rows={kernels.data.items}
              keyOf={(kernel) => kernel.release}
            />
            {kernels.data.items.map(({ release, known_issues: issues }) => (
              <KnownIssues key={release} issues={issues} of={release} />
            ))}
          </Section>
        </>
      )}
    </>
  );
}
