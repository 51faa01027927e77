// A finding and the file that it was found in, made into a picture.
import type { Finding, PictureData, Segment, Write } from "../data/types";
import type { Lane, Picture, Piece, Span } from "./model";
import { nowaitPicture } from "./nowait";

const nobodys = { write: null, continued: false, concerned: false };
const own = (piece: Piece) => piece.content === "own" && piece.stream !== null;

function overlap(a: Span, b: Span): number {
  return Math.max(0, Math.min(a.end, b.end) - Math.max(a.begin, b.begin));
}

function damageOf(finding: Finding): Span {
  const begin = finding.offset_bytes;
  return { begin, end: finding.kind === "missing" ? begin : begin + finding.length_bytes };
}

// A segment, cut at the ends of the damage: where a stream starts over, one segment is the second copy and all behind it.
function piecesOf(segment: Segment, damage: Span): Piece[] {
  const span = { begin: segment.offset_bytes, end: segment.offset_bytes + segment.length_bytes };
  const inside = { begin: Math.max(span.begin, damage.begin), end: Math.min(span.end, damage.end) };
  const parts = inside.end > inside.begin ? [inside, ...without(span, [inside])] : [span];
  return parts
    .sort((a, b) => a.begin - b.begin)
    .map((part) => ({
      ...part,
      content: segment.content,
      writer: segment.writer ?? 0,
      stream: segment.stream_offset_bytes === undefined ? null : segment.stream_offset_bytes + part.begin - span.begin,
      role: overlap(part, damage) > 0 ? "damage" : "plain",
      ...nobodys,
    }));
}

// The file around the finding as it must be when only this one thing is wrong with it. For findings whose file was not kept.
function imagined(finding: Finding): Piece[] {
  const damage = damageOf(finding);
  const { write, intruder, kind } = finding;
  const writer = write?.writer ?? 0;
  const source = finding.source_offset_bytes;
  const length = finding.length_bytes;
  // Where the stream stands at the damage, and where it goes on behind it.
  let at = damage.begin;
  let behind = damage.end;
  if (kind === "torn" && source !== null) at = behind = source;
  if (kind === "duplicate") behind = damage.begin;
  if (kind === "missing") {
    at = source ?? damage.begin;
    behind = at + length;
  }
  const room = Math.max(write?.length_bytes ?? 0, length * 2, 4096) / 2;
  const streamBegin = Math.min(write?.stream_offset_bytes ?? at, source ?? at, at);
  const before = Math.max(0, Math.min(at - streamBegin || room, damage.begin));
  const streamEnd = write ? write.stream_offset_bytes + write.length_bytes : behind + room;
  const after = Math.max(streamEnd - behind, 0);
  const pieces: Piece[] = [];
  const add = (begin: number, size: number, piece: Pick<Piece, "content" | "writer" | "stream" | "role">) => {
    if (size > 0) pieces.push({ begin, end: begin + size, ...piece, ...nobodys });
  };
  add(damage.begin - before, before, { content: "own", writer, stream: at - before, role: "plain" });
  const contents: Record<string, Segment["content"]> = {
    zeroed: "zeros",
    foreign: "unknown",
    stale: "other",
    bitflip: "flipped",
    size_mismatch: "unknown",
  };
  add(damage.begin, damage.end - damage.begin, {
    content: contents[kind] ?? "own",
    writer: kind === "torn" ? (intruder?.writer ?? writer + 1) : writer,
    stream: kind === "torn" ? (intruder?.stream_offset_bytes ?? null) : source,
    role: "damage",
  });
  add(damage.end, after, { content: "own", writer, stream: behind, role: "plain" });
  return pieces;
}

// The shift of a writer's stream: as its piece next before the damage has it, else its first one. An intruder is drawn
// straight above the place where it stands.
function shiftOf(writer: number, pieces: readonly Piece[], damage: Span): number {
  const mine = pieces.filter((piece) => own(piece) && piece.writer === writer);
  const before = mine.filter((piece) => piece.role === "plain" && piece.begin < damage.begin).at(-1);
  const damaged = mine.find((piece) => piece.role === "damage");
  const piece = (mine.some((each) => each.role === "plain") && before) || damaged || mine[0];
  return piece?.stream == null ? 0 : piece.begin - piece.stream;
}

// What is left of a span when the others are taken out.
export function without(span: Span, others: readonly Span[]): Span[] {
  let left = [span];
  for (const other of others) {
    left = left.flatMap((each) => {
      if (overlap(each, other) === 0) return [each];
      const parts = [
        { begin: each.begin, end: other.begin },
        { begin: other.end, end: each.end },
      ];
      return parts.filter((part) => part.end > part.begin);
    });
  }
  return left;
}

