// The events of one run as a timeline, from the first one on; of a run in progress they come in as they happen.
import { useEffect, useState } from "preact/hooks";
import { follow } from "../data/stream";
import { kindName } from "../vocabulary";
import { ExactTime, To } from "./basics";

interface Shown {
  id: string;
  at: string | null;
  text: string;
  incident: number | null;
}

function shownOf(id: string, type: string, data: string): Shown {
  const fields = JSON.parse(data) as Record<string, unknown>;
  const text = (name: string) => (typeof fields[name] === "string" ? (fields[name] as string) : "");
  const by = text("requested_by");
  switch (type) {
    case "run.queued":
      return {
        id,
        at: text("at"),
        text: `queued${by ? ` by ${by}` : text("trigger") ? ` by the ${text("trigger")}` : ""}`,
        incident: null,
      };
    case "run.started":
      return { id, at: text("at"), text: "started", incident: null };
    case "run.finished":
      return { id, at: text("finished_at"), text: `finished: ${text("verdict")}`, incident: null };
    case "incident.opened":
    case "incident.reopened":
    case "incident.resolved":
      return {
        id,
        at: text(type === "incident.resolved" ? "resolved_at" : "opened_at"),
        text: `incident ${Number(fields.incident_id)} ${type.slice("incident.".length)}: ${kindName(text("kind"))}`,
        incident: Number(fields.incident_id),
      };
    default:
      return { id, at: text("at") || null, text: type, incident: null };
  }
}

export function RunEvents({ id }: { id: number }) {
  const [events, setEvents] = useState<Shown[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    const seen = new Set<string>();
    void follow(`/runs/${id}/events`, stop.signal, {
      onEvent: (event) => {
        if (event.id === null || seen.has(event.id)) return;
        seen.add(event.id);
        const last = event.type === "run.finished";
        setEvents((before) => [...before, shownOf(event.id ?? "", event.type, event.data)]);
        if (last) stop.abort(); // the stream ends here; without this it would be opened again
      },
    });
    return () => stop.abort();
  }, [id]);
  if (events.length === 0) return <p class="quiet">No events.</p>;
  return (
    <ol class="timeline">
      {events.map((event) => (
        <li key={event.id}>
          <ExactTime at={event.at} never="" />
          <span>{event.incident ? <To href={`/incidents/${event.incident}`}>{event.text}</To> : event.text}</span>
        </li>
      ))}
    </ol>
  );
}
