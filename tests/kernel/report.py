"""Tables of cells for people (text, Markdown) and for programs (JSON)."""

import dataclasses
import json
from typing import Any

COLUMNS = ("kernel", "filesystem", "profile", "verdict", "writes", "exposures", "disarmed", "findings", "first", "as expected")
NUMERIC = frozenset({"writes", "exposures", "disarmed", "first"})


@dataclasses.dataclass
class Cell:
    kernel: str
    filesystem: str
    profile: str
    run: dict[str, Any] | None  # nothing when the guest or the program failed
    problems: list[str]

    def row(self) -> tuple[str, ...]:
        place = (self.kernel, self.filesystem, self.profile)
        ending = "NO" if self.problems else "yes"
        if self.run is None:
            return (*place, "none", "", "", "", "", "", ending)
        counts = self.run["finding_counts"]
        first = self.run["first_finding_seconds"]
        return (*place, self.run["verdict"], str(self.run["writes"]), str(self.run["exposures"]), str(self.run["disarmed"]),
                ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "none",
                "" if first is None else f"{first:.2f} s", ending)


def text(cells: list[Cell]) -> str:
    rows = [COLUMNS, *(cell.row() for cell in cells)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = []
    for row in rows:
        parts = [value.rjust(width) if name in NUMERIC else value.ljust(width)
                 for name, value, width in zip(COLUMNS, row, widths)]
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


def markdown(cells: list[Cell]) -> str:
    rules = ["---:" if name in NUMERIC else "---" for name in COLUMNS]
    rows = [COLUMNS, rules, *(cell.row() for cell in cells)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def as_json(cells: list[Cell], seconds: float) -> str:
    return json.dumps({"seconds": round(seconds, 1), "ok": not any(cell.problems for cell in cells),
                       "cells": [dataclasses.asdict(cell) for cell in cells]}, indent=1) + "\n"
