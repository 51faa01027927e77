// What was measured on each kernel that this host ran, and when it changed.
import { useEffect, useRef, useState } from "preact/hooks";
import type { ActivityList, Kernel, List } from "../data/types";
import { useApi } from "../data/use_api";
import { count, rate } from "../format";
import { Empty, ExactTime, Facts, Kinds, Loading, ProblemBox, Section, To } from "../parts/basics";
import { Choice } from "../parts/filters";

const DAY_MS = 86_400_000;
const spans: [string, string, number, number][] = [
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

function OneKernel({ kernel, running }: { kernel: Kernel; running: boolean }) {
  const bound = kernel.rate_upper_bound_95;
  return (
    <article class="kernel">
      <h3>
        <To href={`/runs?kernel=${encodeURIComponent(kernel.release)}`}>{kernel.release}</To>{" "}
        {running && <span class="tag">running now</span>}
      </h3>
      <Facts
        items={[
          ["Exposures", count(kernel.exposures)],
          ["Findings", <Kinds key="kinds" counts={kernel.finding_counts} />],
          [
            "Rate of corruption",
            bound === null ? (
              "not known: no exposure"
            ) : (
              <span key="bound" title={String(bound)}>
                at most {rate(bound)} per exposure (95 %)
              </span>
            ),
          ],
          ["Runs", count(kernel.runs)],
          ["Writes", count(kernel.writes)],
          ["First seen", <ExactTime key="first" at={kernel.first_seen} />],
          ["Last seen", <ExactTime key="last" at={kernel.last_seen} />],
        ]}
      />
      {kernel.known_issues.length > 0 && (
        <ul class="notices">
          {kernel.known_issues.map((issue) => (
            <li key={issue.id} class="notice quiet">
              <span class="tag">known, not measured</span>
              <span>
                {issue.text} {issue.advice}
              </span>
            </li>
          ))}
        </ul>
      )}
    </article>
  );
}

export function Kernels() {
  const [days, setDays] = useState("7");
  const [, , length = 7, step = 3600] = spans.find(([key]) => key === days) ?? [];
  // On the step, so that the points stay where they are as time goes on.
  const stepMs = step * 1000;
  const until = Math.ceil(Date.now() / stepMs) * stepMs;
  const since = until - length * DAY_MS;
  const kernels = useApi<List<Kernel>>("/kernels", ["run.finished"]);
  const activity = useApi<ActivityList>(
    `/activity?since=${Math.floor(since / 1000)}&until=${Math.floor(until / 1000)}&step_seconds=${step}`,
    ["run.finished"],
  );
  const status = useApi<{ kernel: { release: string } }>("/status");
  if (!kernels.data)
    return kernels.problem ? (
      <ProblemBox problem={kernels.problem} retry={kernels.reload} />
    ) : (
      <Loading what="kernels" />
    );
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
              <Choice name="Span" value={days} options={spans.map(([key, text]) => [key, text])} onChoice={setDays} />
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
          <Section title="Releases, last seen first">
            {kernels.data.items.map((kernel) => (
              <OneKernel
                key={kernel.release}
                kernel={kernel}
                running={kernel.release === status.data?.kernel.release}
              />
            ))}
          </Section>
        </>
      )}
    </>
  );
}
