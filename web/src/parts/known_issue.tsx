// What is known of a kernel release without any run: never to be taken for a measurement.
import type { KnownIssue as Issue } from "../data/types";
import { Sign } from "./icons";

export function KnownIssue({ issue, tag }: { issue: Issue; tag: string }) {
  return (
    <li class="notice quiet">
      <Sign of="known" />
      <span>
        <span class="tag">{tag}</span> {issue.text} {issue.advice}
      </span>
    </li>
  );
}
