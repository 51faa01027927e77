// One event stream that comes back: after a lost connection it goes on behind the last event that had an id, so nothing is
// missed or seen twice.
import { call, Refused } from "./client";
import { EventParser, type ServerEvent } from "./sse";

const RETRY_MS = 2_000;
// The daemon says something at least every 15 s. Silence beyond this is a connection that is dead without an end.
const SILENCE_MS = 40_000;

export interface StreamListener {
  onOpen?: () => void;
  onContact?: () => void; // any bytes at all
  onEvent: (event: ServerEvent) => void;
  onLost?: () => void;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

// Reads one connection to its end. The id of the last event that had one.
async function readOnce(path: string, after: string | null, signal: AbortSignal, listener: StreamListener) {
  let last = after;
  const connection = new AbortController();
  const stop = () => connection.abort();
  signal.addEventListener("abort", stop, { once: true });
  let silence = setTimeout(stop, SILENCE_MS);
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(stop, SILENCE_MS);
    listener.onContact?.();
  };
  try {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (after !== null) headers["Last-Event-ID"] = after;
    const response = await call(path, { headers, signal: connection.signal });
    listener.onOpen?.();
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return last;
      heard();
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        if (event.id !== null) last = event.id;
        listener.onEvent(event);
      }
    }
  } catch (error) {
    // 4xx will be so again: for a token the page asks, and starts a new stream with it.
    const refused = error instanceof Refused && error.problem.status >= 400 && error.problem.status < 500;
    if (refused) throw error;
    return last;
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", stop);
  }
}

// Runs until the signal, or until the server refuses the stream for good.
export async function follow(path: string, signal: AbortSignal, listener: StreamListener): Promise<void> {
  let after: string | null = null;
  while (!signal.aborted) {
    try {
      after = await readOnce(path, after, signal, listener);
    } catch {
      return listener.onLost?.();
    }
    if (signal.aborted) return;
    listener.onLost?.();
    await pause(RETRY_MS, signal);
  }
}
