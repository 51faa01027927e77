// A value that components can watch: the few things that more than one of them needs.
import { useEffect, useState } from "preact/hooks";

export interface Store<T> {
  get(): T;
  set(value: T): void;
  watch(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState<T>(() => store.get());
  useEffect(() => {
    const update = () => setValue(() => store.get());
    update(); // it may have changed between rendering and this effect
    return store.watch(update);
  }, [store]);
  return value;
}

// A store of plain text that survives a reload. Where the browser refuses to keep it, it lives as long as the page.
export function createKeptStore(keeper: Storage | null, key: string, initial: string): Store<string> {
  let kept: string | null = null;
  try {
    kept = keeper?.getItem(key) ?? null;
  } catch {}
  const store = createStore(kept ?? initial);
  store.watch(() => {
    try {
      if (store.get() === initial) keeper?.removeItem(key);
      else keeper?.setItem(key, store.get());
    } catch {}
  });
  return store;
}

export function keeper(kind: "localStorage" | "sessionStorage"): Storage | null {
  try {
    return window[kind];
  } catch {
    return null;
  }
}
