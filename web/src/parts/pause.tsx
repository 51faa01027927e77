// Pausing a target asks why, because the next person on call will; resuming does not.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { post, problemOf } from "../data/client";
import type { Target } from "../data/types";
import { ActionButton, say } from "./actions";

export function PauseButton({ target }: { target: Target }) {
  const [asking, setAsking] = useState(false);
  const path = `/targets/${encodeURIComponent(target.name)}`;
  if (target.paused) {
    return (
      <ActionButton
        class="small"
        label={`Resume ${target.name}`}
        done={`${target.name} goes on.`}
        act={() => post(`${path}/resume`)}
      >
        Resume
      </ActionButton>
    );
  }
  const pause = async (note: string) => {
    try {
      await post(`${path}/pause`, { note });
      say(`${target.name} is paused: no more scheduled runs there.`);
    } catch (error) {
      say("", problemOf(error));
    }
  };
  return (
    <>
      <button type="button" class="small" aria-label={`Pause ${target.name}`} onClick={() => setAsking(true)}>
        Pause
      </button>
      {asking && (
        <NoteDialog
          title={`Pause ${target.name}`}
          text="No more scheduled runs there until somebody resumes it. What runs now goes on."
          verb="Pause"
          onNote={pause}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

// Open as long as it is there. A note is `required` or may be left empty.
export function NoteDialog(props: {
  title: string;
  text: string;
  verb: string;
  required?: boolean;
  children?: ComponentChildren; // more to choose
  onNote: (note: string) => Promise<void>;
  onClose: () => void;
}) {
  const [note, setNote] = useState("");
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    if (props.required && note.trim() === "") return;
    dialog.current?.close();
    void props.onNote(note.trim());
  };
  return (
    <dialog ref={dialog} aria-label={props.title} onClose={props.onClose}>
      <form onSubmit={submit}>
        <h2>{props.title}</h2>
        <p>{props.text}</p>
        <label>
          Note
          <input
            value={note}
            maxLength={500}
            required={props.required}
            onInput={(event) => setNote(event.currentTarget.value)}
            placeholder="Who and why"
          />
        </label>
        {props.children}
        <div class="buttons">
          <button type="submit" class="primary">
            {props.verb}
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}
