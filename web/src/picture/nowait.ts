// The picture of a non-blocking call that did not do what it said: above what it was asked to write, below how far the file
// grew. What was not reported was taken off again, so no file is kept, and the finding alone says all there is.
import type { Finding, Write } from "../data/types";
import type { Picture, Piece, Span } from "./model";

export function nowaitPicture(finding: Finding, write: Write, pageBytes: number): Picture {
  const begin = write.stream_offset_bytes;
  const wrong: Span = { begin: finding.offset_bytes, end: finding.offset_bytes + finding.length_bytes };
  const reported = begin + Math.max(write.result, 0);
  const isMore = wrong.begin >= reported; // the file grew by more than the call reported, not by less
  const pieceOf = (span: Span, role: Piece["role"]): Piece[] =>
    span.end > span.begin
      ? [
          {
            ...{ ...span, role, content: "own", writer: write.writer, stream: span.begin },
            ...{ write, continued: span.begin > begin, concerned: true },
          },
        ]
      : [];
  return {
    lanes: [
      {
        ...{ writer: write.writer, title: "what was asked for", intrudes: false, shift: 0 },
        blocks: [{ begin, end: begin + write.length_bytes, write, concerned: true }],
        lost: isMore ? [] : [wrong],
      },
    ],
    pieces: [...pieceOf({ begin, end: wrong.begin }, "plain"), ...(isMore ? pieceOf(wrong, "damage") : [])],
    damage: isMore ? wrong : { begin: wrong.begin, end: wrong.begin },
    source: isMore ? wrong : null,
    sourceWriter: write.writer,
    pageBytes,
    exactSegments: false,
  };
}
