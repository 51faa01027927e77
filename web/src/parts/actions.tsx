// What a person does: a button that sends a change, says how it went, and says why when the daemon refuses.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { problemOf } from "../data/client";
import { createStore, useStore } from "../data/store";
import type { Problem } from "../data/types";
import { ProblemBox } from "./basics";

interface Message {
  id: number;
  text: string;
  problem: Problem | null;
}

const GOOD_NEWS_MS = 6_000;
const messages = createStore<readonly Message[]>([]);
let nextId = 1;

function dismiss(id: number): void {
  messages.set(messages.get().filter((each) => each.id !== id));
}

export function say(text: string, problem: Problem | null = null): void {
  const id = nextId++;
  messages.set([...messages.get().slice(-3), { id, text, problem }]);
  if (!problem) setTimeout(() => dismiss(id), GOOD_NEWS_MS);
}

export function Messages() {
  const shown = useStore(messages);
  return (
    <div class="messages" role="status" aria-live="polite">
      {shown.map((message) => (
        <div key={message.id} class="message">
          {message.problem ? <ProblemBox problem={message.problem} /> : <p>{message.text}</p>}
          <button type="button" class="small" onClick={() => dismiss(message.id)}>
            Close
          </button>
        </div>
      ))}
    </div>
  );
}

export function ActionButton(props: {
  act: () => Promise<unknown>;
  done: string;
  children: ComponentChildren;
  class?: string;
  label?: string;
}) {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await props.act();
      say(props.done);
    } catch (error) {
      say("", problemOf(error));
    }
    setBusy(false);
  };
  // Not `disabled`: that would throw away the keyboard's focus.
  return (
    <button
      type="button"
      class={props.class}
      aria-label={props.label}
      aria-disabled={busy}
      onClick={() => void press()}
    >
      {props.children}
    </button>
  );
}