function laneOf(writer: number, finding: Finding, data: PictureData, pieces: readonly Piece[], damage: Span): Lane {
  const mine = pieces.filter((piece) => own(piece) && piece.writer === writer);
  const isConcerned = (write: Write) =>
    [finding.write, finding.intruder].some((each) => each?.writer === writer && each.index === write.index);
  const blocks = data.writes
    .filter((write) => write.writer === writer)
    .sort((a, b) => a.stream_offset_bytes - b.stream_offset_bytes)
    .map((write) => ({
      begin: write.stream_offset_bytes,
      end: write.stream_offset_bytes + write.length_bytes,
      write,
      concerned: isConcerned(write),
    }));
  const placed = mine.map((piece) => ({
    begin: piece.stream ?? 0,
    end: (piece.stream ?? 0) + piece.end - piece.begin,
  }));
  const lost = blocks.filter((block) => block.concerned).flatMap((block) => without(block, placed));
  const intrudes = finding.intruder?.writer === writer && finding.write?.writer !== writer;
  const shift = shiftOf(writer, intrudes ? pieces.filter((piece) => piece.role === "damage") : pieces, damage);
  return { writer, intrudes, title: intrudes ? "what came in between" : "what was written", shift, blocks, lost };
}

// A piece cut at the ends of the writes that its bytes are of.
function cut(piece: Piece, lanes: readonly Lane[]): Piece[] {
  const lane = lanes.find((each) => each.writer === piece.writer);
  const stream = piece.stream;
  if (!own(piece) || !lane || stream === null) return [piece];
  const whole = { begin: stream, end: stream + piece.end - piece.begin };
  const parts = lane.blocks.flatMap((block) => {
    if (overlap(block, whole) === 0) return [];
    const begin = Math.max(block.begin, whole.begin);
    const at = piece.begin + begin - stream;
    const end = at + overlap(block, whole);
    const { write, concerned } = block;
    return [{ ...piece, begin: at, end, stream: begin, write, concerned, continued: begin > block.begin }];
  });
  const rest = without(piece, parts).map((span) => ({ ...piece, ...span, stream: stream + span.begin - piece.begin }));
  return [...parts, ...rest].sort((a, b) => a.begin - b.begin);
}

// Null for findings that are in no file.
export function pictureOf(finding: Finding, data: PictureData): Picture | null {
  if (finding.file === "") return null;
  if (finding.kind === "nowait_contract" && finding.write) {
    return nowaitPicture(finding, finding.write, data.page_bytes);
  }
  const damage = damageOf(finding);
  const pieces =
    data.segments.length > 0 ? data.segments.flatMap((segment) => piecesOf(segment, damage)) : imagined(finding);
  const first = finding.write?.writer ?? pieces.find((piece) => own(piece) && piece.role === "plain")?.writer ?? 0;
  const writers = [first];
  if (finding.intruder && finding.intruder.writer !== first) writers.push(finding.intruder.writer);
  const lanes = writers.map((writer) => laneOf(writer, finding, data, pieces, damage));
  const sourceWriter = finding.kind === "torn" && finding.intruder ? finding.intruder.writer : first;
  let source: Span | null = null;
  if (finding.kind === "torn" && finding.intruder) {
    const begin = pieces.find((piece) => piece.role === "damage")?.stream ?? finding.intruder.stream_offset_bytes;
    source = { begin, end: begin + finding.length_bytes };
  } else if (finding.source_offset_bytes !== null && finding.kind !== "stale") {
    source = { begin: finding.source_offset_bytes, end: finding.source_offset_bytes + finding.length_bytes };
  }
  return {
    lanes,
    pieces: pieces.flatMap((piece) => cut(piece, lanes)),
    damage,
    source,
    sourceWriter,
    pageBytes: data.page_bytes,
    exactSegments: data.segments.length > 0,
  };
}

// What the picture says, for those who do not see it.
export function pictureText(finding: Finding, picture: Picture): string {
  const place = `${finding.length_bytes} bytes at offset ${finding.offset_bytes} of ${finding.file}`;
  const from = picture.source
    ? `, which are bytes ${picture.source.begin} to ${picture.source.end - 1} of the stream of writer ${picture.sourceWriter}`
    : "";
  const write = finding.write
    ? ` The write concerned is number ${finding.write.index} with ${finding.write.length_bytes} bytes.`
    : "";
  return `${finding.kind}: ${place}${from}.${write}`;
}
