// From offsets to pixels: the windows that one can look through, and the marks of pages.
import type { Finding } from "../data/types";
import type { Picture, Span } from "./model";

export type Zoom = "write" | "damage" | "boundary";

// Bytes on either side of the first wrong one in the closest look.
const BOUNDARY_BYTES = 64;

// The stretch of the file that a zoom shows.
export function windowOf(zoom: Zoom, finding: Finding, picture: Picture): Span {
  const { damage } = picture;
  const length = Math.max(damage.end - damage.begin, finding.length_bytes, 8);
  if (zoom === "boundary") return { begin: damage.begin - BOUNDARY_BYTES, end: damage.begin + BOUNDARY_BYTES };
  if (zoom === "damage") return { begin: damage.begin - length * 1.2, end: damage.begin + length * 2.2 };
  let begin = damage.begin;
  let end = Math.max(damage.end, damage.begin + 1);
  for (const lane of picture.lanes) {
    for (const block of lane.blocks.filter((each) => each.concerned)) {
      begin = Math.min(begin, block.begin + lane.shift);
      end = Math.max(end, block.end + lane.shift);
    }
  }
  for (const piece of picture.pieces.filter((each) => each.concerned)) {
    begin = Math.min(begin, piece.begin);
    end = Math.max(end, piece.end);
  }
  if (picture.lanes.every((lane) => lane.blocks.length === 0)) {
    begin -= length;
    end += length;
  }
  const pad = (end - begin) * 0.06;
  return { begin: begin - pad, end: end + pad };
}

export type Scale = (offset: number) => number;

// Clamped a little outside of what is seen: coordinates stay small however long a write is.
export function scaleOf(view: Span, width: number): Scale {
  const perByte = width / (view.end - view.begin);
  return (offset) => Math.max(-40, Math.min(width + 40, (offset - view.begin) * perByte));
}

// Offsets of marks: every page where there is room, else every so many, and never below the start of the file.
export function marks(view: Span, width: number, pageBytes: number): { every: number; offsets: number[] } {
  const pages = (view.end - view.begin) / pageBytes;
  const roomFor = Math.max(2, width / 9);
  let every = pageBytes;
  while (pages / (every / pageBytes) > roomFor) every *= 2;
  if (pages < 0.5) every = 16; // closer than a page: rows of the hex view
  const offsets: number[] = [];
  for (let at = Math.max(0, Math.ceil(view.begin / every) * every); at <= view.end; at += every) offsets.push(at);
  return { every, offsets };
}
