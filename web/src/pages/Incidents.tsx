// Incidents, newest first, narrowed by filters that stand in the address.
import { queryText } from "../data/client";
import { incidentEvents } from "../data/incident_events";
import type { Incident, List, Status, Target } from "../data/types";
import { useApi } from "../data/use_api";
import { usePages } from "../data/use_pages";
import { useFilters } from "../data/use_query";
import { count } from "../format";
import { Time, To } from "../parts/basics";
import { DayStrip } from "../parts/day_strip";
import { Choice, Filters, plain } from "../parts/filters";
import { StateBadge, toneOf } from "../parts/incident_parts";
import { Listing } from "../parts/listing";
import type { Column } from "../parts/table";
import { rateText } from "../rates";
import { incidentsText } from "../summary";
import { kindName, kinds } from "../vocabulary";

const DAYS = 31;

const columns: Column<Incident>[] = [
  {
    name: "Incident",
    kind: "head",
    value: (incident) => (
      <To href={`/incidents/${incident.id}`}>
        {kindName(incident.kind)} {incident.id}
      </To>
    ),
  },
  { name: "State", kind: "badge", value: (incident) => <StateBadge incident={incident} /> },
  { name: "Where", kind: "short", value: (incident) => `${incident.profile} on ${incident.target}` },
  { name: "Kernel", kind: "short", value: (incident) => incident.kernel_release },
  {
    name: `${DAYS} days`,
    kind: "list",
    value: (incident) => <DayStrip days={incident.days} slots={DAYS} tone={toneOf(incident)} />,
  },
  { name: "Rate", kind: "number", value: (incident) => rateText(incident.rate) },
  { name: "Findings", kind: "number", value: (incident) => count(incident.findings) },
  { name: "Last", value: (incident) => <Time at={incident.last_seen_at} /> },
];

const states = [
  ["open,known", "open and known"],
  ["open", "open"],
  ["known", "known"],
  ["resolved", "resolved"],
] as const;

export function Incidents() {
  const { values, bind, narrowed } = useFilters("state", "kind", "class", "target", "profile", "release");
  const status = useApi<Status>("/status", incidentEvents);
  const targets = useApi<List<Target>>("/targets");
  const incidents = usePages<Incident>(`/incidents${queryText(values)}`, incidentEvents);
  return (
    <>
      <h1>Incidents</h1>
      {status.data && <p class="lead">{incidentsText(status.data.incidents)}</p>}
      <Filters>
        <Choice name="State" all="every state" options={states} {...bind("state")} />
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
      </Filters>
      <Listing
        what="incidents"
        pages={incidents}
        columns={columns}
        none={
          <>
            {narrowed ? "No incident is like that." : "No incident yet."} Whether that is good news, the{" "}
            <To href="/">overview</To> knows.
          </>
        }
      />
    </>
  );
}
