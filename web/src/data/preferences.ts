// What the reader chose, kept in this browser: the theme, and whether times are said in the reader's zone or in UTC.
import { createKeptStore, keeper } from "./store";

export const theme = createKeptStore(keeper("localStorage"), "theme", "auto"); // "auto", "light", "dark"
export const zone = createKeptStore(keeper("localStorage"), "zone", "local"); // "local", "utc"

export function applyTheme(): void {
  const apply = () => {
    if (theme.get() === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.get();
  };
  theme.watch(apply);
  apply();
}
