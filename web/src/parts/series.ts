// What the chart of kernels is drawn from: one point for each stretch of time.
import type { ActivityList } from "../data/types";
import { total } from "../format";

export interface Series {
  times: number[]; // unix seconds
  exposures: (number | null)[];
  findings: (number | null)[]; // null: none, so that nothing is drawn
  changes: { at: number; release: string }[]; // the first stretch of each kernel
}

export function seriesOf(activity: ActivityList): Series {
  const begin = Date.parse(activity.since) / 1000;
  const steps = Math.max(1, Math.round((Date.parse(activity.until) / 1000 - begin) / activity.step_seconds));
  const times = Array.from({ length: steps }, (_, index) => begin + index * activity.step_seconds);
  const exposures: (number | null)[] = times.map(() => null);
  const findings: (number | null)[] = times.map(() => null);
  const changes: Series["changes"] = [];
  let release = "";
  for (const item of activity.items) {
    const at = Date.parse(item.from) / 1000;
    const index = Math.round((at - begin) / activity.step_seconds);
    if (index < 0 || index >= steps) continue;
    if (item.exposures > 0) exposures[index] = (exposures[index] ?? 0) + item.exposures;
    const found = total(item.finding_counts);
    if (found > 0) findings[index] = (findings[index] ?? 0) + found;
    if (item.kernel_release !== "" && item.kernel_release !== release) {
      release = item.kernel_release;
      changes.push({ at, release });
    }
  }
  return { times, exposures, findings, changes };
}
