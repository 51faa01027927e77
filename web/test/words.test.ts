import assert from "node:assert/strict";
import { test } from "node:test";
import { EventParser } from "../src/data/sse";
import type { Activity, Incident, Status, Target, TargetProfile } from "../src/data/types";
import { exact, rate, relative, seconds, size } from "../src/format";
import { daysUpTo, stripWords } from "../src/parts/day_strip";
import { rateText } from "../src/rates";
import { seriesOf } from "../src/parts/series";
import { hexRows } from "../src/picture/hex_rows";
import { blindSpots, incidentsText, knownOfLastRun, sentenceOf } from "../src/summary";

test("events come out whole, however the bytes are cut", () => {
  const text =
    ': hello\nretry: 2000\n\nid: 7\nevent: run.finished\ndata: {"a":\ndata: 1}\n\nevent: run.progress\r\ndata: x\r\n\r\n';
  for (const piece of [1, 3, 7, text.length]) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < text.length; at += piece) events.push(...parser.push(text.slice(at, at + piece)));
    assert.deepEqual(events, [
      { id: "7", type: "run.finished", data: '{"a":\n1}' },
      { id: null, type: "run.progress", data: "x" },
    ]);
  }
});

test("numbers in words", () => {
  assert.deepEqual([0, 1023, 1024, 1536, 5_295_376].map(size), ["0 B", "1023 B", "1 KiB", "1.5 KiB", "5.1 MiB"]);
  assert.deepEqual([0.0004, 0.052, 2.83, 90, 7200, 200_000].map(seconds), [
    "0 ms",
    "52 ms",
    "2.8 s",
    "90 s",
    "2 h",
    "2 d",
  ]);
  assert.deepEqual([0, 0.5, 0.00031, 3e-7].map(rate), ["0", "0.50", "0.00031", "3.0 × 10⁻⁷"]);
});

test("times, relative and exact", () => {
  const now = Date.parse("2026-06-04T12:00:00Z");
  assert.equal(relative("2026-06-04T11:57:00Z", now), "3 min ago");
  assert.equal(relative("2026-06-04T12:00:07Z", now), "in 7 s");
  assert.equal(relative("2026-06-04T11:59:59Z", now), "now");
  assert.equal(exact("2026-06-04T11:57:00Z", "utc"), "2026-06-04 11:57:00 UTC");
});

const status = (parts: Partial<Status> = {}): Status => ({
  ...{ version: "1", revision: "r", hostname: "h", started_at: "", ready: true, not_ready_reason: "" },
  kernel: { release: "6.18.44-generic", version: "", machine: "x86_64" },
  database: { path: "", size_bytes: 1 },
  config: { path: "", reload_successful: true, reload_error: "" },
  pressure: { backend: "cgroup2", directory: "", reason: "" },
  self_test: { ok: true, at: "", error: "", detectors: [] },
  notices: [],
  ...{ known_issues: [], incidents: { open: {}, known: 0, of_other_kernels: 0 }, verdicts: {}, runs_in_progress: [] },
  ...parts,
});

const activity = (target: string, exposures: number, found: Record<string, number> = {}, kernel = "6.18.44-generic") =>
  ({
    ...{ from: "2026-06-04T00:00:00Z", target, profile: "append", kernel_release: kernel, runs_by_verdict: {} },
    ...{ writes: exposures, exposures, finding_counts: found },
  }) satisfies Activity;

