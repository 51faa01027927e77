import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding, PictureData, Segment, Write } from "../src/data/types";
import type { Piece } from "../src/picture/model";
import { pictureOf, without } from "../src/picture/picture_of";
import { marks, scaleOf, windowOf } from "../src/picture/scale";

const write = (index: number, stream: number, length: number, writer = 0): Write => ({
  index,
  writer,
  stream_offset_bytes: stream,
  length_bytes: length,
  route: "punted",
  result: length,
  inline_bytes: 0,
  disarmed: false,
  at_us: 1,
});

const own = (offset: number, length: number, stream: number, writer = 0): Segment => ({
  offset_bytes: offset,
  length_bytes: length,
  content: "own",
  writer,
  stream_offset_bytes: stream,
});

function finding(parts: Partial<Finding>): Finding {
  return {
    ...{
      id: 1,
      incident_id: 1,
      run_id: 1,
      target: "data",
      profile: "append",
      kernel_release: "6",
      fstype: "xfs",
      found_at: "",
    },
    ...{ acknowledged: false, acknowledged_at: null, acknowledged_by: "", note: "", class: "corruption", file: "f" },
    ...{ page_aligned: false, context_offset_bytes: 0, expected_hex: "", found_hex: "", detail: "" },
    ...{ kind: "duplicate", offset_bytes: 0, length_bytes: 0, source_offset_bytes: null, write: null, intruder: null },
    views: { hot: "wrong", cold: null, direct: null },
    ...parts,
  };
}

function data(segments: Segment[], writes: Write[]): PictureData {
  const file = { name: "f", size_bytes: 1 };
  return { file, page_bytes: 4096, kept: true, segments_total: 1, segments, boundaries: [], writes };
}

const spans = (items: readonly { begin: number; end: number }[]) => items.map(({ begin, end }) => [begin, end]);

test("a duplicate is cut out of the segment that begins with it", () => {
  const twice = finding({
    offset_bytes: 3000,
    length_bytes: 500,
    source_offset_bytes: 2500,
    write: write(1, 2000, 2000),
  });
  // The stream starts over at 3000: one segment is the second copy and everything behind it.
  const writes = [write(0, 0, 2000), write(1, 2000, 2000)];
  const picture = pictureOf(twice, data([own(0, 3000, 0), own(3000, 1500, 2500)], writes));
  assert.ok(picture);
  assert.deepEqual(spans(picture.pieces), [
    [0, 2000],
    [2000, 3000],
    [3000, 3500],
    [3500, 4500],
  ]);
  assert.deepEqual(
    picture.pieces.map((piece) => piece.role),
    ["plain", "plain", "damage", "plain"],
  );
  assert.deepEqual(
    picture.pieces.map((piece) => piece.stream),
    [0, 2000, 2500, 3000],
  );
  assert.deepEqual(picture.source, { begin: 2500, end: 3000 });
  assert.equal(picture.lanes[0]?.shift, 0);
  assert.deepEqual(picture.lanes[0]?.lost, []);
});

test("missing bytes are of the stream, and a point in the file", () => {
  const gone = finding({
    ...{ kind: "missing", offset_bytes: 1000, length_bytes: 300, source_offset_bytes: 1000, write: write(0, 0, 2000) },
  });
  const picture = pictureOf(gone, data([own(0, 1000, 0), own(1000, 700, 1300)], [write(0, 0, 2000)]));
  assert.deepEqual(picture?.damage, { begin: 1000, end: 1000 });
  assert.deepEqual(picture?.lanes[0]?.lost, [{ begin: 1000, end: 1300 }]);
});

test("a broken promise: how far the file grew, more or less than was reported", () => {
  const call = (result: number, offset_bytes: number, length_bytes: number) =>
    pictureOf(
      finding({ kind: "nowait_contract", offset_bytes, length_bytes, write: { ...write(4, 8000, 2000), result } }),
      data([], []),
    );
  const more = call(-11, 8000, 700); // EAGAIN, and 700 bytes are there
  assert.deepEqual(more?.damage, { begin: 8000, end: 8700 });
  assert.deepEqual(more?.source, more?.damage);
  assert.deepEqual(
    more?.pieces.map((piece) => [piece.begin, piece.end, piece.role]),
    [[8000, 8700, "damage"]],
  );
  assert.deepEqual(more?.lanes[0]?.lost, []);
  const less = call(2000, 8500, 1500); // 2000, and only 500 are there
  assert.deepEqual(less?.damage, { begin: 8500, end: 8500 });
  assert.deepEqual(less?.lanes[0]?.lost, [{ begin: 8500, end: 10_000 }]);
  assert.deepEqual(
    less?.pieces.map((piece) => [piece.begin, piece.end, piece.role]),
    [[8000, 8500, "plain"]],
  );
});

