// Exposures over time as bars, findings as points on a scale of their own, a line where the kernel changed.
import uPlot from "uplot";
import { theme, zone } from "../data/preferences";
import type { ActivityList } from "../data/types";
import { count, exact } from "../format";
import { type Series, seriesOf } from "./series";

// As the canvas needs it: a computed colour, not a variable that depends on the theme.
function colour(place: HTMLElement, name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  place.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function drawChanges(plot: uPlot, changes: Series["changes"]): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `${12 * ratio}px "IBM Plex Sans", sans-serif`;
  ctx.lineWidth = ratio;
  for (const [index, { at, release }] of changes.entries()) {
    const x = Math.round(plot.valToPos(at, "x", true));
    ctx.strokeStyle = colour(plot.root, "--accent");
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const { width } = ctx.measureText(release);
    const next = changes[index + 1];
    const room = next ? plot.valToPos(next.at, "x", true) : bbox.left + bbox.width;
    const left = x + width + 8 * ratio > room ? x - width - 5 * ratio : x + 5 * ratio;
    const baseline = bbox.top + (12 + 15 * (index % 3)) * ratio;
    ctx.fillStyle = colour(plot.root, "--back"); // another kernel's line may run here
    ctx.fillRect(left, baseline - 11 * ratio, width, 14 * ratio);
    ctx.fillStyle = ctx.strokeStyle;
    ctx.fillText(release, left, baseline);
  }
  ctx.restore();
}

// "06-04" at midnight and for longer steps, else "14:00"; as times are said everywhere here.
function timesOf(_: uPlot, splits: number[], __: number, ___: number, stepSeconds: number): string[] {
  return splits.map((at) => {
    const text = exact(at * 1000, zone.get());
    const hour = text.slice(11, 16);
    return stepSeconds >= 86_400 || hour === "00:00" ? text.slice(5, 10) : hour;
  });
}

const stepOf = ({ times: [first = 0, second = first] }: Series): number => second - first;

function optionsOf(place: HTMLElement, series: Series): uPlot.Options {
  const axis = {
    stroke: colour(place, "--quiet"),
    grid: { stroke: colour(place, "--line"), width: 1 },
    ticks: { show: false },
    font: '12px "IBM Plex Sans", sans-serif',
  };
  const whole = (_: uPlot, values: number[]) => values.map((value) => (Number.isInteger(value) ? count(value) : ""));
  return {
    width: place.clientWidth,
    height: 215,
    padding: [8, 4, 0, 4],
    ...(zone.get() === "utc" ? { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), "UTC") } : {}),
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    legend: { show: false },
    scales: {
      x: { range: (_, first, last) => [first - stepOf(series) / 2, last + stepOf(series) / 2] }, // whole bars at the ends
      exposures: { range: (_, __, most) => [0, Math.max(most * 1.25, 10)] },
      findings: { range: (_, __, most) => [0, Math.max((most ?? 0) * 1.25, 4)] },
    },
    axes: [
      { ...axis, space: 70, size: 30, values: timesOf },
      { ...axis, scale: "exposures", size: 62, values: whole },
      { ...axis, scale: "findings", side: 1, grid: { show: false }, size: 48, values: whole },
    ],
    series: [
      {},
      {
        label: "exposures",
        scale: "exposures",
        stroke: colour(place, "--chart"),
        fill: colour(place, "--chart-fill"),
        width: 1,
        paths: uPlot.paths.bars?.({ size: [0.8, 40] }) as uPlot.Series.PathBuilder,
        points: { show: false },
      },
      {
        label: "findings",
        scale: "findings",
        stroke: colour(place, "--bad"),
        width: 0,
        points: { show: true, size: 12, fill: colour(place, "--bad"), stroke: colour(place, "--back"), width: 1 },
      },
    ],
    hooks: { draw: [(plot) => drawChanges(plot, series.changes)] },
  };
}

// Draws into the element, anew when its width or the theme changes. The function returned takes it away again.
export function drawChart(place: HTMLElement, activity: ActivityList): () => void {
  const series = seriesOf(activity);
  const findings = series.findings.reduce<number>((sum, each) => sum + (each ?? 0), 0);
  const exposures = series.exposures.reduce<number>((sum, each) => sum + (each ?? 0), 0);
  place.setAttribute("role", "img");
  place.setAttribute(
    "aria-label",
    `${count(exposures)} exposures and ${count(findings)} findings; kernels: ${series.changes.map((each) => each.release).join(", ") || "none"}`,
  );
  let plot: uPlot | undefined;
  const draw = () => {
    plot?.destroy();
    plot = new uPlot(optionsOf(place, series), [series.times, series.exposures, series.findings], place);
  };
  const observer = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: 215 }));
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
