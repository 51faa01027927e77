// The page's one stream of all events: whether there is a connection, since when there is none, and who wants to hear.
import { token, tokenWanted } from "./client";
import type { ServerEvent } from "./sse";
import { createStore } from "./store";
import { follow } from "./stream";
import type { Progress } from "./types";

export interface Connection {
  state: "connecting" | "live" | "lost";
  contactMs: number | null; // when the daemon last said anything
  opened: number; // how often a connection was made: what was read before the last one may be old
}

export const connection = createStore<Connection>({ state: "connecting", contactMs: null, opened: 0 });
// The last that was heard of each run in progress.
export const progress = createStore<ReadonlyMap<number, Progress>>(new Map());

type Listener = (event: ServerEvent) => void;
const listeners = new Set<Listener>();

export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function runOf(event: ServerEvent): number {
  try {
    return Number((JSON.parse(event.data) as { run_id?: number }).run_id ?? 0);
  } catch {
    return 0;
  }
}

function hear(event: ServerEvent): void {
  if (event.type === "run.progress") {
    const heard = JSON.parse(event.data) as Progress;
    progress.set(new Map(progress.get()).set(heard.run_id, heard));
  } else if (event.type === "run.finished") {
    const left = new Map(progress.get());
    if (left.delete(runOf(event))) progress.set(left);
  }
  for (const listener of [...listeners]) listener(event);
}

let lastContactMs: number | null = null;

function lose(): void {
  if (connection.get().state === "lost") return;
  progress.set(new Map());
  // A daemon that wants a token does answer: the prompt says so, and the next token makes the next connection.
  const state = tokenWanted.get() ? "connecting" : "lost";
  connection.set({ ...connection.get(), state, contactMs: lastContactMs });
}

function listen(): AbortController {
  const stop = new AbortController();
  void follow("/events", stop.signal, {
    onOpen: () => {
      lastContactMs = Date.now();
      tokenWanted.set(null);
      const { opened } = connection.get();
      connection.set({ state: "live", contactMs: lastContactMs, opened: opened + 1 });
    },
    onContact: () => {
      lastContactMs = Date.now();
    },
    onEvent: hear,
    onLost: lose,
  });
  return stop;
}

// From the start of the page to its end; again with every new token.
export function startListening(): void {
  let stop = listen();
  token.watch(() => {
    stop.abort();
    stop = listen();
  });
}
