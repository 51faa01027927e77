// Signs beside words: each verdict has a shape of its own, so that colour is never the only difference.
import type { JSX } from "preact";
import type { Verdict } from "../data/types";

const shapes: Record<Verdict | "never" | "running" | "queued" | "known", JSX.Element> = {
  clean: (
    <>
      <circle cx="8" cy="8" r="7" class="fill" />
      <path d="M4.8 8.3l2.2 2.2 4.2-4.6" class="cut" />
    </>
  ),
  corrupt: (
    <>
      <path d="M8 .6L15.4 8 8 15.4.6 8z" class="fill" />
      <path d="M5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2" class="cut" />
    </>
  ),
  violation: (
    <>
      <path d="M8 1.4L14.6 8 8 14.6 1.4 8z" class="line" />
      <path d="M8 4.9v3.7M8 10.9v.2" class="line" />
    </>
  ),
  stuck: (
    <>
      <rect x="1.5" y="1.5" width="13" height="13" rx="2" class="fill" />
      <path d="M5.5 4.5h5L8 8zM5.5 11.5h5L8 8z" class="cut" />
    </>
  ),
  error: (
    <>
      <path d="M8 1.2L15.2 14.4H.8z" class="fill" />
      <path d="M8 6v4M8 12v.4" class="cut" />
    </>
  ),
  interrupted: <path d="M9.5 1L4 9h4l-1.5 6L12 7H8z" class="fill" />,
  unexposed: (
    <>
      <circle cx="8" cy="8" r="6.2" class="line" />
      <path d="M5 8h6" class="line" />
    </>
  ),
  unsupported: (
    <>
      <circle cx="8" cy="8" r="6.2" class="line" />
      <path d="M3.8 12.2l8.4-8.4" class="line" />
    </>
  ),
  stopped: <rect x="3" y="3" width="10" height="10" rx="1.5" class="fill" />,
  never: <circle cx="8" cy="8" r="6.2" class="line dotted" />,
  running: (
    <>
      <circle cx="8" cy="8" r="6.2" class="line faint" />
      <path d="M8 1.8a6.2 6.2 0 0 1 6.2 6.2" class="line" />
    </>
  ),
  queued: <path d="M3 8h.1M8 8h.1M13 8h.1" class="line round" />,
  known: (
    <>
      <circle cx="8" cy="8" r="6.2" class="line" />
      <path d="M8 7.5v3.6M8 4.8v.2" class="line" />
    </>
  ),
};

export function Sign({ of }: { of: keyof typeof shapes }) {
  return (
    <svg class={`sign sign-${of}`} viewBox="0 0 16 16" aria-hidden="true">
      {shapes[of]}
    </svg>
  );
}

export function ThemeIcon({ theme }: { theme: string }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      {theme === "dark" && <path d="M13.5 10A6 6 0 0 1 6 2.5 6 6 0 1 0 13.5 10z" class="fill" />}
      {theme === "light" && (
        <>
          <circle cx="8" cy="8" r="3.2" class="fill" />
          <path
            d="M8 .8v2M8 13.2v2M.8 8h2M13.2 8h2M2.9 2.9l1.4 1.4M11.7 11.7l1.4 1.4M13.1 2.9l-1.4 1.4M4.3 11.7l-1.4 1.4"
            class="line"
          />
        </>
      )}
      {theme === "auto" && (
        <>
          <circle cx="8" cy="8" r="6.2" class="line" />
          <path d="M8 1.8a6.2 6.2 0 0 1 0 12.4z" class="fill" />
        </>
      )}
    </svg>
  );
}
