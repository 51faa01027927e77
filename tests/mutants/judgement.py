"""Whether a measured line means that the mutant was found, and by which profile or way. Pure data and comparison.

A finding that the same profile makes on the unmutated kernel too (torn appends) says nothing about a mutant: a kind of finding
counts only where the same tool, on the same filesystem, does not report it with mutant 0. Where mutant 0 was not measured nobody
knows, and it does not count either.
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


@dataclasses.dataclass(frozen=True)
class Unmutated:
    """What one tool said of mutant 0 on one filesystem."""

    measured: frozenset[str] = frozenset()  # profiles or ways
    reported: frozenset[tuple[str, str]] = frozenset()  # of them, with the kind


def unmutated(lines: Iterable[dict[str, Any]]) -> Unmutated:
    """Of lines with mutant 0."""
    lines = list(lines)
    return Unmutated(frozenset(name for line in lines for name in tried(line)),
                     frozenset((found.by, kind) for line in lines for found in reported(line) for kind in found.kinds))


def discoveries(line: dict[str, Any], on_unmutated: Unmutated) -> list[Discovery]:
    """The soonest first; empty when the mutant was not found."""
    found = []
    for one in reported(line):
        kinds = tuple(kind for kind in one.kinds if (one.by, kind) not in on_unmutated.reported)
        if kinds and one.by in on_unmutated.measured:
            found.append(dataclasses.replace(one, kinds=kinds))
    return sorted(found, key=lambda one: one.seconds if one.seconds is not None else float("inf"))


def tried(line: dict[str, Any]) -> set[str]:
    """Profiles or ways."""
    return {run["profile"] for run in line.get("runs", [])} | {way["way"] for way in line.get("ways", [])}


def inconclusive(line: dict[str, Any]) -> dict[str, str]:
    """Profile -> verdict, of those that could not judge."""
    return {run["profile"]: run["verdict"] for run in line.get("runs", []) if run["verdict"] in INCONCLUSIVE}


def reported(line: dict[str, Any]) -> list[Discovery]:
    """All that was said, whatever mutant 0 does."""
    runs = [Discovery(run["profile"], run["first_finding_seconds"], run["bytes_written"], run["exposures"],
                      tuple(sorted(run["finding_counts"])))
            for run in line.get("runs", []) if run["finding_counts"]]
    ways = [Discovery(way["way"], way["seconds"], None, None, ("reported",))
            for way in line.get("ways", []) if way["found"]]
    return runs + ways
