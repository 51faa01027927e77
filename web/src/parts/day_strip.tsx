// An incident over time: a mark for each day, as high as the share of its runs that had a finding. A day of runs without
// one is a low mark, a day without runs a dot.
import type { IncidentDay } from "../data/types";
import { count, counted } from "../format";

const DAY_MS = 86_400_000;
const HEIGHT = 24;
const STEP = 8;
const MARK = 6;
const LOWEST = 8; // of a day with findings, however few
const QUIET = 4;

const dayText = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

// `slots` days up to that of `lastMs`, those without a row too.
export function daysUpTo(days: readonly IncidentDay[], lastMs: number, slots: number): (IncidentDay | string)[] {
  const by = new Map(days.map((each) => [each.day, each]));
  return Array.from({ length: slots }, (_, index) => {
    const name = dayText(lastMs - (slots - 1 - index) * DAY_MS);
    return by.get(name) ?? name;
  });
}

export function stripWords(days: readonly IncidentDay[]): string {
  const withIt = days.filter((each) => each.findings > 0);
  const findings = withIt.reduce((sum, each) => sum + each.findings, 0);
  return `Found on ${count(withIt.length)} of ${counted(days.length, "day")} with runs, ${counted(findings, "finding")}`;
}

function titleOf(slot: IncidentDay | string): string {
  if (typeof slot === "string") return `${slot}: no run`;
  const found =
    slot.findings > 0 ? `${counted(slot.findings, "finding")} in ${slot.runs_with_findings} of ` : "none in ";
  return `${slot.day}: ${found}${counted(slot.runs, "run")}, ${counted(slot.exposures, "exposure")}`;
}

function Mark({ slot, x }: { slot: IncidentDay | string; x: number }) {
  if (typeof slot === "string") return <path class="day-none" d={`M${x + MARK / 2 - 1} ${HEIGHT - 2}h2`} />;
  const share = slot.runs > 0 ? slot.runs_with_findings / slot.runs : 1;
  const height = slot.findings > 0 ? LOWEST + (HEIGHT - LOWEST) * share : QUIET;
  return (
    <rect
      class={slot.findings > 0 ? "day-with" : "day-without"}
      x={x}
      y={HEIGHT - height}
      width={MARK}
      height={height}
    />
  );
}

export function DayStrip({ days, slots, tone }: { days: readonly IncidentDay[]; slots: number; tone: string }) {
  const shown = daysUpTo(days, Date.now(), slots);
  const width = slots * STEP;
  return (
    <div class={`day-strip tone-${tone}`}>
      <span class="hidden">{stripWords(days)}</span>
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} width={width} height={HEIGHT} aria-hidden="true">
        {shown.map((slot, index) => (
          <g key={index}>
            <title>{titleOf(slot)}</title>
            <rect class="day-room" x={index * STEP} y="0" width={STEP} height={HEIGHT} />
            <Mark slot={slot} x={index * STEP + 1} />
          </g>
        ))}
      </svg>
    </div>
  );
}
