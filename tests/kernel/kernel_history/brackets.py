"""Where a behaviour begins and ends: kernels in the order of their versions, each with its cell. Pure.

Within a series (6.12) neighbours are one after the other in time; between series they are not: 6.12.43 is younger than 6.15. So a
bracket may go on over the end of a series, but a change is said within one only. Kernels that could not be judged are counted
apart and end no bracket.
"""

import dataclasses
import math
import re
from collections.abc import Iterable

from kernel_archive import versions

from .cell import Cell, interval, told_apart

Row = tuple[str, Cell]  # a kernel's name, and what it did


@dataclasses.dataclass(frozen=True)
class Bracket:
    """Kernels that follow each other and did the same."""

    rows: tuple[Row, ...]

    @property
    def first(self) -> str:
        return self.rows[0][0]

    @property
    def last(self) -> str:
        return self.rows[-1][0]

    @property
    def outcome(self) -> str:
        return self.rows[0][1].outcome

    @property
    def judged(self) -> bool:
        return self.rows[0][1].judged

    @property
    def findings(self) -> int:
        return sum(cell.count for _, cell in self.rows)

    @property
    def exposures(self) -> int:
        return sum(cell.exposures for _, cell in self.rows)


@dataclasses.dataclass(frozen=True)
class Change:
    """Two neighbours of one series that differ."""

    before: Bracket
    after: Bracket
    certain: bool  # by the two kernels' own figures


def series(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """By series, each in the order of its versions."""
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: versions.order(row[0].partition(":")[0])):
        found.setdefault(versions.series(row[0]), []).append(row)
    return found


def within(rows: list[Row]) -> list[Bracket]:
    """Of one series. Where nothing of it could be judged, by what was said instead; else of those that could."""
    judged = [row for row in rows if row[1].judged]
    made: list[list[Row]] = []
    for row in judged or rows:
        if made and made[-1][-1][1].outcome == row[1].outcome:
            made[-1].append(row)
        else:
            made.append([row])
    return [Bracket(tuple(one)) for one in made]


def brackets(rows: Iterable[Row]) -> list[Bracket]:
    """Of all series; a series that begins as the one before ended goes on with its bracket."""
    made: list[Bracket] = []
    for one in series(rows).values():
        for bracket in within(one):
            if made and made[-1].outcome == bracket.outcome:
                made[-1] = Bracket(made[-1].rows + bracket.rows)
            else:
                made.append(bracket)
    return made


def silent(rows: Iterable[Row]) -> list[Row]:
    """The kernels that could not be judged although others of their series could."""
    return [row for one in series(rows).values() if any(other[1].judged for other in one) for row in one if not row[1].judged]


def changes(rows: Iterable[Row]) -> list[Change]:
    """In every series, in the order of the versions."""
    found = []
    for one in series(rows).values():
        made = within(one)
        for before, after in zip(made, made[1:]):
            found.append(Change(before, after, _certain(before.rows[-1][1], after.rows[0][1])))
    return found


def _certain(before: Cell, after: Cell) -> bool:
    # Of each kind of finding that one has and the other not.
    ours, theirs = dict(before.findings), dict(after.findings)
    return any(told_apart((ours.get(kind, 0), before.exposures), (theirs.get(kind, 0), after.exposures))
               for kind in ours.keys() ^ theirs.keys())


def drifts(rows: Iterable[Row]) -> list[tuple[Row, Row]]:
    """Neighbours of one series with the same kinds of finding at rates that can be told apart and differ by a quarter or more."""
    found = []
    for one in series(rows).values():
        for bracket in within(one):
            for before, after in zip(bracket.rows, bracket.rows[1:]):
                if before[1].findings and _far(before[1], after[1]):
                    found.append((before, after))
    return found


def _far(before: Cell, after: Cell) -> bool:
    if not told_apart((before.count, before.exposures), (after.count, after.exposures)):
        return False
    ours, theirs = before.count / before.exposures, after.count / after.exposures
    return min(ours, theirs) < 0.75 * max(ours, theirs)


def sentence(profile: str, filesystem: str, change: Change) -> str:
    """As "append on xfs: duplicate up to 6.12.90-2, clean from 6.12.94-1 (100 of 100 exposed)"."""
    doubt = "" if change.certain else "; by chance as well, going by their figures"
    return (f"{profile} on {filesystem}: {change.before.outcome} up to {change.before.last}, {change.after.outcome} from "
            f"{change.after.first} ({figures(change.before.rows[-1][1])}; {figures(change.after.rows[0][1])}{doubt})")


def figures(cell: Cell) -> str:
    """As "100 findings in 100 exposures"."""
    if not cell.judged:
        return f"{cell.exposures} exposures"
    return f"{cell.count} {'finding' if cell.count == 1 else 'findings'} in {cell.exposures} exposures"


def rate(bracket: Bracket) -> str:
    """Per exposure, with its bounds."""
    if not bracket.exposures or not bracket.judged:
        return ""
    if not bracket.findings:
        return f"below {-math.log(0.05) / bracket.exposures:.1g}"  # the rule of three
    low, high = interval(bracket.findings, bracket.exposures)
    return f"{low:.2f} to {high:.2f}"


def without_figures(reason: str) -> str:
    """A verdict's reason with an ellipsis for each number, by which two of the same kind are the same."""
    return re.sub(r"\b\d[\d.,]*(?=\b)", "…", reason)


def news(rows: Iterable[Row], fresh: set[str]) -> list[tuple[Row, Row]]:
    """Fresh kernels that end otherwise than the kernel before them, of their series if it has one; those that say nothing count too."""
    ordered = [row for one in series(rows).values() for row in one]
    return [(before, row) for before, row in zip(ordered, ordered[1:])
            if row[0] in fresh and row[1].outcome != before[1].outcome]
