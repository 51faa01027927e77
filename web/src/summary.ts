// The first sentence of the overview and what keeps the canary from seeing: made from documents, no drawing.
import type { Activity, Incident, Status, Target, TargetProfile } from "./data/types";
import { count, counted, listing } from "./format";
import { kindTone, type Tone } from "./vocabulary";

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
// No acknowledged byte is wrong.
const isHarmless = (kind: string): boolean => kindTone(kind) === "broken" || kind === "stuck";

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

const namesText = (targets: readonly string[]): string =>
  targets.length > 3 ? `${targets.length} targets` : listing(targets);

const placesText = (found: readonly Found[]): string =>
  `on ${namesText([...new Set(found.flatMap(({ targets }) => [...targets]))])}`;

const isApart = (one: Found, other: Found): boolean => ![...one.targets].some((target) => other.targets.has(target));

// "2 duplicates and 1 bit flip on data", "2 duplicates on data and 1 bit flip on log"; of many kinds only how many.
function listed(found: readonly Found[]): string {
  if (found.length > 2) {
    const number = found.reduce((sum, each) => sum + each.number, 0);
    return `${counted(number, "finding")} of ${found.length} kinds of corruption ${placesText(found)}`;
  }
  const texts = found.map(({ kind, number }) => {
    const [one, many] = nouns[kind] ?? [kind, kind];
    return counted(number, one, many);
  });
  const [first, second] = found;
  if (first && second && isApart(first, second)) {
    return `${texts[0]} ${placesText([first])} and ${texts[1]} ${placesText([second])}`;
  }
  return `${texts.join(" and ")} ${placesText(found)}`;
}

// The upstream version, which Debian's releases do not say but its builds do; else the release without what is added to it.
function versionOf({ release, version }: Status["kernel"]): string {
  const upstream = /\bDebian (\d+\.\d+\.\d+)/.exec(version)?.[1];
  return upstream ?? release.replace(/^(\d+\.\d+(\.\d+)?).*$/, "$1");
}

// Of open kinds.
function toneOf(open: readonly string[]): Tone {
  if (open.some((kind) => !isHarmless(kind))) return "bad";
  if (open.some((kind) => kindTone(kind) === "broken")) return "broken";
  return open.length > 0 ? "warn" : "good";
}

// `items` are of the last 24 hours, one for each target, profile and kernel.
export function sentenceOf(status: Status, items: readonly Activity[]): Sentence {
  const { release } = status.kernel;
  const name = `Kernel ${versionOf(status.kernel)}`;
  const here = items.filter((item) => item.kernel_release === release);
  const exposures = here.reduce((sum, item) => sum + item.exposures, 0);
  const found = foundIn(here);
  // What is known is no news: it stands among the facts below.
  const news = found.filter(({ kind }) => (status.incidents.open[kind] ?? 0) > 0);
  const corruption = news.filter(({ kind }) => !isHarmless(kind));
  const rest = news.filter(({ kind }) => isHarmless(kind));
  const older = Object.entries(status.incidents.open).filter(
    ([open, number]) => number > 0 && !found.some(({ kind }) => kind === open),
  );
  const still = older.length > 0 ? `; still open: ${openText(Object.fromEntries(older))}` : "";
  if (!status.ready) return { text: `Not ready: ${status.not_ready_reason || "still starting"}.`, tone: "warn" };
  if (exposures === 0 && found.length === 0) {
    return { text: `${name}: no exposure in 24 h, so nothing is known yet${still}.`, tone: "warn" };
  }
  const seen = `${name}: ${counted(exposures, "exposure")} in 24 h`;
  const isKnown = found.length > news.length && corruption.length === 0;
  const none = isKnown && found.some(({ kind }) => !isHarmless(kind)) ? "nothing but what is known" : "no corruption";
  const what = corruption.length > 0 ? listed(corruption) : none;
  const more = rest.length > 0 ? `; ${listed(rest)}` : "";
  const all = [...news.map(({ kind }) => kind), ...older.map(([kind]) => kind)];
  return {
    text: `${seen}, ${what}${more}${still}.`,
    tone: toneOf(all),
  };
}

export interface BlindSpot {
  what: string;
  why: string;
  target?: string;
}

// What one target lacks. Targets that lack the same for the same reason are said together.
interface Lack {
  text: (names: readonly string[]) => string;
  why: string;
}

const states: Record<string, string> = {
  stuck: "stuck",
  paused: "paused",
  not_mounted: "not mounted",
  waiting: "waiting",
};

function lacksOf(target: Target): Lack[] {
  const lacks: Lack[] = [];
  const state = target.state !== "stuck" && target.paused ? "paused" : target.state;
  const said = states[state];
  if (said) {
    const text = (names: readonly string[]) => `${namesText(names)} ${names.length === 1 ? "is" : "are"} ${said}`;
    lacks.push({ text, why: state === "paused" ? target.paused_note || "nobody said why" : target.state_reason });
  }
  const never = target.profiles.filter((each) => each.last_run !== null && each.exposures === 0);
  if (never.length > 0) {
    const profiles = listing(never.map(({ profile }) => profile));
    const verb = never.length === 1 ? "was" : "were";
    const text = (names: readonly string[]) => `${profiles} on ${namesText(names)} ${verb} never exposed`;
    lacks.push({ text, why: "no run reached the kernel path that is watched" });
  }
  return lacks;
}

function ofTargets(targets: readonly Target[]): BlindSpot[] {
  const together = new Map<string, Lack & { names: string[] }>();
  for (const target of targets) {
    for (const lack of lacksOf(target)) {
      const key = `${lack.text(["it"])}: ${lack.why}`;
      const same = together.get(key) ?? { ...lack, names: [] };
      same.names.push(target.name);
      together.set(key, same);
    }
  }
  return [...together.values()].map(({ text, why, names }) => ({
    ...{ what: text(names), why },
    ...(names.length === 1 ? { target: names[0] } : {}),
  }));
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
  if (status.notices.length > 0) spots.push({ what: "Notice", why: status.notices.join(". ") });
  if (targets.length === 0) {
    spots.push({ what: "No target is configured", why: "add a [[target]] to the configuration and reload it" });
  }
  return [...spots, ...ofTargets(targets)];
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

// Those that the last run of a profile found again; none when it found anything that is not known. `incidents`: the open
// and the known ones of the running kernel.
export function knownOfLastRun(
  incidents: readonly Incident[],
  target: string,
  { profile, last_run: run }: TargetProfile,
): Incident[] {
  const ofRun = incidents.filter(
    (each) => each.last_run_id === run && each.target === target && each.profile === profile,
  );
  return ofRun.some(({ state }) => state === "open") ? [] : ofRun;
}

// The line above the list of incidents.
export function incidentsText({ open, known, of_other_kernels: others }: Status["incidents"]): string {
  const parts = [openText(open) ? `Open: ${openText(open)}.` : "None is open."];
  if (known > 0) parts.push(`${count(known)} ${known === 1 ? "is" : "are"} known.`);
  if (others > 0) parts.push(`${counted(others, "other")} of kernels that do not run now.`);
  if (!openText(open) && known === 0) parts.push("That says something only where runs were exposed.");
  return parts.join(" ");
}

export const openText = (open: Record<string, number>): string =>
  Object.entries(open)
    .filter(([, number]) => number > 0)
    .map(([kind, number]) => `${count(number)} ${kind.replaceAll("_", " ")}`)
    .join(", ");
