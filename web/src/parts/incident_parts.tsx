// What every place says of an incident: its state, how often it is found, and how it becomes known.
import { useState } from "preact/hooks";
import { post, problemOf } from "../data/client";
import type { Incident } from "../data/types";
import { count, counted } from "../format";
import { kindName, type Tone } from "../vocabulary";
import { say } from "./actions";
import { Sign } from "./icons";
import { NoteDialog } from "./pause";

// What is known is quiet, and what is resolved is good.
export function toneOf(incident: Pick<Incident, "state" | "class">): Tone {
  if (incident.state === "known") return "idle";
  if (incident.state === "resolved") return "good";
  return incident.class === "corruption" || incident.class === "availability" ? "bad" : "broken";
}

export function StateBadge({ incident }: { incident: Incident }) {
  const open = { corruption: "corrupt", availability: "stuck", atomicity: "violation", contract: "violation" } as const;
  const sign = { open: open[incident.class], known: "known", resolved: "clean" } as const;
  return (
    <span class={`verdict tone-${toneOf(incident)}`}>
      <Sign of={sign[incident.state]} />
      {incident.state}
    </span>
  );
}

export function untilText(until: string): string {
  if (until === "kernel") return "until the kernel changes";
  if (until === "rate") return "until its rate rises";
  return `until ${until.slice(0, 10)}`;
}

export function withoutText({ state, without_finding: without, resolved_on }: Incident): string {
  if (state === "resolved") return `Not found any more on ${resolved_on}.`;
  const on = `on ${without.kernel_release}`;
  if (without.runs === 0)
    return `It counts as resolved after ${counted(without.exposures_to_resolve, "exposure")} in at least ${counted(without.runs_to_resolve, "run")} without it.`;
  return `Without it ${on}: ${count(without.exposures)} of ${counted(without.exposures_to_resolve, "exposure")} and ${count(without.runs)} of ${counted(without.runs_to_resolve, "run")} after which it counts as resolved.`;
}

export function AcknowledgeIncident({ incident }: { incident: Incident }) {
  const [asking, setAsking] = useState(false);
  const [until, setUntil] = useState("kernel");
  const [date, setDate] = useState("");
  if (incident.state === "resolved") return null;
  const acknowledge = async (note: string) => {
    try {
      await post(`/incidents/${incident.id}/ack`, { note, until: until === "date" ? date : until });
      say(`Incident ${incident.id} is known.`);
    } catch (error) {
      say("", problemOf(error));
    }
  };
  return (
    <>
      <button type="button" class={incident.state === "open" ? "primary" : ""} onClick={() => setAsking(true)}>
        {incident.state === "open" ? "Acknowledge" : "Change the note"}
      </button>
      {asking && (
        <NoteDialog
          title={`Acknowledge ${kindName(incident.kind)} ${incident.id}`}
          text="It is known: it is quiet, and goes on being counted."
          verb="Acknowledge"
          required
          onNote={acknowledge}
          onClose={() => setAsking(false)}
        >
          <label>
            Quiet
            <select value={until} onChange={(event) => setUntil(event.currentTarget.value)}>
              <option value="kernel">until the kernel changes</option>
              <option value="rate">until its rate rises</option>
              <option value="date">until a date</option>
            </select>
          </label>
          {until === "date" && (
            <label>
              Date
              <input type="date" required value={date} onInput={(event) => setDate(event.currentTarget.value)} />
            </label>
          )}
        </NoteDialog>
      )}
    </>
  );
}
