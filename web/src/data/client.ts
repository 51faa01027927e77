// Requests to the daemon. Whatever goes wrong becomes a Refused with the daemon's own problem text, or with one of ours
// when there was no answer; a 401 makes the page ask for a token.
import { addressOf } from "./base";
import { createKeptStore, createStore, keeper } from "./store";
import type { Problem } from "./types";

const API = addressOf("/api/v1");
const PATIENCE_MS = 20_000;

// For this browser session only: sessionStorage ends with the tab.
export const token = createKeptStore(keeper("sessionStorage"), "token", "");
// Why the server wants a token, or another one than it was `given`; null while it is content.
export const tokenWanted = createStore<{ given: boolean; problem: Problem } | null>(null);

export class Refused extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }
}

export function authorization(): Record<string, string> {
  return token.get() ? { Authorization: `Bearer ${token.get()}` } : {};
}

// Resolves with the response when it is a success.
export async function call(path: string, options: RequestInit = {}): Promise<Response> {
  const sent = token.get();
  let response: Response;
  try {
    response = await fetch(API + path, {
      cache: "no-store",
      ...options,
      headers: { ...authorization(), ...options.headers },
    });
  } catch (error) {
    if (options.signal?.aborted && (options.signal.reason as Error | undefined)?.name !== "TimeoutError") throw error;
    throw new Refused({ title: "No connection", detail: "The daemon does not answer.", status: 0 });
  }
  if (response.ok) return response;
  const said = (await response.json().catch(() => null)) as Problem | null;
  const { status } = response;
  const problem = said?.title ? said : { title: `The daemon answered ${status}`, detail: "", status };
  if (status === 401 && token.get() === sent) tokenWanted.set({ given: sent !== "", problem });
  throw new Refused(problem);
}

export async function get<T>(path: string): Promise<T> {
  return JSON.parse(await getText(path)) as T;
}

export async function getText(path: string): Promise<string> {
  return (await call(path, { signal: AbortSignal.timeout(PATIENCE_MS) })).text();
}

export async function post<T>(path: string, body: object = {}): Promise<T> {
  const response = await call(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  return (await response.json()) as T;
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Refused) return error.problem;
  return { title: "That did not work", detail: error instanceof Error ? error.message : String(error), status: 0 };
}

// "?a=1&b=2" of the values that are there.
export function queryText(values: Record<string, string | number | null | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}
