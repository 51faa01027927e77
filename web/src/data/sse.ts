// Server-sent events out of a stream of bytes (the part of the WHATWG format that a daemon sends). EventSource would do
// it, but cannot send an Authorization header.

export interface ServerEvent {
  id: string | null; // as it was with this event, if it had one
  type: string;
  data: string;
}

export class EventParser {
  #rest = "";
  #id: string | null = null;
  #type = "";
  #data: string[] = [];

  // The events that this piece of text completes.
  push(text: string): ServerEvent[] {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    const events: ServerEvent[] = [];
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line === "") this.#finish(events);
      else this.#field(line);
    }
    return events;
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "id") this.#id = value;
    if (name === "event") this.#type = value;
    if (name === "data") this.#data.push(value);
  }

  #finish(events: ServerEvent[]): void {
    if (this.#data.length > 0) {
      events.push({ id: this.#id, type: this.#type || "message", data: this.#data.join("\n") });
    }
    this.#id = null;
    this.#type = "";
    this.#data = [];
  }
}
