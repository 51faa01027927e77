// Targets by profiles: verdict, age and exposures of each, with a shape and a word beside every colour.
import type { Activity, Target, TargetProfile } from "../data/types";
import { count, size } from "../format";
import { stateWords } from "../vocabulary";
import { Time, To, VerdictBadge } from "./basics";
import { PauseButton } from "./pause";

const cellKey = (target: string, profile: string) => `${target}\n${profile}`;

function Cell({ profile, exposures }: { profile: TargetProfile; exposures: number }) {
  const content = (
    <>
      <span class="cell-name">{profile.profile}</span>
      <VerdictBadge verdict={profile.last_verdict} plain />
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
  const tone = profile.last_verdict ?? "never";
  return (
    <li class={`cell cell-${tone}`}>
      {profile.last_run === null ? <div>{content}</div> : <To href={`/runs/${profile.last_run}`}>{content}</To>}
    </li>
  );
}

function TargetRow({ target, exposed }: { target: Target; exposed: Map<string, number> }) {
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
          />
        ))}
      </ul>
    </li>
  );
}

export function TargetGrid({ targets, day }: { targets: Target[]; day: Activity[] }) {
  const exposed = new Map<string, number>();
  for (const item of day) {
    const key = cellKey(item.target ?? "", item.profile ?? "");
    exposed.set(key, (exposed.get(key) ?? 0) + item.exposures);
  }
  return (
    <ul class="targets">
      {targets.map((target) => (
        <TargetRow key={target.name} target={target} exposed={exposed} />
      ))}
    </ul>
  );
}
