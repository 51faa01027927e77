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

// Filters of these names: their values, what binds a choice to one of them, and whether any is set.
export function useFilters<Name extends string>(...names: Name[]) {
  const [query, change] = useQuery();
  const values = Object.fromEntries(names.map((name) => [name, query.get(name) ?? ""])) as Record<Name, string>;
  const bind = (name: Name) => ({
    value: values[name],
    onChoice: (chosen: string) => change({ [name]: chosen }),
  });
  return { values, bind, narrowed: names.some((name) => values[name] !== "") };
}
