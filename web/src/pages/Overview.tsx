// One sentence first, then what keeps the canary from seeing, what runs, and every target with its profiles.
import type { ComponentChildren } from "preact";
import { addressOf } from "../data/base";
import { connection } from "../data/live";
import { useStore } from "../data/store";
import { incidentEvents } from "../data/incident_events";
import type { ActivityList, Incident, List, Page, Run, Status, Target } from "../data/types";
import { useApi } from "../data/use_api";
import { count, counted, seconds, size, total } from "../format";
import { Empty, Facts, Said, Section, Time, To, Unread } from "../parts/basics";
import { Sign } from "../parts/icons";
import { KnownIssues } from "../parts/known_issues";
import { LiveRun } from "../parts/live_run";
import { TargetGrid } from "../parts/target_grid";
import { blindSpots, nextRuns, openText, sentenceOf } from "../summary";

const NEXT_RUNS = 4;
const SPOTS_SHOWN = 6;

function BlindSpots({ status, targets }: { status: Status; targets: Target[] }) {
  const spots = blindSpots(status, targets);
  if (spots.length === 0) return null;
  return (
    <ul class="notices">
      {spots.slice(0, SPOTS_SHOWN).map((spot) => (
        <li key={spot.what} class="notice">
          <Sign of="unexposed" />
          <span>
            {spot.target ? (
              <To href={`/targets/${encodeURIComponent(spot.target)}`}>{spot.what}</To>
            ) : (
              <strong>{spot.what}</strong>
            )}
            : <Said text={spot.why} />
          </span>
        </li>
      ))}
      {spots.length > SPOTS_SHOWN && (
        <li class="notice quiet">and {counted(spots.length - SPOTS_SHOWN, "more reason")} below, at the targets</li>
      )}
    </ul>
  );
}

function Now({ runs, targets }: { runs: Run[]; targets: Target[] }) {
  const next = nextRuns(targets, NEXT_RUNS);
  return (
    <Section title="Now" class="now">
      {runs.map((run) => (
        <LiveRun key={run.id} run={run} />
      ))}
      {runs.length === 0 && <p class="quiet">Nothing is running.</p>}
      {next.length > 0 && (
        <p class="next">
          <span class="quiet">Next:</span>
          {next.map((each) => (
            <span key={each.target + each.profile}>
              {each.profile} on {each.target} <Time at={each.at} />
            </span>
          ))}
        </p>
      )}
    </Section>
  );
}

function DayFacts({ status, day }: { status: Status; day: ActivityList }) {
  const sum = (pick: (item: ActivityList["items"][number]) => number) =>
    day.items.reduce((all, item) => all + pick(item), 0);
  const open = total(status.incidents.open);
  const backend = { cgroup2: "cgroup v2", cgroup1: "cgroup v1", none: "none" }[status.pressure.backend] ?? "not known";
  return (
    <Facts
      class="day"
      items={[
        ["Runs, 24 h", count(sum((item) => total(item.runs_by_verdict)))],
        ["Writes, 24 h", count(sum((item) => item.writes))],
        ["Exposures, 24 h", count(sum((item) => item.exposures))],
        [
          "Open incidents",
          <To
            key="open"
            href="/incidents?state=open"
            label={`${counted(open, "open incident")}: ${openText(status.incidents.open) || "none"}`}
          >
            {count(open)}
          </To>,
        ],
        ...(status.incidents.known > 0
          ? [
              [
                "Known",
                <To key="known" href="/incidents?state=known" label={counted(status.incidents.known, "known incident")}>
                  {count(status.incidents.known)}
                </To>,
              ] as [string, ComponentChildren],
            ]
          : []),
        ["Memory pressure", backend],
        ["Self-test", status.self_test.ok ? "every detector sees" : "failed"],
      ]}
    />
  );
}

export function Overview() {
  const status = useApi<Status>("/status", [
    "run.finished",
    "run.started",
    "incident.acknowledged",
    "incident.reopened",
    "target.paused",
    "target.resumed",
  ]);
  const targets = useApi<List<Target>>("/targets", [
    "run.finished",
    "run.started",
    "run.queued",
    "target.paused",
    "target.resumed",
  ]);
  const day = useApi<ActivityList>("/activity?by=profile", ["run.finished"]);
  const incidents = useApi<Page<Incident>>("/incidents?state=open,known&limit=500", incidentEvents);
  const running = useApi<Page<Run>>("/runs?state=running", ["run.started", "run.finished"]);
  const { state } = useStore(connection);
  if (!status.data || !targets.data || !day.data || !(incidents.data || incidents.problem)) {
    const problem = status.problem ?? targets.problem ?? day.problem;
    const retry = () => (status.reload(), targets.reload(), day.reload());
    return <Unread title="Overview" problem={problem} retry={retry} />;
  }
  const sentence = sentenceOf(status.data, day.data.items);
  const host = status.data;
  return (
    <>
      <p class="kicker">
        <strong>{host.hostname}</strong>{" "}
        <span class="quiet">
          Linux {host.kernel.release} {host.kernel.machine}
        </span>
      </p>
      <h1 class={`sentence tone-${sentence.tone}`} aria-live={state === "live" ? "polite" : "off"}>
        {sentence.text}
      </h1>
      <DayFacts status={host} day={day.data} />
      <BlindSpots status={host} targets={targets.data.items} />
      <KnownIssues issues={host.known_issues} of="this kernel" />
      <Now runs={running.data?.items ?? []} targets={targets.data.items} />
      <Section title="Targets">
        {targets.data.items.length === 0 ? (
          <Empty>No target is configured. Add a [[target]] to the configuration and reload it.</Empty>
        ) : (
          <TargetGrid
            targets={targets.data.items}
            day={day.data.items}
            incidents={incidents.data?.items.filter((each) => each.kernel_release === host.kernel.release) ?? []}
          />
        )}
      </Section>
      <footer class="quiet">
        writecanaryd {host.version} ({host.revision}), up <UpTime since={host.started_at} />, database{" "}
        {size(host.database.size_bytes)} · <a href={addressOf("/metrics")}>metrics</a> ·{" "}
        <a href={addressOf("/api/v1/openapi.json")}>API</a>
      </footer>
    </>
  );
}

function UpTime({ since }: { since: string }) {
  return <>{seconds(Math.max(1, Math.round((Date.now() - Date.parse(since)) / 1000)))}</>;
}
