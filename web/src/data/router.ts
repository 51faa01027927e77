// The address bar as a store. Every place in the page has a path of its own that can be shared; the daemon answers each of
// them with the page.
import { addressOf, placeAt } from "./base";
import { createStore } from "./store";

function here(): string {
  return placeAt(location.pathname) + location.search;
}

export const place = createStore(here());

export function go(to: string, options: { replace?: boolean } = {}): void {
  if (to === place.get()) return;
  const elsewhere = to.split("?")[0] !== placeAt(location.pathname);
  if (options.replace) history.replaceState(null, "", addressOf(to));
  else history.pushState(null, "", addressOf(to));
  place.set(here());
  if (elsewhere) scrollTo(0, 0);
}

export function startRouting(): void {
  addEventListener("popstate", () => place.set(here()));
  document.addEventListener("click", (event) => {
    const link = (event.target as Element | null)?.closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const ours = link.origin === location.origin && link.dataset.page !== undefined && !link.target;
    if (!ours) return;
    event.preventDefault();
    go(placeAt(link.pathname) + link.search);
  });
}
