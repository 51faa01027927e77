// Numbers, sizes and times in words. Everything exact stays exact: what is rounded for reading has its exact value in a
// title.

const whole = new Intl.NumberFormat("en");

export const count = (value: number): string => whole.format(value);

export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

// "a, b and c".
export const listing = (names: readonly string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

export const total = (counts: Record<string, number> | undefined): number =>
  Object.values(counts ?? {}).reduce((sum, value) => sum + value, 0);

export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1).replace(".0", "")} ${units[unit]}`;
}

export function seconds(value: number): string {
  if (value < 0.9995) return `${Math.round(value * 1000)} ms`;
  if (value < 10 && !Number.isInteger(value)) return `${value.toFixed(1)} s`;
  if (value < 120) return `${Math.round(value)} s`;
  const minutes = Math.round(value / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(value / 3600);
  return hours < 48 ? `${hours} h` : `${Math.round(value / 86_400)} d`;
}

// "3 min ago", "in 2 h", "now".
export function relative(iso: string, nowMs: number): string {
  const away = (Date.parse(iso) - nowMs) / 1000;
  if (Math.abs(away) < 5) return "now";
  const text = seconds(Math.max(1, Math.round(Math.abs(away))));
  return away < 0 ? `${text} ago` : `in ${text}`;
}

const timeParts: Intl.DateTimeFormatOptions = {
  ...({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" } as const),
  ...({ second: "2-digit", hourCycle: "h23", timeZoneName: "short" } as const),
};
// Made once: making one takes longer than all else that is done with it.
const inUtc = new Intl.DateTimeFormat("en-GB", { ...timeParts, timeZone: "UTC" });
const inReadersZone = new Intl.DateTimeFormat("en-GB", timeParts);

// "2026-06-04 14:46:33 UTC", or with the reader's zone.
export function exact(iso: string | number, zone: string): string {
  const parts = (zone === "utc" ? inUtc : inReadersZone).formatToParts(new Date(iso));
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? "";
  const day = `${part("year")}-${part("month")}-${part("day")}`;
  return `${day} ${part("hour")}:${part("minute")}:${part("second")} ${part("timeZoneName")}`;
}

export const clock = (ms: number, zone: string): string => exact(ms, zone).slice(11, 19);
export const day = (ms: number, zone: string): string => exact(ms, zone).slice(0, 10);

export const hex = (value: number): string => `0x${value.toString(16)}`;

// "0.000030", but "3.0e-7" when that would be all zeros.
export function rate(value: number): string {
  if (value === 0) return "0";
  if (value >= 0.0001) return value.toPrecision(2);
  const [digits, exponent] = value.toExponential(1).split("e");
  return `${digits} × 10${superscript(Number(exponent))}`;
}

function superscript(value: number): string {
  return [...String(value)].map((sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(sign)])).join("");
}

export const words = (name: string): string => name.replaceAll("_", " ");
