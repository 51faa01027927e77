// One writer's stream: its writes as blocks, what of them the finding is about, what of them is nowhere in the file.
import { count } from "../format";
import type { Block, Lane, Picture } from "./model";
import type { Scale } from "./scale";

export const LANE_H = 28;

export function clipped(from: number, to: number, width: number): [number, number] {
  return [Math.max(from, -2), Math.min(to, width + 2)];
}

// The part of a block that a text may use: beside the one thing in it that the text must not cover, on the roomier side.
function beside(from: number, to: number, thing: [number, number] | null): [number, number] {
  if (!thing || thing[0] >= to || thing[1] <= from) return [from, to];
  return to - thing[1] > thing[0] - from ? [thing[1], to] : [from, thing[0]];
}

// Text that fits into so many pixels, or nothing.
export function fitting(room: number, ...texts: string[]): string {
  return texts.find((text) => text.length * 6.9 + 14 <= room) ?? "";
}

function BlockShape({
  block,
  lane,
  top,
  x,
  width,
  thing,
}: {
  thing: [number, number] | null;
  block: Block;
  lane: Lane;
  top: number;
  x: Scale;
  width: number;
}) {
  const [from, to] = clipped(x(block.begin + lane.shift), x(block.end + lane.shift), width);
  if (to <= 0 || from >= width) return null;
  const [left, right] = beside(Math.max(from, 0), Math.min(to, width), thing);
  const text = fitting(
    right - left,
    `write ${block.write.index}, ${count(block.write.length_bytes)} bytes, ${block.write.route}`,
    `write ${block.write.index}, ${block.write.route}`,
    `write ${block.write.index}`,
    String(block.write.index),
  );
  return (
    <g class={block.concerned ? "block concerned" : "block"}>
      <rect x={from + 0.5} y={top + 0.5} width={Math.max(to - from - 1, 1.5)} height={LANE_H - 1} rx="2">
        <title>{`write ${block.write.index} of writer ${block.write.writer}: ${count(block.write.length_bytes)} bytes, ${block.write.route}, result ${count(block.write.result)}`}</title>
      </rect>
      <text x={left + 7} y={top + 18}>
        {text}
      </text>
    </g>
  );
}

export function LaneRow(props: { lane: Lane; picture: Picture; top: number; x: Scale; width: number }) {
  const { lane, picture, top, x, width } = props;
  const source = picture.sourceWriter === lane.writer ? picture.source : null;
  const anchor = lane.blocks.find((block) => block.concerned) ?? lane.blocks[0];
  const marked = source ?? lane.lost[0];
  const thing: [number, number] | null = marked ? [x(marked.begin + lane.shift), x(marked.end + lane.shift)] : null;
  // The title stands where the lane's own block begins, as far as that leaves room for it.
  const title = `${lane.title}, writer ${lane.writer}`;
  const left =
    anchor && lane.intrudes ? Math.max(0, Math.min(x(anchor.begin + lane.shift), width - title.length * 6.6)) : 0;
  return (
    <g class="lane">
      <text class="row-title" x={left} y={top - 7}>
        {title}
      </text>
      {lane.blocks
        .filter((block) => block.concerned || !lane.intrudes)
        .map((block) => (
          <BlockShape key={block.begin} block={block} lane={lane} top={top} x={x} width={width} thing={thing} />
        ))}
      {lane.lost.map((span) => (
        <rect
          key={span.begin}
          class="lost-bytes"
          x={x(span.begin + lane.shift)}
          y={top}
          width={Math.max(x(span.end + lane.shift) - x(span.begin + lane.shift), 3)}
          height={LANE_H}
        >
          <title>{`${count(span.end - span.begin)} bytes that are nowhere in the file`}</title>
        </rect>
      ))}
      {source && (
        <rect
          class="source"
          x={x(source.begin + lane.shift)}
          y={top - 1}
          width={Math.max(x(source.end + lane.shift) - x(source.begin + lane.shift), 2)}
          height={LANE_H + 2}
          rx="1"
        >
          <title>{`stream bytes ${count(source.begin)} to ${count(source.end - 1)}`}</title>
        </rect>
      )}
    </g>
  );
}
