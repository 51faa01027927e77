// The events of one run as a timeline, from the first one on; of a run in progress they come in as they happen.
import { useEffect, useState } from "preact/hooks";
import { follow } from "../data/stream";
import { kindName } from "../vocabulary";
import { ExactTime, To } from "./basics";

interface Shown {
  id: string;
  at: string | null;
  text: string;
  finding: number | null;
}

// Of many findings the first ones tell what there is to tell; all of them stand in the table above.
const FINDINGS_SHOWN = 8;

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
        finding: null,
      };
    case "run.started":
      return { id, at: text("at"), text: "started", finding: null };
    case "finding":
      return {
        id,
        at: text("found_at"),
        text: `${kindName(text("kind"))} at offset ${Number(fields.offset_bytes).toLocaleString("en")} of ${text("file") || "no file"}`,
        finding: Number(fields.id),
      };
    case "run.finished":
      return { id, at: text("finished_at"), text: `finished: ${text("verdict")}`, finding: null };
    case "finding.acknowledged":
      return {
        id,
        at: text("acknowledged_at"),
        text: `${kindName(text("kind"))} acknowledged by ${text("acknowledged_by")}: ${text("note")}`,
        finding: Number(fields.finding_id),
      };
    default:
      return { id, at: text("at") || null, text: type, finding: null };
  }
}

export function RunEvents({ id }: { id: number }) {
  const [events, setEvents] = useState<Shown[]>([]);
  const [more, setMore] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    const seen = new Set<string>();
    let findings = 0;
    void follow(`/runs/${id}/events`, stop.signal, {
      onEvent: (event) => {
        if (event.id === null || seen.has(event.id)) return;
        seen.add(event.id);
        const last = event.type === "run.finished";
        if (event.type === "finding") findings += 1;
        if (event.type !== "finding" || findings <= FINDINGS_SHOWN) {
          setEvents((before) => [...before, shownOf(event.id ?? "", event.type, event.data)]);
        } else {
          setMore((before) => before + 1);
        }
        if (last) stop.abort(); // the stream ends here; without this it would be opened again
      },
    });
    return () => stop.abort();
  }, [id]);
  if (events.length === 0) return <p class="quiet">No events.</p>;
  return (
    <ol class="timeline">
      {events.map((event, index) => (
        <li key={event.id}>
          {more > 0 && index === events.length - 1 && index > 1 && <span class="quiet">… {more} more findings …</span>}
          <ExactTime at={event.at} never="" />
          <span>{event.finding ? <To href={`/findings/${event.finding}`}>{event.text}</To> : event.text}</span>
        </li>
      ))}
    </ol>
  );
}
