// The last runs of a target and profile as a row of marks, oldest first: what changed, and when.
import { zone } from "../data/preferences";
import { useStore } from "../data/store";
import type { History, RunMark } from "../data/types";
import { count, counted, exact } from "../format";
import { verdicts } from "../vocabulary";

const heights = { good: 14, bad: 22, warn: 8, idle: 5 };

// "20 runs: 18 clean, 2 corrupt".
export function stripText(runs: readonly RunMark[]): string {
  const by = new Map<string, number>();
  for (const run of runs) by.set(run.verdict, (by.get(run.verdict) ?? 0) + 1);
  const parts = [...by].map(([verdict, number]) => `${count(number)} ${verdict}`);
  return `Last ${counted(runs.length, "run")}: ${parts.join(", ") || "none"}`;
}

export function Strip({ history, slots = 40 }: { history: History; slots?: number }) {
  const said = useStore(zone);
  const runs = history.runs.slice(-slots);
  return (
    <div class="strip">
      <span class="hidden">{stripText(runs)}</span>
      {runs.map((run) => {
        const tone = verdicts[run.verdict]?.tone ?? "idle";
        return (
          <a
            key={run.id}
            data-page
            href={`/runs/${run.id}`}
            tabIndex={-1}
            aria-hidden="true"
            class={`mark tone-${tone}`}
            title={`Run ${run.id}: ${run.verdict}, ${counted(run.exposures, "exposure")}, ${exact(run.finished_at, said)}`}
          >
            <i style={{ height: `${heights[tone]}px` }} />
          </a>
        );
      })}
    </div>
  );
}
