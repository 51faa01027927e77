// One target: what it is, why it is not running, its profiles with their history, and a way to pause it.
import { Fragment } from "preact";
import { queryText } from "../data/client";
import type { History, List, Target, TargetProfile } from "../data/types";
import { useApi } from "../data/use_api";
import { count, size } from "../format";
import { Empty, Facts, Kinds, Said, Section, Time, To, Unread, VerdictBadge } from "../parts/basics";
import { PauseButton } from "../parts/pause";
import { Strip } from "../parts/strip";
import { type Column, Table } from "../parts/table";
import { stateWords } from "../vocabulary";

function columnsWith(target: Target, history: readonly History[]): Column<TargetProfile>[] {
  const strip = (profile: string) => history.find((each) => each.profile === profile);
  return [
    {
      name: "Profile",
      kind: "head",
      value: (row) => <To href={`/runs${queryText({ target: target.name, profile: row.profile })}`}>{row.profile}</To>,
    },
    {
      name: "Last verdict",
      kind: "badge",
      value: (row) =>
        row.last_run === null ? (
          <VerdictBadge verdict={null} />
        ) : (
          <To href={`/runs/${row.last_run}`} class="calm">
            <VerdictBadge verdict={row.last_verdict} />
          </To>
        ),
    },
    { name: "Last run", value: (row) => <Time at={row.last_run_at} /> },
    { name: "Last clean", value: (row) => <Time at={row.last_clean_at} /> },
    { name: "Next run", value: (row) => <Time at={row.next_run_at} never="none" /> },
    { name: "Writes", kind: "number", value: (row) => count(row.writes) },
    { name: "Exposures", kind: "number", value: (row) => count(row.exposures) },
    { name: "Findings", kind: "list", value: (row) => <Kinds counts={row.finding_counts} /> },
    {
      name: "History",
      value: (row) => {
        const found = strip(row.profile);
        return found ? <Strip history={found} slots={20} /> : "";
      },
    },
  ];
}

// One word of many options: a line may end behind each.
function MountOptions({ text }: { text: string }) {
  if (!text) return <>none</>;
  return (
    <>
      {text.split(",").map((option, index) => (
        <Fragment key={option}>
          {index > 0 && (
            <>
              ,<wbr />
            </>
          )}
          {option}
        </Fragment>
      ))}
    </>
  );
}

export function TargetPage({ name }: { name: string }) {
  const events = ["run.queued", "run.started", "run.finished", "target.paused", "target.resumed"];
  const loaded = useApi<Target>(`/targets/${encodeURIComponent(name)}`, events);
  const history = useApi<List<History>>(`/history${queryText({ target: name, limit: 20 })}`, ["run.finished"]);
  const target = loaded.data;
  if (!target) return <Unread title={name} problem={loaded.problem} retry={loaded.reload} />;
  const state = stateWords[target.state] ?? { tone: "idle", text: target.state };
  const why = target.paused ? target.paused_note || target.state_reason : target.state_reason;
  return (
    <>
      <p class="kicker">
        <To href="/">Targets</To> <span class="quiet">{target.path}</span>
      </p>
      <div class="page-head">
        <h1>{target.name}</h1>
        <div class="buttons">
          <PauseButton target={target} />
          <To href={`/start${queryText({ target: target.name })}`} class="button primary small">
            Start a run
          </To>
        </div>
      </div>
      <p class="lead">
        <span class={`state tone-${state.tone}`}>{state.text}</span>
        {why && (
          <span>
            : <Said text={why} />
          </span>
        )}
        {target.current_run !== null && (
          <span>
            : <To href={`/runs/${target.current_run}`}>run {target.current_run}</To>
          </span>
        )}
      </p>
      <Facts
        items={[
          ["Filesystem", target.mounted ? `${target.filesystem.type}, ${target.filesystem.source}` : "not mounted"],
          ["Mount options", <MountOptions key="options" text={target.filesystem.options} />],
          ["Written today", `${size(target.bytes_today)} of ${size(target.bytes_per_day_max)}`],
          [
            "In the queue",
            target.queued_runs.length > 0
              ? target.queued_runs.map((id) => (
                  <To key={id} href={`/runs/${id}`}>
                    {id}{" "}
                  </To>
                ))
              : "nothing",
          ],
        ]}
      />
      <Section title="Profiles">
        {target.profiles.length === 0 ? (
          <Empty>No profile is scheduled here, and none was ever started.</Empty>
        ) : (
          <Table
            label={`Profiles of ${target.name}`}
            columns={columnsWith(target, history.data?.items ?? [])}
            rows={target.profiles}
            keyOf={(row) => row.profile}
          />
        )}
      </Section>
    </>
  );
}
