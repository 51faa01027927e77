// The query of the address as the state of filters: what one sees can be shared, and the way back works.
import { queryText } from "./client";
import { go, place } from "./router";
import { useStore } from "./store";

export function useQuery(): [URLSearchParams, (changes: Record<string, string>) => void] {
  const [path = "/", text = ""] = useStore(place).split("?");
  const query = new URLSearchParams(text);
  const change = (changes: Record<string, string>) => {
    go(path + queryText({ ...Object.fromEntries(query), ...changes }), { replace: true });
  };
  return [query, change];
}
