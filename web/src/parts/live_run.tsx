// A run in progress: how far it is, what it has done so far, and a way to stop it.
import { post } from "../data/client";
import { progress } from "../data/live";
import { useStore } from "../data/store";
import type { Run } from "../data/types";
import { count, counted, seconds, size, total } from "../format";
import { ActionButton } from "./actions";
import { Kinds, To } from "./basics";
import { Sign } from "./icons";

export function LiveRun({ run, named = true }: { run: Run; named?: boolean }) {
  const heard = useStore(progress).get(run.id);
  const now = { ...run, ...heard };
  const fraction = heard?.fraction ?? run.progress?.fraction ?? 0;
  const elapsed = heard?.elapsed_seconds ?? run.progress?.elapsed_seconds ?? 0;
  return (
    <div class="live-run">
      <div class="live-run-head">
        <span class="verdict tone-idle">
          <Sign of={run.state === "running" ? "running" : "queued"} />
          {run.state}
        </span>
        {named && (
          <To href={`/runs/${run.id}`} class="strong">
            {run.profile} on {run.target}
          </To>
        )}
        <span class="quiet">run {run.id}</span>
        <ActionButton
          class="small push"
          label={`Stop run ${run.id}`}
          done={`Run ${run.id} was told to stop.`}
          act={() => post(`/runs/${run.id}/stop`)}
        >
          Stop
        </ActionButton>
      </div>
      <progress max={1} value={fraction} aria-label={`Progress of run ${run.id}`} />
      <p class="live-run-facts quiet">
        <span>{seconds(elapsed)}</span>
        <span>{counted(now.writes, "write")}</span>
        <span>{counted(now.exposures, "exposure")}</span>
        <span>{count(now.punted)} punted</span>
        <span>{size(now.bytes_written)}</span>
        <span>{total(now.finding_counts) > 0 ? <Kinds counts={now.finding_counts} /> : "no findings"}</span>
      </p>
    </div>
  );
}
