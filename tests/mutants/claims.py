"""What must hold of measured lines: a mutant is found by a profile that claims it, and the unmutated kernel is right."""

from typing import Any

import judgement
from catalogue import Mutant

# What kernels in use do, so that mutant 0 has it too: docs/how-it-works.md, core/report/known_issues.json.
REAL = frozenset({"torn"})


def broken(lines: list[dict[str, Any]], mutants: list[Mutant]) -> list[str]:
    """In words, each claim of which no line of the canary is a proof, and each finding on the unmutated kernel."""
    lines = [line for line in lines if line["tool"] == "canary"]
    unmutated = [line for line in lines if line["mutant"] == 0]
    wrong = [f"mutant 0 on {line['fs']}, seed {line['seed']}: {one.by} finds {', '.join(set(one.kinds) - REAL)}"
             for line in unmutated for one in judgement.reported(line) if set(one.kinds) - REAL]
    wrong += [f"mutant 0 on {line['fs']}, seed {line['seed']}: {line['ended']} {line.get('error', '')}"
              for line in unmutated if line["ended"] != "done" or "error" in line]
    for mutant in mutants:
        own = [line for line in lines if line["mutant"] == mutant.number]
        if not own or not mutant.claimed_by:
            continue
        found = {one.by for line in own for one in judgement.discoveries(
            line, judgement.unmutated(other for other in unmutated if other["fs"] == line["fs"]))}
        if not found & set(mutant.claimed_by):
            by = f", only by {', '.join(sorted(found))}" if found else ""
            wrong.append(f"mutant {mutant.number} {mutant.name}: not found by {' or '.join(mutant.claimed_by)}{by}")
    return wrong
