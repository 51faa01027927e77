"""One kernel, one filesystem, one profile: what was seen, and how far its rate can be told from another's. Pure.

Findings are taken as Poisson and an interval has 95 % confidence, as everywhere in this project (core/base/rates.h).
"""

import dataclasses
import math
from typing import Any

BAD = ("corrupt", "violation")
# What is said of a kernel where nothing could be judged.
SILENT = ("unexposed", "unsupported", "error", "not booted", "guest died")


@dataclasses.dataclass(frozen=True)
class Cell:
    verdict: str
    exposures: int
    findings: tuple[tuple[str, int], ...]  # kind and count, by kind
    reason: str = ""

    @property
    def outcome(self) -> str:
        """The kinds of finding, or the verdict."""
        return " and ".join(kind for kind, _ in self.findings) or self.verdict

    @property
    def judged(self) -> bool:
        return self.verdict not in SILENT

    @property
    def count(self) -> int:
        return sum(count for _, count in self.findings)


def of_line(line: dict[str, Any]) -> Cell:
    return Cell(line["verdict"], line.get("exposures", 0), tuple(sorted(line.get("finding_counts", {}).items())), line["reason"])


def problems(cell: Cell) -> list[str]:
    """In words, what a table may never say."""
    found = []
    if cell.verdict == "clean" and (not cell.exposures or cell.findings):
        found.append(f"clean with {cell.exposures} exposures and {cell.count} findings")
    if cell.verdict in BAD and not cell.findings:
        found.append(f"{cell.verdict} without a finding")
    if cell.verdict in SILENT and not cell.reason:
        found.append(f"{cell.verdict} without a reason")
    return found


def interval(findings: int, exposures: int) -> tuple[float, float] | None:
    """Of findings per exposure; nothing without exposures."""
    if not exposures:
        return None
    low = _half_chi_squared(findings, -_QUANTILE) if findings else 0.0
    return low / exposures, _half_chi_squared(findings + 1, _QUANTILE) / exposures


def told_apart(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two rates, each findings and exposures, have intervals with nothing in common."""
    first, second = interval(*one), interval(*other)
    return bool(first and second) and (first[1] < second[0] or second[1] < first[0])


_QUANTILE = 1.959964  # of the normal distribution, 97.5 %


def _half_chi_squared(count: int, quantile: float) -> float:
    # After Wilson and Hilferty, but where that is far off, which is for 1: exactly.
    if count == 1:
        return -math.log(0.025 if quantile > 0 else 0.975)
    return count * (1 - 1 / (9 * count) + quantile / (3 * math.sqrt(count))) ** 3
