// The file as it was read: its pieces, the damage in it with its offsets, the marks of pages.
import type { Finding } from "../data/types";
import { count, hex, size } from "../format";
import { kindName } from "../vocabulary";
import { clipped, fitting } from "./LaneRow";
import type { Piece, Picture, Span } from "./model";
import { marks, type Scale } from "./scale";

export const FILE_H = 34;

const contents = { own: "", flipped: "wrong bits", other: "another file", zeros: "zeros", unknown: "unknown bytes" };

function pieceTitle(piece: Piece): string {
  const place = `${count(piece.begin)} to ${count(piece.end - 1)} (${count(piece.end - piece.begin)} bytes)`;
  const stream =
    piece.stream === null
      ? ""
      : `, bytes ${count(piece.stream)} to ${count(piece.stream + piece.end - piece.begin - 1)} of writer ${piece.writer}`;
  return `${place}: ${contents[piece.content] || "written"}${stream}`;
}

function PieceShape({ piece, top, x, width }: { piece: Piece; top: number; x: Scale; width: number }) {
  const [from, to] = clipped(x(piece.begin), x(piece.end), width);
  if (to <= 0 || from >= width) return null;
  const room = Math.min(to, width) - Math.max(from, 0);
  const bytes = `${count(piece.end - piece.begin)} bytes`;
  const name =
    contents[piece.content] || (piece.write ? `write ${piece.write.index}${piece.continued ? ", continued" : ""}` : "");
  const text = piece.role === "damage" ? "" : fitting(room, name ? `${name}: ${bytes}` : bytes, name || bytes);
  return (
    <g class={`piece piece-${piece.content} role-${piece.role}${piece.concerned ? " concerned" : ""}`}>
      <rect x={from} y={top} width={Math.max(to - from, 2)} height={FILE_H}>
        <title>{pieceTitle(piece)}</title>
      </rect>
      <text x={Math.max(from, 0) + 7} y={top + 21}>
        {text}
      </text>
    </g>
  );
}

function Marks({
  picture,
  top,
  x,
  view,
  width,
}: {
  picture: Picture;
  top: number;
  x: Scale;
  view: Span;
  width: number;
}) {
  const { every, offsets } = marks(view, width, picture.pageBytes);
  const perLabel = Math.max(1, Math.ceil((84 / width) * ((view.end - view.begin) / every)));
  const unit =
    every < picture.pageBytes
      ? `marks every ${every} bytes`
      : every === picture.pageBytes
        ? `pages of ${size(picture.pageBytes)}`
        : `marks every ${size(every)}, pages of ${size(picture.pageBytes)}`;
  return (
    <g class="marks">
      {offsets.map((at) => {
        const labelled = (at / every) % perLabel === 0 && x(at) < width - 60;
        return (
          <g key={at}>
            <path
              d={`M${x(at)} ${top}v${labelled ? 8 : 4}`}
              class={at % picture.pageBytes === 0 ? "tick page" : "tick"}
            />
            {labelled && (
              <text x={x(at) + 2} y={top + 19}>
                {every >= picture.pageBytes ? hex(at) : count(at)}
              </text>
            )}
          </g>
        );
      })}
      <text x={width} y={top + 58} text-anchor="end">
        {unit}
      </text>
    </g>
  );
}

function labelOf({ kind, length_bytes: length }: Finding, gap: boolean): string {
  const bytes = `${count(length)} bytes`;
  if (kind === "nowait_contract") return gap ? `${bytes} reported, but not there` : `${bytes} that were not reported`;
  return gap ? `${bytes} missing here` : `${kindName(kind)}, ${bytes}`;
}

export function FileRow(props: {
  finding: Finding;
  picture: Picture;
  top: number;
  x: Scale;
  view: Span;
  width: number;
}) {
  const { finding, picture, top, x, view, width } = props;
  const { damage } = picture;
  const gap = damage.end === damage.begin;
  const from = x(damage.begin);
  const to = gap ? from : Math.max(x(damage.end), from + 2);
  const label = labelOf(finding, gap);
  const wide = label.length * 7;
  const at = Math.max(0, Math.min((from + to) / 2 - wide / 2, width - wide));
  return (
    <g class="file">
      <rect class="file-back" x="0" y={top} width={width} height={FILE_H} />
      {picture.pieces.map((piece) => (
        <PieceShape key={piece.begin} piece={piece} top={top} x={x} width={width} />
      ))}
      {gap ? (
        <path class="gap" d={`M${from} ${top - 5}v${FILE_H + 10}`} />
      ) : (
        <rect class="damage" x={from} y={top - 2} width={to - from} height={FILE_H + 4} rx="1" />
      )}
      <Marks picture={picture} top={top + FILE_H} x={x} view={view} width={width} />
      <text class="row-title" x="0" y={top + FILE_H + 58}>
        the file, as read
      </text>
      <text class="damage-label" x={at} y={top + FILE_H + 38}>
        {label}
      </text>
    </g>
  );
}
