// The words of verdicts, kinds and variants. The same as in the reports; a kind or verdict that the page does not know
// is shown by its name.
import type { Verdict } from "./data/types";

// "broken" is a promise that was broken while every byte is right: quieter than "bad", and more than a "warn", which
// says that nothing is known.
export type Tone = "good" | "bad" | "broken" | "warn" | "idle";

export interface VerdictWords {
  tone: Tone;
  meaning: string;
}

export const verdicts: Record<Verdict, VerdictWords> = {
  clean: { tone: "good", meaning: "Reached the trigger often enough, and every acknowledged byte was right" },
  corrupt: { tone: "bad", meaning: "Bytes that the kernel acknowledged are wrong" },
  violation: { tone: "broken", meaning: "The kernel broke a promise; no acknowledged byte is wrong" },
  stuck: { tone: "bad", meaning: "The probe hangs in the kernel" },
  error: { tone: "warn", meaning: "The run failed; it says nothing about the kernel" },
  interrupted: { tone: "warn", meaning: "Cut off, by a crash or a restart; it says nothing about the kernel" },
  unexposed: { tone: "warn", meaning: "The watched kernel path was not reached often enough; it says nothing" },
  unsupported: { tone: "idle", meaning: "Kernel, filesystem or privileges do not allow this workload here" },
  stopped: { tone: "idle", meaning: "Somebody stopped it" },
};

export const verdictNames = Object.keys(verdicts) as Verdict[];

export interface KindWords {
  what: string; // the heading of a finding
  meaning: string;
}

export const kinds: Record<string, KindWords> = {
  duplicate: { what: "Bytes stand in the file twice", meaning: "A part of a write was written a second time." },
  missing: {
    what: "Acknowledged bytes are nowhere",
    meaning: "The kernel said that it wrote bytes that are not in the file.",
  },
  torn: {
    what: "Another write stands inside this one",
    meaning: "One append was completed in two steps, and another writer's bytes came in between. No byte is lost.",
  },
  misplaced: { what: "Bytes stand at the wrong place", meaning: "Bytes of this file stand in it once, but elsewhere." },
  stale: { what: "Bytes of an earlier file", meaning: "What an earlier file or run wrote stands in this one." },
  zeroed: { what: "Zeros in place of data", meaning: "Zeros stand where acknowledged bytes belong." },
  foreign: { what: "Bytes that nobody wrote", meaning: "Content that no canary ever wrote stands in the file." },
  bitflip: { what: "A few wrong bits", meaning: "A word is right but for a few of its bits." },
  size_mismatch: {
    what: "The file has another size",
    meaning: "The size differs from the acknowledged bytes, and nothing else explains it.",
  },
  nowait_contract: {
    what: "A non-blocking write did not do what it said",
    meaning: "The file grew by something else than the call reported.",
  },
  stuck: { what: "The probe hangs in the kernel", meaning: "A process does not end, although it was killed." },
};

export const classes: Record<string, string> = {
  corruption: "corruption",
  atomicity: "atomicity, no byte is wrong",
  contract: "contract of a call",
  availability: "availability",
};

// Kinds in which no acknowledged byte is wrong and none hangs: a promise was broken.
const promises = new Set(["torn", "nowait_contract"]);

export const kindTone = (kind: string): Tone => (promises.has(kind) ? "broken" : "bad");
export const kindWords = (kind: string): KindWords => kinds[kind] ?? { what: kind, meaning: "" };
export const kindName = (kind: string): string => kind.replaceAll("_", " ");

export const variants: Record<string, string> = {
  as_is: "as it is",
  offset: "explicit offset, no O_APPEND",
  async: "IOSQE_ASYNC",
  sync: "blocking write",
};

export const stateWords: Record<string, { tone: Tone; text: string }> = {
  idle: { tone: "idle", text: "idle" },
  running: { tone: "idle", text: "running" },
  stuck: { tone: "bad", text: "stuck" },
  not_mounted: { tone: "warn", text: "not mounted" },
  paused: { tone: "warn", text: "paused" },
  waiting: { tone: "idle", text: "waiting" },
};
