// Exposures over time as bars, findings as points on a scale of their own, a line where the kernel changed.
import uPlot from "uplot";
import { theme, zone } from "../data/preferences";
import type { ActivityList } from "../data/types";
import { count, total } from "../format";

export interface Series {
  times: number[]; // unix seconds
  exposures: number[];
  findings: (number | null)[]; // null: none, so that no point is drawn
  changes: { at: number; release: string }[]; // the first stretch of each kernel
}

export function seriesOf(activity: ActivityList): Series {
  const begin = Date.parse(activity.since) / 1000;
  const steps = Math.max(1, Math.round((Date.parse(activity.until) / 1000 - begin) / activity.step_seconds));
  const times = Array.from({ length: steps }, (_, index) => begin + index * activity.step_seconds);
  const exposures = times.map(() => 0);
  const findings: (number | null)[] = times.map(() => null);
  const changes: Series["changes"] = [];
  let release = "";
  for (const item of activity.items) {
    const at = Date.parse(item.from) / 1000;
    const index = Math.round((at - begin) / activity.step_seconds);
    if (index < 0 || index >= steps) continue;
    exposures[index] = (exposures[index] ?? 0) + item.exposures;
    const found = total(item.finding_counts);
    if (found > 0) findings[index] = (findings[index] ?? 0) + found;
    if (item.kernel_release !== "" && item.kernel_release !== release) {
      release = item.kernel_release;
      changes.push({ at, release });
    }
  }
  return { times, exposures, findings, changes };
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function drawChanges(plot: uPlot, changes: Series["changes"]): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `${12 * ratio}px "IBM Plex Sans", sans-serif`;
  ctx.lineWidth = ratio;
  for (const [index, { at, release }] of changes.entries()) {
    const x = Math.round(plot.valToPos(at, "x", true));
    ctx.strokeStyle = ctx.fillStyle = colour("--accent");
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const right = x + ctx.measureText(release).width > bbox.left + bbox.width;
    ctx.textAlign = right ? "right" : "left";
    ctx.fillText(release, x + (right ? -5 : 5) * ratio, bbox.top + (12 + 15 * (index % 3)) * ratio);
  }
  ctx.restore();
}

function optionsOf(width: number, series: Series): uPlot.Options {
  const axis = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: '12px "IBM Plex Sans", sans-serif',
  };
  const whole = (_: uPlot, values: number[]) => values.map((value) => (Number.isInteger(value) ? count(value) : ""));
  return {
    width,
    height: 260,
    padding: [8, 4, 0, 4],
    ...(zone.get() === "utc" ? { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), "UTC") } : {}),
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    legend: { live: true },
    scales: {
      exposures: { range: (_, __, most) => [0, Math.max(most * 1.25, 10)] },
      findings: { range: (_, __, most) => [0, Math.max((most ?? 0) * 1.25, 4)] },
    },
    axes: [
      axis,
      { ...axis, scale: "exposures", size: 62, values: whole },
      { ...axis, scale: "findings", side: 1, grid: { show: false }, size: 48, values: whole },
    ],
    series: [
      {},
      {
        label: "exposures",
        scale: "exposures",
        stroke: colour("--chart"),
        fill: colour("--chart-fill"),
        width: 1,
        paths: uPlot.paths.bars?.({ size: [0.8, 40] }) as uPlot.Series.PathBuilder,
        points: { show: false },
      },
      {
        label: "findings",
        scale: "findings",
        stroke: colour("--bad"),
        width: 0,
        points: { show: true, size: 9, fill: colour("--bad"), stroke: colour("--back"), width: 2 },
      },
    ],
    hooks: { draw: [(plot) => drawChanges(plot, series.changes)] },
  };
}

// Draws into the element, anew when its width or the theme changes. The function returned takes it away again.
export function drawChart(place: HTMLElement, activity: ActivityList): () => void {
  const series = seriesOf(activity);
  const findings = series.findings.reduce<number>((sum, each) => sum + (each ?? 0), 0);
  const exposures = series.exposures.reduce((sum, each) => sum + each, 0);
  place.setAttribute("role", "img");
  place.setAttribute(
    "aria-label",
    `${count(exposures)} exposures and ${count(findings)} findings; kernels: ${series.changes.map((each) => each.release).join(", ") || "none"}`,
  );
  let plot: uPlot | undefined;
  const draw = () => {
    plot?.destroy();
    plot = new uPlot(optionsOf(place.clientWidth, series), [series.times, series.exposures, series.findings], place);
  };
  const observer = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: 260 }));
  draw();
  observer.observe(place);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);
  const stops = [theme.watch(() => requestAnimationFrame(draw)), zone.watch(draw)];
  return () => {
    observer.disconnect();
    dark.removeEventListener("change", draw);
    for (const stop of stops) stop();
    plot?.destroy();
  };
}
