// What every table of findings says of one.
import type { Finding } from "../data/types";
import { count } from "../format";
import { kindName } from "../vocabulary";
import { To } from "./basics";
import type { Column } from "./table";

export const nameColumn: Column<Finding> = {
  name: "Finding",
  kind: "head",
  value: (finding) => (
    <To href={`/findings/${finding.id}`}>
      {kindName(finding.kind)} {finding.id}
    </To>
  ),
};

export const bytesColumn: Column<Finding> = {
  name: "Bytes",
  kind: "number",
  value: (finding) => (finding.file ? count(finding.length_bytes) : ""),
};

export const whatColumn: Column<Finding> = { name: "What", kind: "wide", value: (finding) => finding.detail };
