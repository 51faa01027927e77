// Expected and found bytes side by side, the differing ones marked.
import { useWidth } from "../parts/basics";
import { hexRows } from "./hex_rows";

function Bytes({ bytes, other, side }: { bytes: (string | null)[]; other: (string | null)[]; side: string }) {
  return (
    <td class={`bytes ${side}`}>
      {bytes.map((byte, i) => (
        <span key={i} class={byte !== other[i] ? "differs" : ""}>
          {byte ?? "  "}
        </span>
      ))}
    </td>
  );
}

export function Hex(props: { contextOffset: number; expected: string; found: string; at: number }) {
  const { ref, width } = useWidth();
  const rows = hexRows(props.contextOffset, props.expected, props.found, width > 900 ? 16 : 8);
  return (
    <div ref={ref} class={`hex ${width < 480 ? "stacked" : ""}`}>
      <table>
        <caption class="hidden">Bytes around offset {props.at}: expected and found</caption>
        <thead>
          <tr>
            <th scope="col">offset</th>
            <th scope="col">expected</th>
            <th scope="col">found</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={row.offset}
              class={row.offset <= props.at && props.at < row.offset + row.found.length ? "first-wrong" : ""}
            >
              <th scope="row">{row.offset.toString(16).padStart(8, "0")}</th>
              <Bytes bytes={row.expected} other={row.found} side="expected" />
              <Bytes bytes={row.found} other={row.expected} side="found" />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
