// Findings, newest first, narrowed by filters that stand in the address.
import { queryText } from "../data/client";
import type { Finding, List, Status, Target } from "../data/types";
import { useApi } from "../data/use_api";
import { usePages } from "../data/use_pages";
import { useFilters } from "../data/use_query";
import { Time, To } from "../parts/basics";
import { Choice, Filters, plain } from "../parts/filters";
import { bytesColumn, nameColumn, whatColumn } from "../parts/finding_columns";
import { Listing } from "../parts/listing";
import type { Column } from "../parts/table";
import { openText } from "../summary";
import { kindName, kinds } from "../vocabulary";

const columns: Column<Finding>[] = [
  nameColumn,
  { name: "Class", value: (finding) => <span class={`class class-${finding.class}`}>{finding.class}</span> },
  { name: "Where", kind: "short", value: (finding) => `${finding.profile} on ${finding.target}` },
  bytesColumn,
  whatColumn,
  { name: "Found", value: (finding) => <Time at={finding.found_at} /> },
  {
    name: "State",
    kind: "badge",
    value: (finding) =>
      finding.acknowledged ? (
        <span class="quiet" title={finding.note}>
          known to {finding.acknowledged_by}
        </span>
      ) : (
        "open"
      ),
  },
];

const states = [
  ["false", "open"],
  ["true", "acknowledged"],
] as const;

export function Findings() {
  const { values, bind, narrowed } = useFilters("kind", "target", "profile", "kernel", "run_id", "acknowledged");
  const status = useApi<Status>("/status", ["run.finished", "finding.acknowledged"]);
  const targets = useApi<List<Target>>("/targets");
  const findings = usePages<Finding>(`/findings${queryText(values)}`, [
    "finding",
    "run.finished",
    "finding.acknowledged",
  ]);
  const open = openText(status.data?.open_findings ?? {});
  return (
    <>
      <h1>Findings</h1>
      {status.data && (
        <p class="lead">
          {open ? `Open: ${open}.` : "None is open. That says something only where runs were exposed."}
        </p>
      )}
      <Filters>
        <Choice
          name="Kind"
          all="every kind"
          options={Object.keys(kinds).map((kind) => [kind, kindName(kind)])}
          {...bind("kind")}
        />
        <Choice
          name="Target"
          all="every target"
          options={plain(targets.data?.items.map((each) => each.name) ?? [])}
          {...bind("target")}
        />
        <Choice name="State" all="open and known" options={states} {...bind("acknowledged")} />
      </Filters>
      <Listing
        what="findings"
        pages={findings}
        columns={columns}
        none={
          <>
            {narrowed ? "No finding is like that." : "No finding yet."} Whether that is good news, the{" "}
            <To href="/">overview</To> knows.
          </>
        }
      />
    </>
  );
}
