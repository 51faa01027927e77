// Every run, narrowed by filters that stand in the address; above them the history of each target and profile.
import { queryText } from "../data/client";
import type { History, Kernel, List, Page, Profile, Run, Target } from "../data/types";
import { useApi } from "../data/use_api";
import { usePages } from "../data/use_pages";
import { useFilters } from "../data/use_query";
import { count, seconds } from "../format";
import { Kinds, RunBadge, Section, Time, To } from "../parts/basics";
import { Choice, Filters, plain } from "../parts/filters";
import { Listing } from "../parts/listing";
import { Strip } from "../parts/strip";
import type { Column } from "../parts/table";
import { verdictNames } from "../vocabulary";

const HOUR_MS = 3_600_000;
const times: [string, string, number][] = [
  ["1h", "last hour", HOUR_MS],
  ["24h", "last 24 hours", 24 * HOUR_MS],
  ["7d", "last 7 days", 7 * 24 * HOUR_MS],
  ["30d", "last 30 days", 30 * 24 * HOUR_MS],
];

// The beginning of a named stretch of time, on the minute so that the address of the request stays the same for a while.
function sinceOf(name: string): string {
  const found = times.find(([key]) => key === name);
  if (!found) return name; // a time of its own, shared from elsewhere
  return new Date(Math.floor((Date.now() - found[2]) / 60_000) * 60_000).toISOString();
}

const columns: Column<Run>[] = [
  { name: "Run", kind: "head", value: (run) => <To href={`/runs/${run.id}`}>{run.id}</To> },
  {
    name: "Target",
    value: (run) => (
      <To href={`/targets/${encodeURIComponent(run.target)}`} class="calm">
        {run.target}
      </To>
    ),
  },
  { name: "Profile", value: (run) => run.profile },
  { name: "Verdict", kind: "badge", value: (run) => <RunBadge state={run.state} verdict={run.verdict} /> },
  {
    name: "Ended",
    value: (run) => (run.finished_at ? <Time at={run.finished_at} /> : <span class="quiet">not yet</span>),
  },
  { name: "Took", kind: "number", value: (run) => (run.state === "finished" ? seconds(run.duration_seconds) : "") },
  { name: "Writes", kind: "number", value: (run) => count(run.writes) },
  { name: "Exposures", kind: "number", value: (run) => count(run.exposures) },
  { name: "Findings", kind: "list", value: (run) => <Kinds counts={run.finding_counts} /> },
];

function HistoryStrips({ target, profile }: { target: string; profile: string }) {
  const history = useApi<Page<History>>(`/history${queryText({ target, profile, limit: 40 })}`, ["run.finished"]);
  const rows = history.data?.items ?? [];
  if (rows.length === 0) return null;
  return (
    <Section
      title="History"
      aside={<span class="quiet">last 40 runs each, newest on the right; tall marks are findings</span>}
    >
      <ul class="strips">
        {rows.map((row) => (
          <li key={row.target + row.profile}>
            <span class="strip-name">
              <strong>{row.target}</strong> {row.profile}
            </span>
            <Strip history={row} />
          </li>
        ))}
      </ul>
      {history.data?.next_cursor && <p class="quiet">There are more: choose a target or a profile.</p>}
    </Section>
  );
}

export function Runs() {
  const { values, bind, narrowed } = useFilters("target", "profile", "verdict", "kernel", "since");
  const targets = useApi<List<Target>>("/targets");
  const profiles = useApi<List<Profile>>("/profiles");
  const kernels = useApi<List<Kernel>>("/kernels");
  const path = `/runs${queryText({ ...values, since: values.since && sinceOf(values.since) })}`;
  const runs = usePages<Run>(path, ["run.queued", "run.started", "run.finished"]);
  const named = <T,>(list: List<T> | null, nameOf: (item: T) => string) => plain(list?.items.map(nameOf) ?? []);
  return (
    <>
      <div class="page-head">
        <h1>Runs</h1>
        <To href="/start" class="button primary">
          Start a run
        </To>
      </div>
      <Filters>
        <Choice
          name="Target"
          all="every target"
          options={named(targets.data, (target) => target.name)}
          {...bind("target")}
        />
        <Choice
          name="Profile"
          all="every profile"
          options={named(profiles.data, (profile) => profile.name)}
          {...bind("profile")}
        />
        <Choice name="Verdict" all="any verdict" options={plain(verdictNames)} {...bind("verdict")} />
        <Choice
          name="Kernel"
          all="any kernel"
          options={named(kernels.data, (kernel) => kernel.release)}
          {...bind("kernel")}
        />
        <Choice name="Time" all="any time" options={times.map(([key, text]) => [key, text])} {...bind("since")} />
      </Filters>
      <HistoryStrips target={values.target} profile={values.profile} />
      <Listing
        what="runs"
        pages={runs}
        columns={columns}
        none={
          narrowed
            ? "No run is like that. Widen a filter."
            : "No run yet. The first one comes with the schedule, or when you start one."
        }
      />
    </>
  );
}
