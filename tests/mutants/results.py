"""What was measured on mutants, in the cache.

A line is known by the kernel's behaviour (images.Image.variant), filesystem, tool and its program, seed and settings. So it
stays valid when other mutants come or go, and is measured anew when the mutant's own edits or the program change.
"""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import sources

sys.path.insert(0, str(Path(__file__).parents[1] / "kernel"))
from measured_lines import MeasuredLines, program_hash  # noqa: E402, F401


def default_file() -> Path:
    return sources.cache_directory() / "results.jsonl"


@dataclasses.dataclass(frozen=True)
class Place:
    """Where and with what something is measured."""

    version: str  # of the kernel's source package
    variant: str
    mutant: int
    fs: str
    tool: str
    program: str  # hash
    settings: str
    seed: int


class Results:
    """Every thread may use it."""

    def __init__(self, file: Path) -> None:
        self._lines = MeasuredLines(file, tuple(field.name for field in dataclasses.fields(Place)))

    def find(self, place: Place) -> dict[str, Any] | None:
        return self._lines.find(dataclasses.asdict(place))

    def all(self) -> list[dict[str, Any]]:
        return self._lines.all()

    def add(self, place: Place, measured: dict[str, Any]) -> dict[str, Any]:
        return self._lines.add(dataclasses.asdict(place) | measured)
