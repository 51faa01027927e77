// One incident: its course over time, how often it is found, what is known of it, and the picture of a finding.
import { useState } from "preact/hooks";
import { incidentEvents } from "../data/incident_events";
import type { Finding, Incident, PictureData } from "../data/types";
import { useApi } from "../data/use_api";
import { count } from "../format";
import { Facts, Loading, Section, Time, To, Unread } from "../parts/basics";
import { DayStrip } from "../parts/day_strip";
import { AcknowledgeIncident, StateBadge, toneOf, untilText, withoutText } from "../parts/incident_parts";
import { KnownIssue } from "../parts/known_issues";
import { Picture } from "../picture/Picture";
import { rateText } from "../rates";
import { classes, kindName, kindWords } from "../vocabulary";

const DAYS = 90;
const DAYS_NARROW = 40;

function Figures({ incident }: { incident: Incident }) {
  const { rate_lower_bound_95: least, rate_upper_bound_95: most } = incident;
  return (
    <Facts
      class="figures"
      items={[
        ["First found", <Time key="first" at={incident.first_seen_at} />],
        [
          "Last found",
          <To key="last" href={`/runs/${incident.last_run_id}`}>
            <Time at={incident.last_seen_at} />
          </To>,
        ],
        ["Runs with it", count(incident.runs)],
        ["Findings", count(incident.findings)],
        ["Exposures, all", count(incident.exposures + incident.exposures_before)],
        [
          "Exposures hit",
          <span key="rate" title={`95 % bounds: ${rateText(least)} to ${rateText(most)}`}>
            {rateText(incident.rate)}
          </span>,
        ],
      ]}
    />
  );
}

// Of a finding without a file, such as one of what a call returned, there is none.
function PictureOf({ finding }: { finding: Finding }) {
  const picture = useApi<PictureData>(finding.file ? `/findings/${finding.id}/picture` : null);
  if (picture.data) return <Picture finding={finding} data={picture.data} />;
  if (finding.file && !picture.problem) return <Loading what="its picture" />;
  return <p class="detail">{finding.detail}</p>;
}

function Kept({ incident }: { incident: Incident }) {
  const findings = incident.kept_findings ?? [];
  const [chosen, setChosen] = useState<number | null>(null);
  const shown = findings.find(({ id }) => id === chosen) ?? findings.at(-1);
  if (!shown) return null;
  const countedOnly = incident.findings - findings.length;
  return (
    <Section
      title={incident.findings === 1 ? "Its finding" : "Its findings"}
      aside={
        <span class="quiet">
          {countedOnly > 0
            ? `the first and the latest are kept, ${count(countedOnly)} more are counted`
            : findings.length > 1 && `all ${count(findings.length)} are kept`}
        </span>
      }
    >
      {findings.length > 1 && (
        <div class="kept" role="group" aria-label="Findings that are kept">
          {findings.map((finding) => (
            <button
              key={finding.id}
              type="button"
              class="small"
              aria-pressed={finding === shown}
              onClick={() => setChosen(finding.id)}
            >
              {finding.id}
            </button>
          ))}
        </div>
      )}
      <p class="quiet">
        <To href={`/findings/${shown.id}`}>
          {kindName(shown.kind)} {shown.id}
        </To>{" "}
        of <To href={`/runs/${shown.run_id}`}>run {shown.run_id}</To>, <Time at={shown.found_at} />
      </p>
      <PictureOf key={shown.id} finding={shown} />
    </Section>
  );
}

export function IncidentPage({ id }: { id: string }) {
  const loaded = useApi<Incident>(`/incidents/${encodeURIComponent(id)}`, incidentEvents);
  const incident = loaded.data;
  if (!incident) return <Unread title={`Incident ${id}`} problem={loaded.problem} retry={loaded.reload} />;
  const words = kindWords(incident.kind);
  return (
    <>
      <p class="kicker">
        <To href="/incidents">Incidents</To> <span class="quiet">incident {incident.id}</span>
      </p>
      <div class="page-head">
        <h1>{words.what}</h1>
      </div>
      <p class="lead">
        <StateBadge incident={incident} />{" "}
        <span>
          {kindName(incident.kind)}, {incident.profile} on{" "}
          <To href={`/targets/${encodeURIComponent(incident.target)}`}>{incident.target}</To> ({incident.fstype}), Linux{" "}
          {incident.kernel_release}
        </span>
      </p>
      <p class="quiet">
        {words.meaning} Class: {classes[incident.class] ?? incident.class}. {withoutText(incident)}
      </p>
      <div class="incident-days">
        <DayStrip days={incident.days} slots={innerWidth < 800 ? DAYS_NARROW : DAYS} tone={toneOf(incident)} />
        <span class="quiet">each mark is a day, the last one today</span>
      </div>
      <Figures incident={incident} />
      {incident.known && incident.state === "known" && (
        <p class="acknowledged">
          Known to {incident.known.by || "somebody"}, {untilText(incident.known.until)}:{" "}
          {incident.known.note || "no note"}
        </p>
      )}
      <div class="buttons incident-actions">
        <AcknowledgeIncident incident={incident} />
      </div>
      {(incident.known_issues?.length ?? 0) > 0 && (
        <ul class="notices">
          {incident.known_issues?.map((issue) => (
            <KnownIssue key={issue.id} issue={issue} tag="known issue" />
          ))}
        </ul>
      )}
      <Kept incident={incident} />
    </>
  );
}