test("an intruder has a lane of its own, straight above where it stands", () => {
  const torn = finding({
    ...{ kind: "torn", offset_bytes: 1500, length_bytes: 100, source_offset_bytes: 1400 },
    write: write(3, 1000, 1000),
    intruder: write(7, 700, 100, 1),
  });
  const segments = [own(1100, 400, 1000), own(1500, 100, 700, 1), own(1600, 600, 1400)];
  const picture = pictureOf(torn, data(segments, [write(3, 1000, 1000), write(7, 700, 100, 1)]));
  assert.deepEqual(
    picture?.lanes.map((lane) => [lane.writer, lane.shift, lane.intrudes]),
    [
      [0, 100, false],
      [1, 800, true],
    ],
  );
  assert.deepEqual(
    picture?.pieces.map((piece) => [piece.write?.index, piece.continued, piece.role]),
    [
      [3, false, "plain"],
      [7, false, "damage"],
      [3, true, "plain"],
    ],
  );
});

for (const kind of ["duplicate", "missing", "torn", "misplaced", "stale", "zeroed", "foreign", "bitflip"]) {
  test(`without a kept file, ${kind} is drawn from the finding`, () => {
    const made = finding({
      ...{ kind, offset_bytes: 6000, length_bytes: 512, source_offset_bytes: kind === "zeroed" ? null : 5488 },
      write: write(1, 4000, 4000),
      intruder: kind === "torn" ? write(1, 100, 512, 1) : null,
    });
    const picture = pictureOf(made, { ...data([], [write(1, 4000, 4000)]), kept: false });
    assert.ok(picture && !picture.exactSegments);
    // Whatever it is, the file has no hole in it and nothing stands in one place twice.
    for (const [index, piece] of picture.pieces.entries()) {
      const next: Piece | undefined = picture.pieces[index + 1];
      assert.ok(piece.end > piece.begin);
      if (next) assert.equal(piece.end, next.begin);
    }
    assert.equal(
      picture.pieces.some((piece) => piece.role === "damage"),
      kind !== "missing",
    );
  });
}

test("a finding in no file has no picture", () => {
  assert.equal(pictureOf(finding({ kind: "stuck", file: "" }), data([], [])), null);
});

test("every zoom shows the damage, the closer the larger", () => {
  const twice = finding({
    offset_bytes: 300_000,
    length_bytes: 9000,
    source_offset_bytes: 291_000,
    write: write(0, 0, 400_000),
  });
  const picture = pictureOf(twice, data([own(0, 300_000, 0), own(300_000, 109_000, 291_000)], [write(0, 0, 400_000)]));
  assert.ok(picture);
  let before = 0;
  for (const zoom of ["write", "damage", "boundary"] as const) {
    const view = windowOf(zoom, twice, picture);
    assert.ok(view.begin < 300_000 && view.end > 300_000);
    const perByte = 1000 / (view.end - view.begin);
    assert.ok(perByte > before);
    before = perByte;
  }
});

test("marks are on pages, as many as there is room for", () => {
  const view = { begin: 10_000, end: 2_000_000 };
  const { every, offsets } = marks(view, 900, 4096);
  assert.ok(offsets.length <= 101 && offsets.length > 20);
  assert.ok(offsets.every((offset) => offset % 4096 === 0) && every % 4096 === 0);
  assert.deepEqual(marks({ begin: -64, end: 64 }, 900, 4096).offsets.slice(0, 2), [0, 16]);
});

test("the scale is linear within the window, and never leaves its surroundings", () => {
  const x = scaleOf({ begin: 100, end: 200 }, 1000);
  assert.equal(x(150), 500);
  assert.equal(x(1_000_000), 1040);
});

test("what is left of a span", () => {
  assert.deepEqual(
    without({ begin: 0, end: 10 }, [
      { begin: 2, end: 4 },
      { begin: 8, end: 20 },
    ]),
    [
      { begin: 0, end: 2 },
      { begin: 4, end: 8 },
    ],
  );
});
