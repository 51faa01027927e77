// A listing that grows on demand. The first page stays up to date with the events; pages that were asked for beyond it
// are read once, and stay until a filter changes.
import { useEffect, useState } from "preact/hooks";
import { get, problemOf } from "./client";
import type { Page, Problem } from "./types";
import { useApi } from "./use_api";

interface Older<T> {
  items: T[];
  cursor: string | null;
}

export interface Pages<T> {
  items: T[];
  ready: boolean;
  problem: Problem | null;
  hasMore: boolean;
  more: () => Promise<void>;
  busy: boolean;
  reload: () => void;
}

export function usePages<T extends { id: number }>(path: string, events: readonly string[]): Pages<T> {
  const first = useApi<Page<T>>(path, events);
  const [older, setOlder] = useState<Older<T> | null>(null);
  const [busy, setBusy] = useState(false);
  const [moreProblem, setMoreProblem] = useState<Problem | null>(null);
  useEffect(() => setOlder(null), [path]);

  const cursor = older ? older.cursor : (first.data?.next_cursor ?? null);
  const more = async () => {
    if (busy || cursor === null) return;
    setBusy(true);
    setMoreProblem(null);
    try {
      const page = await get<Page<T>>(`${path}${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`);
      setOlder((before) => ({ items: [...(before?.items ?? []), ...page.items], cursor: page.next_cursor }));
    } catch (error) {
      setMoreProblem(problemOf(error));
    }
    setBusy(false);
  };
  // Arrivals push rows from the first page to where the older ones begin: each is shown once.
  const seen = new Set<number>();
  const items = [...(first.data?.items ?? []), ...(older?.items ?? [])].filter(
    (item) => !seen.has(item.id) && seen.add(item.id),
  );
  return {
    items,
    ready: first.data !== null,
    problem: first.problem ?? moreProblem,
    hasMore: cursor !== null,
    more,
    busy,
    reload: first.reload,
  };
}
