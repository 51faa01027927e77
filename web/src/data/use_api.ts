// A document of the API in a component: read when the path changes, when one of the named events says that it changed,
// after a lost connection, and now and then. What was read stays on the page until something newer is there.
import { useEffect, useRef, useState } from "preact/hooks";
import { get, problemOf, token } from "./client";
import { connection, onEvent } from "./live";
import type { Problem } from "./types";

// A burst of events is one reading, and readings keep a distance.
const SETTLE_MS = 150;
// For what has no event: next runs, mounts, a target's state.
const AGAIN_MS = 30_000;

export interface Loaded<T> {
  data: T | null;
  problem: Problem | null; // of the last reading
  loading: boolean;
  reload: () => void;
}

interface Answer<T> {
  path: string | null;
  data: T | null;
  problem: Problem | null;
}

export function useApi<T>(path: string | null, events: readonly string[] = []): Loaded<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ path: null, data: null, problem: null });
  const [loading, setLoading] = useState(path !== null);
  const reload = useRef<() => void>(() => {});
  const wanted = events.join(" ");

  useEffect(() => {
    if (path === null) return;
    let gone = false;
    let busy = false;
    let again = false;
    let timer: ReturnType<typeof setTimeout> | undefined;

    const read = async () => {
      if (busy) {
        again = true;
        return;
      }
      busy = true;
      setLoading(true);
      try {
        const data = await get<T>(path);
        if (!gone) setAnswer({ path, data, problem: null });
      } catch (error) {
        if (!gone) setAnswer((before) => ({ path, data: before.data, problem: problemOf(error) }));
      }
      busy = false;
      if (gone) return;
      setLoading(false);
      if (again) soon();
      again = false;
    };
    const soon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void read();
      }, SETTLE_MS);
    };
    reload.current = () => void read();
    void read();

    const names = new Set(wanted.split(" "));
    let opened = connection.get().opened;
    const stops = [
      onEvent((event) => names.has(event.type) && soon()),
      token.watch(soon),
      connection.watch(() => {
        if (connection.get().opened > opened && opened > 0) soon();
        opened = connection.get().opened;
      }),
    ];
    const clock = setInterval(() => document.hidden || soon(), AGAIN_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
      clearInterval(clock);
      for (const stop of stops) stop();
    };
  }, [path, wanted]);

  return { data: answer.data, problem: answer.problem, loading, reload: () => reload.current() };
}
