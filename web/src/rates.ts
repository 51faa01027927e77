// How often something is found, in words.
import { count } from "./format";

// "1 in 480", "2.5 for each": of exposures.
export function rateText(rate: number | null): string {
  if (rate === null || rate === 0) return "not known";
  if (rate >= 0.95 && rate < 1.05) return "every one";
  return rate < 1 ? `1 in ${count(Math.round(1 / rate))}` : `${rate.toFixed(1)} for each`;
}
