// The first sentence of the overview and what keeps the canary from seeing: made from documents, no drawing.
import type { Activity, Status, Target } from "./data/types";
import { count, counted } from "./format";
import type { Tone } from "./vocabulary";

const nouns: Record<string, [string, string]> = {
  duplicate: ["duplicate", "duplicates"],
  missing: ["loss", "losses"],
  torn: ["torn append", "torn appends"],
  misplaced: ["misplaced range", "misplaced ranges"],
  stale: ["stale range", "stale ranges"],
  zeroed: ["zeroed range", "zeroed ranges"],
  foreign: ["foreign range", "foreign ranges"],
  bitflip: ["bit flip", "bit flips"],
  size_mismatch: ["wrong size", "wrong sizes"],
  nowait_contract: ["broken non-blocking promise", "broken non-blocking promises"],
  stuck: ["stuck run", "stuck runs"],
};
// Findings in which no acknowledged byte is wrong.
const harmless = new Set(["torn", "nowait_contract", "stuck"]);

export interface Sentence {
  text: string;
  tone: Tone;
}

interface Found {
  kind: string;
  number: number;
  targets: Set<string>;
}

function foundIn(items: readonly Activity[]): Found[] {
  const by = new Map<string, Found>();
  for (const item of items) {
    for (const [kind, number] of Object.entries(item.finding_counts)) {
      const found = by.get(kind) ?? { kind, number: 0, targets: new Set<string>() };
      found.number += number;
      found.targets.add(item.target ?? "");
      by.set(kind, found);
    }
  }
  return [...by.values()].sort((a, b) => b.number - a.number);
}

function placesText(found: readonly Found[]): string {
  const where = new Set(found.flatMap(({ targets }) => [...targets]));
  return where.size > 2 ? `on ${where.size} targets` : `on ${[...where].join(" and ")}`;
}

// "2 duplicates and 1 bit flip on data"; of many kinds only how many.
function listed(found: readonly Found[]): string {
  if (found.length > 2) {
    const number = found.reduce((sum, each) => sum + each.number, 0);
    return `${counted(number, "finding")} of ${found.length} kinds of corruption ${placesText(found)}`;
  }
  const texts = found.map(({ kind, number }) => {
    const [one, many] = nouns[kind] ?? [kind, kind];
    return counted(number, one, many);
  });
  return `${texts.join(" and ")} ${placesText(found)}`;
}

// `items` are of the last 24 hours, one for each target, profile and kernel.
export function sentenceOf(status: Status, items: readonly Activity[]): Sentence {
  const { release } = status.kernel;
  const name = `Kernel ${release.replace(/^(\d+\.\d+(\.\d+)?).*$/, "$1")}`;
  const here = items.filter((item) => item.kernel_release === release);
  const exposures = here.reduce((sum, item) => sum + item.exposures, 0);
  const found = foundIn(here);
  const corruption = found.filter(({ kind }) => !harmless.has(kind));
  const rest = found.filter(({ kind }) => harmless.has(kind));
  if (!status.ready) return { text: `Not ready: ${status.not_ready_reason || "still starting"}.`, tone: "warn" };
  if (exposures === 0 && found.length === 0) {
    return { text: `${name}: no exposure in 24 h, so nothing is known yet.`, tone: "warn" };
  }
  const seen = `${name}: ${counted(exposures, "exposure")} in 24 h`;
  const what = corruption.length > 0 ? listed(corruption) : "no corruption";
  const more = rest.length > 0 ? `; ${listed(rest)}` : "";
  return { text: `${seen}, ${what}${more}.`, tone: corruption.length > 0 ? "bad" : rest.length > 0 ? "warn" : "good" };
}

export interface BlindSpot {
  what: string;
  why: string;
  target?: string;
}

function ofTarget(target: Target): BlindSpot[] {
  const spots: BlindSpot[] = [];
  const say = (what: string, why: string) => spots.push({ what: `${target.name} ${what}`, why, target: target.name });
  if (target.state === "stuck") say("is stuck", target.state_reason);
  else if (target.paused) say("is paused", target.paused_note || "nobody said why");
  else if (target.state === "not_mounted") say("is not mounted", target.state_reason);
  else if (target.state === "waiting") say("is waiting", target.state_reason);
  const ran = target.profiles.filter((profile) => profile.last_run !== null);
  const never = ran.filter((profile) => profile.exposures === 0).map((profile) => profile.profile);
  if (never.length > 0) {
    const what = `${never.join(", ")} on ${target.name} ${never.length === 1 ? "was" : "were"} never exposed`;
    spots.push({ what, why: "no run reached the kernel path that is watched", target: target.name });
  }
  return spots;
}

// Everything because of which no finding is no good news.
export function blindSpots(status: Status, targets: readonly Target[]): BlindSpot[] {
  const spots: BlindSpot[] = [];
  if (status.pressure.backend === "none") spots.push({ what: "No memory cgroup", why: status.pressure.reason });
  if (!status.self_test.ok) {
    const blind = status.self_test.detectors.filter((each) => !each.ok).map((each) => each.kind);
    const why = status.self_test.error || `blind for ${blind.join(", ")}`;
    spots.push({ what: "The self-test failed", why: `${why}. Runs without findings prove nothing` });
  }
  if (!status.config.reload_successful) {
    spots.push({ what: "The configuration could not be reloaded", why: status.config.reload_error });
  }
  if (targets.length === 0) {
    spots.push({ what: "No target is configured", why: "add a [[target]] to the configuration and reload it" });
  }
  return [...spots, ...targets.flatMap(ofTarget)];
}

export interface NextRun {
  target: string;
  profile: string;
  at: string;
}

export function nextRuns(targets: readonly Target[], most: number): NextRun[] {
  const next = targets.flatMap((target) =>
    target.profiles.flatMap(({ profile, next_run_at: at }) => (at ? [{ target: target.name, profile, at }] : [])),
  );
  return next.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)).slice(0, most);
}

export const openText = (open: Record<string, number>): string =>
  Object.entries(open)
    .filter(([, number]) => number > 0)
    .map(([kind, number]) => `${count(number)} ${kind.replaceAll("_", " ")}`)
    .join(", ");
