// Targets by profiles: verdict, age and exposures of each, with a shape and a word beside every colour.
import type { Activity, Incident, Target, TargetProfile } from "../data/types";
import { count, size } from "../format";
import { knownOfLastRun } from "../summary";
import { kindName, stateWords } from "../vocabulary";
import { Time, To, VerdictBadge } from "./basics";
import { Sign } from "./icons";
import { PauseButton } from "./pause";

const cellKey = (target: string, profile: string) => `${target}\n${profile}`;

// The last run found only what is known: that is no news, and quiet.
function KnownBadge({ incidents }: { incidents: Incident[] }) {
  return (
    <span class="known-badge" title={incidents.map((each) => each.known?.note ?? "").join("; ")}>
      <span class="verdict plain tone-good">
        <Sign of="clean" />
        nothing new
      </span>
      <span class="quiet">{incidents.map(({ kind }) => kindName(kind)).join(", ")} known</span>
    </span>
  );
}

function Cell({ profile, exposures, known }: { profile: TargetProfile; exposures: number; known: Incident[] }) {
  const content = (
    <>
      <span class="cell-name">{profile.profile}</span>
      {known.length > 0 ? <KnownBadge incidents={known} /> : <VerdictBadge verdict={profile.last_verdict} plain />}
      <span class="cell-facts">
        {profile.last_run === null ? (
          <span>
            first run <Time at={profile.next_run_at} never="not planned" />
          </span>
        ) : (
          <>
            <Time at={profile.last_run_at} />
            <span title="Exposures in the last 24 h">{count(exposures)} exposed</span>
          </>
        )}
      </span>
    </>
  );
  const tone = known.length > 0 ? "clean" : (profile.last_verdict ?? "never");
  return (
    <li class={`cell cell-${tone}`}>
      {profile.last_run === null ? <div>{content}</div> : <To href={`/runs/${profile.last_run}`}>{content}</To>}
    </li>
  );
}

function TargetRow(props: { target: Target; exposed: Map<string, number>; incidents: Incident[] }) {
  const { target, exposed, incidents } = props;
  const state = stateWords[target.state] ?? { tone: "idle", text: target.state };
  return (
    <li class="target-row">
      <div class="target-head">
        <h3>
          <To href={`/targets/${encodeURIComponent(target.name)}`}>{target.name}</To>
        </h3>
        <p class="quiet">{target.mounted ? `${target.filesystem.type} on ${target.path}` : target.path}</p>
        <p class="quiet">
          <span class={`state tone-${state.tone}`}>{state.text}</span>, {size(target.bytes_today)} today
        </p>
        <PauseButton target={target} />
      </div>
      <ul class="cells">
        {target.profiles.map((profile) => (
          <Cell
            key={profile.profile}
            profile={profile}
            exposures={exposed.get(cellKey(target.name, profile.profile)) ?? 0}
            known={knownOfLastRun(incidents, target.name, profile)}
          />
        ))}
      </ul>
    </li>
  );
}

// `incidents`: the open and the known ones of the running kernel.
export function TargetGrid(props: { targets: Target[]; day: Activity[]; incidents: Incident[] }) {
  const { targets, day, incidents } = props;
  const exposed = new Map<string, number>();
  for (const item of day) {
    const key = cellKey(item.target ?? "", item.profile ?? "");
    exposed.set(key, (exposed.get(key) ?? 0) + item.exposures);
  }
  return (
    <ul class="targets">
      {targets.map((target) => (
        <TargetRow key={target.name} target={target} exposed={exposed} incidents={incidents} />
      ))}
    </ul>
  );
}
