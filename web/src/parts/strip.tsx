// The last runs of a target and profile as a row of marks, oldest first: what changed, and when. One drawing for each tone
// and not one element for each run: a large host has thousands of marks.
import { zone } from "../data/preferences";
import { go } from "../data/router";
import type { History, RunMark } from "../data/types";
import { count, counted, exact } from "../format";
import { type Tone, verdicts } from "../vocabulary";

const HEIGHT = 24;
const STEP = 10;
const MARK = 8;
// Colour is not the only difference.
const heights: Record<Tone, number> = { good: 13, bad: 22, broken: 17, warn: 7, idle: 4 };

const toneOf = (run: RunMark): Tone => verdicts[run.verdict]?.tone ?? "idle";

// "Last 20 runs: 18 clean, 2 corrupt".
export function stripText(runs: readonly RunMark[]): string {
  const by = new Map<string, number>();
  for (const run of runs) by.set(run.verdict, (by.get(run.verdict) ?? 0) + 1);
  const parts = [...by].map(([verdict, number]) => `${count(number)} ${verdict}`);
  return `Last ${counted(runs.length, "run")}: ${parts.join(", ") || "none"}`;
}

function pathOf(runs: readonly RunMark[], tone: Tone): string {
  const height = heights[tone];
  return runs
    .map((run, index) => (toneOf(run) === tone ? `M${index * STEP + 1} ${HEIGHT}v${-height}h${MARK}v${height}` : ""))
    .join("");
}

export function Strip({ history, slots = 40 }: { history: History; slots?: number }) {
  const runs = history.runs.slice(-slots);
  const runAt = (event: MouseEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return runs[Math.floor(((event.clientX - box.left) / box.width) * runs.length)];
  };
  const name = (event: MouseEvent) => {
    const run = runAt(event);
    if (!run) return;
    const what = `Run ${run.id}: ${run.verdict}, ${counted(run.exposures, "exposure")}`;
    (event.currentTarget as HTMLElement).parentElement?.setAttribute(
      "title",
      `${what}, ${exact(run.finished_at, zone.get())}`,
    );
  };
  const follow = (event: MouseEvent) => {
    const run = runAt(event);
    if (run) go(`/runs/${run.id}`);
  };
  const width = Math.max(runs.length, 1) * STEP;
  return (
    <div class="strip">
      <span class="hidden">{stripText(runs)}</span>
      <svg
        viewBox={`0 0 ${width} ${HEIGHT}`}
        width={width}
        height={HEIGHT}
        preserveAspectRatio="none"
        aria-hidden="true"
        onMouseMove={name}
        onClick={follow}
      >
        {(["good", "bad", "broken", "warn", "idle"] as const).map((tone) => {
          const path = pathOf(runs, tone);
          return path && <path key={tone} d={path} class={`mark tone-${tone}`} />;
        })}
      </svg>
    </div>
  );
}
