"""Whether a measured line means that the mutant was found, and by which profile or way. Pure data and comparison.

A finding that the same profile makes on the unmutated kernel too (torn appends) says nothing about a mutant: a kind of finding
counts only where the same tool, on the same filesystem, does not report it with mutant 0.
"""

import dataclasses
from typing import Any, Iterable

INCONCLUSIVE = ("unexposed", "unsupported", "error")


@dataclasses.dataclass(frozen=True)
class Discovery:
    by: str  # profile, or way of another tool
    seconds: float | None  # from the beginning of that profile's run
    bytes_written: int | None
    exposures: int | None
    kinds: tuple[str, ...]


Noise = set[tuple[str, str]]  # (profile or way, kind)


def noise(lines: Iterable[dict[str, Any]]) -> Noise:
    """Of lines with mutant 0."""
    return {(found.by, kind) for line in lines for found in _reported(line) for kind in found.kinds}


def discoveries(line: dict[str, Any], of_unmutated: Noise) -> list[Discovery]:
    """The soonest first; empty when the mutant was not found."""
    found = []
    for one in _reported(line):
        kinds = tuple(kind for kind in one.kinds if (one.by, kind) not in of_unmutated)
        if kinds:
            found.append(dataclasses.replace(one, kinds=kinds))
    return sorted(found, key=lambda one: one.seconds if one.seconds is not None else float("inf"))


def inconclusive(line: dict[str, Any]) -> dict[str, str]:
    """Profile -> verdict, of those that could not judge."""
    return {run["profile"]: run["verdict"] for run in line.get("runs", []) if run["verdict"] in INCONCLUSIVE}


def _reported(line: dict[str, Any]) -> list[Discovery]:
    runs = [Discovery(run["profile"], run["first_finding_seconds"], run["bytes_written"], run["exposures"],
                      tuple(sorted(run["finding_counts"])))
            for run in line.get("runs", []) if run["finding_counts"]]
    ways = [Discovery(way["way"], way["seconds"], None, None, ("reported",))
            for way in line.get("ways", []) if way["found"]]
    return runs + ways
