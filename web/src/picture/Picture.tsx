// The picture of a finding: above what was written, below the file that was read, to one scale; each band leads bytes from
// where they stand in the stream to where they stand in the file.
import { useState } from "preact/hooks";
import type { Finding, PictureData } from "../data/types";
import { count, size } from "../format";
import { useWidth } from "../parts/basics";
import { kindTone } from "../vocabulary";
import { FileRow, FILE_H } from "./FileRow";
import { LaneRow, LANE_H } from "./LaneRow";
import type { Lane, Picture as Model, Piece } from "./model";
import { pictureOf, pictureText } from "./picture_of";
import { type Scale, scaleOf, windowOf, type Zoom } from "./scale";

const zooms: [Zoom, string][] = [
  ["write", "Whole write"],
  ["damage", "The range"],
  ["boundary", "First wrong byte"],
];
const LANE_GAP = 34;
const TOP = 20;
const BANDS_H = 92;

// A band from a stretch of a lane to a stretch of the file.
function band(a: [number, number], b: [number, number], top: number, bottom: number): string {
  const widen = ([from, to]: [number, number]): [number, number] =>
    to - from < 2 ? [from - (2 - to + from) / 2, to + (2 - to + from) / 2] : [from, to];
  const [a0, a1] = widen(a);
  const [b0, b1] = widen(b);
  const middle = (top + bottom) / 2;
  return `M${a0} ${top}C${a0} ${middle} ${b0} ${middle} ${b0} ${bottom}H${b1}C${b1} ${middle} ${a1} ${middle} ${a1} ${top}Z`;
}

function Bands(props: {
  pieces: readonly Piece[];
  lanes: readonly Lane[];
  laneTop: (index: number) => number;
  fileTop: number;
  x: Scale;
}) {
  const drawn = props.pieces.flatMap((piece) => {
    const index = props.lanes.findIndex((lane) => lane.writer === piece.writer);
    const lane = props.lanes[index];
    if (!lane || piece.stream === null || (piece.content !== "own" && piece.content !== "flipped")) return [];
    if (index > 0 && piece.role === "plain") return []; // other writes of who came in between: another story
    const from = piece.stream + lane.shift;
    const a: [number, number] = [props.x(from), props.x(from + piece.end - piece.begin)];
    const b: [number, number] = [props.x(piece.begin), props.x(piece.end)];
    const path = band(a, b, props.laneTop(index) + LANE_H, props.fileTop);
    return [{ path, role: piece.role, concerned: piece.concerned, key: piece.begin }];
  });
  // What is wrong lies on top.
  drawn.sort((one, other) => Number(one.role === "damage") - Number(other.role === "damage"));
  return (
    <g>
      {drawn.map((each) => (
        <path key={each.key} d={each.path} class={`band band-${each.role}${each.concerned ? " concerned" : ""}`} />
      ))}
    </g>
  );
}

// The arrow from the middle of the source to the middle of where it stands.
function Way({
  picture,
  x,
  laneTop,
  fileTop,
}: {
  picture: Model;
  x: Scale;
  laneTop: (index: number) => number;
  fileTop: number;
}) {
  const index = picture.lanes.findIndex((lane) => lane.writer === picture.sourceWriter);
  const lane = picture.lanes[index];
  const { source, damage } = picture;
  if (!lane || !source || damage.end === damage.begin) return null;
  const from = (x(source.begin + lane.shift) + x(source.end + lane.shift)) / 2;
  const to = (x(damage.begin) + x(damage.end)) / 2;
  const top = laneTop(index) + LANE_H + 2;
  const bottom = fileTop - 3;
  const middle = (top + bottom) / 2;
  return (
    <g class="way">
      <path d={`M${from} ${top}C${from} ${middle} ${to} ${middle} ${to} ${bottom - 6}`} class="way-line" />
      <path d={`M${to - 4.5} ${bottom - 8}h9L${to} ${bottom}z`} class="way-head" />
    </g>
  );
}

function Drawing({ finding, picture, zoom, width }: { finding: Finding; picture: Model; zoom: Zoom; width: number }) {
  const view = windowOf(zoom, finding, picture);
  const x = scaleOf(view, width);
  const laneTop = (index: number) => TOP + index * (LANE_H + LANE_GAP);
  const fileTop = laneTop(picture.lanes.length - 1) + LANE_H + BANDS_H;
  const height = fileTop + FILE_H + 64;
  return (
    <svg
      class="picture"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={pictureText(finding, picture)}
    >
      <defs>
        <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path d="M0 0v6" class="hatch" />
        </pattern>
      </defs>
      <Bands pieces={picture.pieces} lanes={picture.lanes} laneTop={laneTop} fileTop={fileTop} x={x} />
      {picture.lanes.map((lane, index) => (
        <LaneRow key={lane.writer} lane={lane} picture={picture} top={laneTop(index)} x={x} width={width} />
      ))}
      <Way picture={picture} x={x} laneTop={laneTop} fileTop={fileTop} />
      <FileRow finding={finding} picture={picture} top={fileTop} x={x} view={view} width={width} />
    </svg>
  );
}

function captionOf(finding: Finding, picture: Model, { file, segments_total: segments }: PictureData): string {
  if (picture.exactSegments) {
    const what = file.size_bytes
      ? `: ${finding.file}, ${count(file.size_bytes)} bytes in ${count(segments)} segments`
      : "";
    return `To scale, from the damaged file that was kept${what}.`;
  }
  if (finding.kind === "nowait_contract") {
    return "To scale. After the call the file was put right again, so that the next call is judged for itself.";
  }
  return "To scale, drawn from the finding alone: this file was not kept, because earlier ones of its run were.";
}

// What marks what is wrong: red is for bytes that are.
export const markedAs = ({ kind }: Pick<Finding, "kind">): string => `marked-${kindTone(kind)}`;

export function Picture({ finding, data }: { finding: Finding; data: PictureData }) {
  const [zoom, setZoom] = useState<Zoom>("write");
  const { ref, width } = useWidth();
  const picture = pictureOf(finding, data);
  if (!picture) return null;
  const view = windowOf(zoom, finding, picture);
  return (
    <figure class={`picture-frame ${markedAs(finding)}`}>
      <div class="zooms" role="group" aria-label="How close to look">
        {zooms.map(([name, text]) => (
          <button key={name} type="button" class="small" aria-pressed={zoom === name} onClick={() => setZoom(name)}>
            {text}
          </button>
        ))}
        <span class="quiet">{size(Math.round(view.end - view.begin))} across</span>
      </div>
      <div ref={ref} class="picture-place">
        {width > 0 && <Drawing finding={finding} picture={picture} zoom={zoom} width={width} />}
      </div>
      <figcaption class="quiet">{captionOf(finding, picture, data)}</figcaption>
    </figure>
  );
}
