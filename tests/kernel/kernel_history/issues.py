"""core/report/known_issues.json: which kernels were measured to have each bug, and which not to have it. Pure.

A kernel is bad when one of the bug's profiles found one of its kinds on one of its filesystems. It is good when its exposures would
have shown the bug: their bound is below what the bad kernels do at least. Where no kernel is bad nothing can be told apart, and
nothing is said. Kernels go by their upstream version, since users of other distributions have those.
"""

import json
import re
import textwrap
from pathlib import Path
from typing import Any

from kernel_archive import versions

from .cell import Cell, interval
from .summary import Cells

FILE = Path(__file__).parents[3] / "core/report/known_issues.json"


def measured(issue: dict[str, Any], cells: Cells) -> dict[str, list[str]]:
    """Upstream versions, the oldest first; both lists are empty when no kernel was bad."""
    bad: set[str] = set()
    good: set[str] = set()
    for filesystem in issue["filesystems"]:
        for profile in issue["profiles"]:
            of = cells.get((filesystem, profile), {})
            guilty = {name for name, cell in of.items() if _count(issue, cell)}
            findings = sum(_count(issue, of[name]) for name in guilty)
            exposures = sum(of[name].exposures for name in guilty)
            bad |= {versions.upstream(name) for name in guilty}
            if guilty:
                least = interval(findings, exposures)[0]
                good |= {versions.upstream(name) for name, cell in of.items()
                         if cell.judged and cell.exposures and interval(0, cell.exposures)[1] < least}
    return {"bad": sorted(bad, key=versions.order), "good": sorted(good - bad, key=versions.order)}


def renewed(text: str, cells: Cells) -> str:
    """The file with what was measured; nothing else is changed."""
    for issue in json.loads(text):
        found = measured(issue, cells)
        entry = _line("bad", found["bad"]) + ",\n" + _line("good", found["good"]) if found["bad"] else ""
        measured_entry = f'    "measured": {{\n{entry}}},\n' if entry else ""
        text = re.sub(rf'("id": "{re.escape(issue["id"])}".*?"stable_fixes": \[[^\]]*\],\n)(?:    "measured": \{{.*?\}},\n)?',
                      lambda match: match[1] + measured_entry, text, count=1, flags=re.DOTALL)
    return text


def _count(issue: dict[str, Any], cell: Cell) -> int:
    return sum(count for kind, count in cell.findings if kind in issue["kinds"])


def _line(name: str, names: list[str]) -> str:
    listed = textwrap.wrap(", ".join(f'"{one}"' for one in names), 110)
    return f'      "{name}": [' + "\n               ".join(listed) + "]"
