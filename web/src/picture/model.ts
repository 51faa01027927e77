// What the picture of a finding shows, as plain data: the streams that were written, the pieces that the file consists of,
// which bytes of which stream each piece is, and where the damage is. No drawing here, and no judging: the finding says
// what is wrong, the segments say what stands where.
import type { Segment, Write } from "../data/types";

export interface Span {
  begin: number;
  end: number;
}

export type Role = "plain" | "damage";

// A stretch of the file.
export interface Piece extends Span {
  content: Segment["content"];
  writer: number;
  stream: number | null; // where its bytes begin in the stream of its writer
  role: Role;
  write: Write | null; // whose bytes these are, where that is known
  continued: boolean; // the write began in an earlier piece
  concerned: boolean; // it is the write that the finding is about
}

export interface Block extends Span {
  write: Write;
  concerned: boolean;
}

// What one writer wrote, placed so that bytes which stand where they belong are straight above their place in the file.
export interface Lane {
  writer: number;
  title: string;
  intrudes: boolean; // it is here only for its write that stands inside another one
  shift: number; // file offset = stream offset + shift, where nothing is wrong
  blocks: Block[];
  lost: Span[]; // of the stream: acknowledged, concerned, and nowhere in the file
}

export interface Picture {
  lanes: Lane[];
  pieces: Piece[];
  damage: Span; // in the file; empty where bytes are missing
  source: Span | null; // in the stream of `sourceWriter`: what the damaged bytes are
  sourceWriter: number;
  pageBytes: number;
  exactSegments: boolean; // false: made up from the finding alone
}
