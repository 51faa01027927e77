// Every run, narrowed by filters that stand in the address; above them the history of each target and profile.
import { queryText } from "../data/client";
import type { History, Kernel, List, Profile, Run, Target } from "../data/types";
import { useApi } from "../data/use_api";
import { usePages } from "../data/use_pages";
import { useQuery } from "../data/use_query";
import { count, seconds } from "../format";
import { Empty, Kinds, Loading, ProblemBox, RunBadge, Section, Time, To } from "../parts/basics";
import { Choice, Filters, plain } from "../parts/filters";
import { Strip } from "../parts/strip";
import { type Column, Table } from "../parts/table";
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
  { name: "Verdict", value: (run) => <RunBadge state={run.state} verdict={run.verdict} /> },
  {
    name: "Ended",
    value: (run) => (run.finished_at ? <Time at={run.finished_at} /> : <span class="quiet">not yet</span>),
  },
  { name: "Took", kind: "number", value: (run) => (run.state === "finished" ? seconds(run.duration_seconds) : "") },
  { name: "Writes", kind: "number", value: (run) => count(run.writes) },
  { name: "Exposures", kind: "number", value: (run) => count(run.exposures) },
  { name: "Findings", value: (run) => <Kinds counts={run.finding_counts} /> },
];

function HistoryStrips({ target, profile }: { target: string; profile: string }) {
  const history = useApi<List<History>>(`/history${queryText({ target, profile, limit: 40 })}`, ["run.finished"]);
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
    </Section>
  );
}

export function Runs() {
  const [query, change] = useQuery();
  const value = (name: string) => query.get(name) ?? "";
  const targets = useApi<List<Target>>("/targets");
  const profiles = useApi<List<Profile>>("/profiles");
  const kernels = useApi<List<Kernel>>("/kernels");
  const filter = {
    target: value("target"),
    profile: value("profile"),
    verdict: value("verdict"),
    kernel: value("kernel"),
  };
  const since = value("since") && sinceOf(value("since"));
  const runs = usePages<Run>(`/runs${queryText({ ...filter, since })}`, ["run.queued", "run.started", "run.finished"]);
  const choose = (name: string) => (chosen: string) => change({ [name]: chosen });
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
          value={filter.target}
          options={plain(targets.data?.items.map((each) => each.name) ?? [])}
          onChoice={choose("target")}
        />
        <Choice
          name="Profile"
          all="every profile"
          value={filter.profile}
          options={plain(profiles.data?.items.map((each) => each.name) ?? [])}
          onChoice={choose("profile")}
        />
        <Choice
          name="Verdict"
          all="any verdict"
          value={filter.verdict}
          options={plain(verdictNames)}
          onChoice={choose("verdict")}
        />
        <Choice
          name="Kernel"
          all="any kernel"
          value={filter.kernel}
          options={plain(kernels.data?.items.map((each) => each.release) ?? [])}
          onChoice={choose("kernel")}
        />
        <Choice
          name="Time"
          all="any time"
          value={value("since")}
          options={times.map(([key, text]) => [key, text])}
          onChoice={choose("since")}
        />
      </Filters>
      <HistoryStrips target={filter.target} profile={filter.profile} />
      <Section title="Newest first">
        {runs.problem && <ProblemBox problem={runs.problem} retry={runs.reload} />}
        {!runs.ready && !runs.problem && <Loading what="runs" />}
        {runs.ready && runs.items.length === 0 && (
          <Empty>
            No run is like that.
            {[...query].length > 0
              ? " Widen a filter."
              : " The first one comes with the schedule, or when you start one."}
          </Empty>
        )}
        {runs.items.length > 0 && (
          <Table label="Runs, newest first" columns={columns} rows={runs.items} keyOf={(run) => run.id} />
        )}
        {runs.hasMore && (
          <button type="button" class="more" aria-disabled={runs.busy} onClick={() => void runs.more()}>
            Older runs
          </button>
        )}
      </Section>
    </>
  );
}
