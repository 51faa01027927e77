// What is known of a kernel release without any run: never to be taken for a measurement.
import type { KnownIssue as Issue } from "../data/types";
import { counted } from "../format";
import { Sign } from "./icons";

export function KnownIssue({ issue, tag }: { issue: Issue; tag?: string }) {
  return (
    <li class="notice quiet">
      <Sign of="known" />
      <span>
        {tag && <span class="tag">{tag}</span>} {issue.text} {issue.advice}
      </span>
    </li>
  );
}

// Folded: they are long, and nothing that was measured.
export function KnownIssues({ issues, of }: { issues: Issue[]; of: string }) {
  if (issues.length === 0) return null;
  return (
    <details class="known">
      <summary>
        {counted(issues.length, "known issue")} <span class="quiet">of {of}, not measured</span>
      </summary>
      <ul class="notices">
        {issues.map((issue) => (
          <KnownIssue key={issue.id} issue={issue} />
        ))}
      </ul>
    </details>
  );
}