test("the first sentence", () => {
  const said = (...items: Activity[]) => {
    const open = Object.fromEntries(items.flatMap((item) => Object.keys(item.finding_counts)).map((kind) => [kind, 1]));
    return sentenceOf(status({ incidents: { open, known: 0, of_other_kernels: 0 } }), items);
  };
  assert.deepEqual(said(activity("data", 12_000), activity("data", 400, { torn: 41 })), {
    text: "Kernel 6.18.44: 12,400 exposures in 24 h, no corruption; 41 torn appends on data.",
    tone: "broken",
  });
  const debian = { release: "6.1.0-47-amd64", version: "#1 SMP Debian 6.1.170-3 (2026-05-08)", machine: "x86_64" };
  assert.equal(
    sentenceOf(status({ kernel: debian }), [activity("data", 7, {}, "6.1.0-47-amd64")]).text,
    "Kernel 6.1.170: 7 exposures in 24 h, no corruption.",
  );
  assert.deepEqual(said(activity("data", 1)), {
    text: "Kernel 6.18.44: 1 exposure in 24 h, no corruption.",
    tone: "good",
  });
  assert.equal(said().tone, "warn");
  assert.equal(said().text, "Kernel 6.18.44: no exposure in 24 h, so nothing is known yet.");
  assert.equal(
    said(activity("data", 900, {}, "6.1.0")).tone,
    "warn",
    "another kernel's exposures say nothing of this one",
  );
  const bad = said(activity("data", 10, { duplicate: 3 }), activity("log", 10, { duplicate: 1, bitflip: 1 }));
  assert.deepEqual(bad, {
    text: "Kernel 6.18.44: 20 exposures in 24 h, 4 duplicates and 1 bit flip on data and log.",
    tone: "bad",
  });
  const apart = said(activity("data", 10, { torn: 3 }), activity("log", 10, { stuck: 1 }));
  assert.equal(
    apart.text,
    "Kernel 6.18.44: 20 exposures in 24 h, no corruption; 3 torn appends on data and 1 stuck run on log.",
  );
  const many = said(activity("data", 10, { duplicate: 3, stale: 1, zeroed: 2 }));
  assert.equal(many.text, "Kernel 6.18.44: 10 exposures in 24 h, 6 findings of 3 kinds of corruption on data.");
  assert.equal(
    sentenceOf(status({ ready: false, not_ready_reason: "no database" }), []).text,
    "Not ready: no database.",
  );
});

test("what is known is no news", () => {
  const quiet = (open: Record<string, number>, known: number, found: Record<string, number>) =>
    sentenceOf(status({ incidents: { open, known, of_other_kernels: 0 } }), [activity("data", 400, found)]);
  assert.deepEqual(quiet({}, 1, { torn: 41 }), {
    text: "Kernel 6.18.44: 400 exposures in 24 h, no corruption.",
    tone: "good",
  });
  assert.deepEqual(quiet({}, 1, { duplicate: 3 }), {
    text: "Kernel 6.18.44: 400 exposures in 24 h, nothing but what is known.",
    tone: "good",
  });
  assert.equal(quiet({ torn: 1 }, 1, { duplicate: 3, torn: 2 }).tone, "broken");
  assert.equal(quiet({ duplicate: 1 }, 1, { duplicate: 3, torn: 2 }).tone, "bad");
  assert.equal(
    incidentsText({ open: { torn: 2, stale: 0 }, known: 1, of_other_kernels: 3 }),
    "Open: 2 torn. 1 is known. 3 others of kernels that do not run now.",
  );
  assert.equal(
    incidentsText({ open: {}, known: 0, of_other_kernels: 0 }),
    "None is open. That says something only where runs were exposed.",
  );
});

test("an open incident is said, though a day passed without it", () => {
  const said = (open: Record<string, number>, exposures: number) =>
    sentenceOf(status({ incidents: { open, known: 0, of_other_kernels: 0 } }), [activity("data", exposures)]);
  assert.deepEqual(said({ duplicate: 1, torn: 0 }, 400), {
    text: "Kernel 6.18.44: 400 exposures in 24 h, no corruption; still open: 1 duplicate.",
    tone: "bad",
  });
  assert.equal(said({ torn: 2 }, 400).tone, "broken");
  assert.match(said({ torn: 2 }, 0).text, /nothing is known yet; still open: 2 torn\.$/);
});

test("a cell is quiet when its last run found only what is known", () => {
  const incident = (kind: string, state: string, profile = "append", run = 7) =>
    ({ kind, state, profile, last_run_id: run, target: "data" }) as Incident;
  const cell = { profile: "append", last_run: 7 } as TargetProfile;
  const kindsOf = (incidents: Incident[]) => knownOfLastRun(incidents, "data", cell).map(({ kind }) => kind);
  const torn = incident("torn", "known");
  assert.deepEqual(kindsOf([torn]), ["torn"]);
  assert.deepEqual(kindsOf([torn, incident("duplicate", "open")]), [], "something new beside it");
  assert.deepEqual(kindsOf([torn, incident("duplicate", "open", "append", 6)]), ["torn"], "of an earlier run");
  assert.deepEqual(kindsOf([torn, incident("torn", "open", "append-sync")]), ["torn"], "of another profile");
  assert.deepEqual(kindsOf([incident("torn", "known", "append", 6)]), [], "this run did not find it");
});

