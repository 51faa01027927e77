// What stands around every page: where one is, the connection, the theme, the zone, the token.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { token, tokenWanted } from "../data/client";
import { connection } from "../data/live";
import { theme, zone } from "../data/preferences";
import { addressOf } from "../data/base";
import { place } from "../data/router";
import { useStore } from "../data/store";
import { clock } from "../format";
import { Messages } from "./actions";
import { ProblemBox, To } from "./basics";
import { Sign, ThemeIcon } from "./icons";

const places: [string, string][] = [
  ["/", "Overview"],
  ["/runs", "Runs"],
  ["/incidents", "Incidents"],
  ["/kernels", "Kernels"],
];
// A finding is one of an incident.
const isWithin = (path: string, to: string): boolean =>
  to !== "/" && (path.startsWith(`${to}/`) || (to === "/incidents" && path.startsWith("/findings/")));

const nextTheme: Record<string, string> = { auto: "light", light: "dark", dark: "auto" };

function LostBanner() {
  const { state, contactMs } = useStore(connection);
  const said = useStore(zone);
  const lost = state === "lost";
  return (
    <div class="lost-place" role="alert">
      {lost && (
        <p class="lost">
          <Sign of="error" />
          <span>
            <strong>Connection lost</strong>
            {contactMs === null ? ". The daemon does not answer." : `, data from ${clock(contactMs, said)}.`} Trying
            again.
          </span>
        </p>
      )}
    </div>
  );
}

function LiveSign() {
  const { state } = useStore(connection);
  const text = { live: "live", connecting: "connecting", lost: "not live" }[state];
  return <span class={`live live-${state}`}>{text}</span>;
}

function ThemeToggle() {
  const chosen = useStore(theme);
  const next = nextTheme[chosen] ?? "auto";
  return (
    <button
      type="button"
      class="tool"
      title={`Theme: ${chosen}`}
      aria-label={`Theme: ${chosen}. Change to ${next}`}
      onClick={() => theme.set(next)}
    >
      <ThemeIcon theme={chosen} />
    </button>
  );
}

function ZoneToggle() {
  const utc = useStore(zone) === "utc";
  return (
    <button
      type="button"
      class="tool"
      aria-pressed={utc}
      title="Say times in UTC"
      onClick={() => zone.set(utc ? "local" : "utc")}
    >
      UTC
    </button>
  );
}

export function TokenPrompt() {
  const wanted = useStore(tokenWanted);
  const [text, setText] = useState("");
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (wanted && !dialog.current?.open) dialog.current?.showModal();
    if (!wanted && dialog.current?.open) dialog.current.close();
  }, [wanted]);
  const submit = (event: Event) => {
    event.preventDefault();
    if (text.trim() === "") return;
    tokenWanted.set(null);
    token.set("");
    token.set(text.trim());
    setText("");
  };
  return (
    <dialog ref={dialog} aria-labelledby="token-title" onCancel={(event) => event.preventDefault()}>
      <form onSubmit={submit}>
        <h2 id="token-title">This daemon wants a token</h2>
        {wanted?.given && <ProblemBox problem={wanted.problem} />}
        <p>Paste one that its configuration knows. It is kept until this tab is closed.</p>
        <label>
          Token
          <input
            type="password"
            autocomplete="off"
            required
            pattern="\s*[!-~]+\s*"
            title="Letters, digits and signs, as they stand in a header"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <div class="buttons">
          <button type="submit" class="primary">
            Use it
          </button>
        </div>
      </form>
    </dialog>
  );
}

export function Shell({ children }: { children: ComponentChildren }) {
  const path = useStore(place).split("?")[0] ?? "/";
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  // Who listens to the page or moves by keyboard is taken to what the link promised.
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <header class="top">
        <div class="frame">
          <To href="/" class="brand">
            <img src={addressOf("/favicon.svg")} alt="" width="26" height="26" />
            writecanary
          </To>
          <nav aria-label="Pages">
            {places.map(([to, name]) => (
              <To key={to} href={to} current={path === to} class={isWithin(path, to) ? "within" : ""}>
                {name}
              </To>
            ))}
            <To href="/start" current={path === "/start"}>
              Start a run
            </To>
          </nav>
          <div class="tools">
            <LiveSign />
            <ZoneToggle />
            <ThemeToggle />
          </div>
        </div>
      </header>
      <LostBanner />
      <main id="main" class="frame" tabIndex={-1} ref={main}>
        {children}
      </main>
      <Messages />
      <TokenPrompt />
    </>
  );
}
