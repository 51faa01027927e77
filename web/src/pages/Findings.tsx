// Findings, newest first: the open ones unless one asks for others.
import { queryText } from "../data/client";
import type { Finding, List, Status, Target } from "../data/types";
import { useApi } from "../data/use_api";
import { usePages } from "../data/use_pages";
import { useQuery } from "../data/use_query";
import { count } from "../format";
import { Empty, Loading, ProblemBox, Section, Time, To } from "../parts/basics";
import { Choice, Filters, plain } from "../parts/filters";
import { type Column, Table } from "../parts/table";
import { openText } from "../summary";
import { kindName, kinds } from "../vocabulary";

const columns: Column<Finding>[] = [
  {
    name: "Finding",
    kind: "head",
    value: (finding) => (
      <To href={`/findings/${finding.id}`}>
        {kindName(finding.kind)} {finding.id}
      </To>
    ),
  },
  { name: "Class", value: (finding) => <span class={`class class-${finding.class}`}>{finding.class}</span> },
  { name: "Where", value: (finding) => `${finding.profile} on ${finding.target}` },
  { name: "Bytes", kind: "number", value: (finding) => count(finding.length_bytes) },
  { name: "What", kind: "wide", value: (finding) => finding.detail },
  { name: "Found", value: (finding) => <Time at={finding.found_at} /> },
  {
    name: "State",
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

export function Findings() {
  const [query, change] = useQuery();
  const value = (name: string) => query.get(name) ?? "";
  const choose = (name: string) => (chosen: string) => change({ [name]: chosen });
  const status = useApi<Status>("/status", ["run.finished", "finding.acknowledged"]);
  const targets = useApi<List<Target>>("/targets");
  const filter = {
    kind: value("kind"),
    target: value("target"),
    profile: value("profile"),
    kernel: value("kernel"),
    run_id: value("run_id"),
    acknowledged: value("acknowledged"),
  };
  const findings = usePages<Finding>(`/findings${queryText(filter)}`, [
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
          value={filter.kind}
          options={Object.keys(kinds).map((kind) => [kind, kindName(kind)])}
          onChoice={choose("kind")}
        />
        <Choice
          name="Target"
          all="every target"
          value={filter.target}
          options={plain(targets.data?.items.map((each) => each.name) ?? [])}
          onChoice={choose("target")}
        />
        <Choice
          name="State"
          all="open and known"
          value={filter.acknowledged}
          options={[
            ["false", "open"],
            ["true", "acknowledged"],
          ]}
          onChoice={choose("acknowledged")}
        />
      </Filters>
      <Section title="Newest first">
        {findings.problem && <ProblemBox problem={findings.problem} retry={findings.reload} />}
        {!findings.ready && !findings.problem && <Loading what="findings" />}
        {findings.ready && findings.items.length === 0 && (
          <Empty>
            No finding is like that. Whether that is good news, the <To href="/">overview</To> knows.
          </Empty>
        )}
        {findings.items.length > 0 && (
          <Table
            label="Findings, newest first"
            columns={columns}
            rows={findings.items}
            keyOf={(finding) => finding.id}
          />
        )}
        {findings.hasMore && (
          <button type="button" class="more" aria-disabled={findings.busy} onClick={() => void findings.more()}>
            Older findings
          </button>
        )}
      </Section>
    </>
  );
}