test("an incident's strip has a slot for every day up to today", () => {
  const day = { day: "2026-06-02", runs: 96, runs_with_findings: 3, exposures: 9000, findings: 40 };
  const quiet = { ...day, day: "2026-06-03", runs_with_findings: 0, findings: 0 };
  const slots = daysUpTo([day, quiet], Date.parse("2026-06-04T23:00:00Z"), 4);
  assert.deepEqual(slots, ["2026-06-01", day, quiet, "2026-06-04"]);
  assert.equal(stripWords([day, quiet]), "Found on 1 of 2 days with runs, 40 findings");
  assert.deepEqual([null, 0.002, 1, 2.5].map(rateText), ["not known", "1 in 500", "every one", "2.5 for each"]);
});

test("everything that keeps the canary from seeing is said", () => {
  const profile = { last_verdict: null, last_run: 3, last_run_at: null, last_clean_at: null, next_run_at: null };
  const counts = { runs_by_verdict: {}, writes: 5, exposures: 0, finding_counts: {} };
  const target: Target = {
    ...{ name: "data", path: "/data", mounted: true, filesystem: { type: "ext4", source: "", options: "" } },
    ...{ state: "waiting", state_reason: "over its budget", paused: false, paused_note: "", current_run: null },
    ...{
      queued_runs: [],
      bytes_today: 0,
      bytes_per_day_max: 0,
      profiles: [{ profile: "append", ...profile, ...counts }],
    },
  };
  const blind = status({
    pressure: { backend: "none", directory: "", reason: "no cgroup" },
    self_test: { ok: false, at: "", error: "", detectors: [{ kind: "stale", ok: false, detail: "" }] },
    config: { path: "", reload_successful: false, reload_error: "line 3" },
  });
  const said = blindSpots(blind, [target]).map((spot) => `${spot.what}: ${spot.why}`);
  assert.equal(said.length, 5);
  for (const part of [
    "no cgroup",
    "blind for stale",
    "line 3",
    "over its budget",
    "append on data was never exposed",
  ]) {
    assert.ok(
      said.some((text) => text.includes(part)),
      part,
    );
  }
  assert.deepEqual(blindSpots(status(), [{ ...target, state: "idle", profiles: [] }]), []);
  const named = (name: string, state_reason = "over its budget") => ({ ...target, name, state_reason });
  const grouped = blindSpots(status(), [named("a"), named("b", "a long queue"), named("c"), named("d"), named("e")]);
  assert.deepEqual(
    grouped.map(({ what, target: link }) => [what, link]),
    [
      ["4 targets are waiting", undefined],
      ["append on 5 targets was never exposed", undefined],
      ["b is waiting", "b"],
    ],
    "the same of many targets is said once",
  );
});

test("the chart's series has a point for every step, and a line for every kernel", () => {
  const series = seriesOf({
    ...{ since: "2026-06-04T00:00:00Z", until: "2026-06-04T04:00:00Z", step_seconds: 3600 },
    items: [
      { ...activity("", 10), from: "2026-06-04T01:00:00Z" },
      { ...activity("", 5, { torn: 2 }, "6.19"), from: "2026-06-04T01:00:00Z" },
      { ...activity("", 7, {}, "6.19"), from: "2026-06-04T03:00:00Z" },
    ],
  });
  assert.deepEqual(series.exposures, [null, 15, null, 7]);
  assert.deepEqual(series.findings, [null, 2, null, null]);
  assert.deepEqual(
    series.changes.map((change) => change.release),
    ["6.18.44-generic", "6.19"],
  );
});

test("rows of bytes begin where rows begin everywhere", () => {
  const rows = hexRows(0x1004, "00010203", "000102ff0405", 8);
  assert.equal(rows.length, 2);
  assert.equal(rows[0]?.offset, 0x1000);
  assert.deepEqual(rows[0]?.found, [null, null, null, null, "00", "01", "02", "ff"]);
  assert.deepEqual(rows[1]?.expected, Array(8).fill(null));
});
