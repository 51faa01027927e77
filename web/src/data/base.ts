// Where the page lies on its server: "/", or the path under which a proxy shows it. The script's own address tells;
// nothing has to be configured. Everything else here names places as if the page lay at "/".
const base = new URL(".", import.meta.url).pathname;

// The address of a place, of a call or of a file of the page.
export const addressOf = (place: string): string => base + place.slice(1);

// The place that an address of this page stands for.
export const placeAt = (pathname: string): string =>
  pathname.startsWith(base) ? `/${pathname.slice(base.length)}` : pathname;
