"""What was measured, one JSON object a line, in the cache: a run that was broken off goes on where it stopped.

A line is known by the kernel's behaviour (images.Image.variant), filesystem, tool and its program, seed and settings. So it
stays valid when other mutants come or go, and is measured anew when the mutant's own edits or the program change.
"""

import dataclasses
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

import sources

KEY = ("version", "variant", "mutant", "fs", "tool", "program", "settings", "seed")


def default_file() -> Path:
    return sources.cache_directory() / "results.jsonl"


def program_hash(program: Path) -> str:
    return hashlib.sha256(program.read_bytes()).hexdigest()[:16]


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
        self._file = file
        self._lock = threading.Lock()
        self._lines: dict[Place, dict[str, Any]] = {}
        text = file.read_text() if file.exists() else ""
        self._begin = "" if text.endswith("\n") or not text else "\n"
        for one in text.splitlines():
            try:
                line = json.loads(one)
            except json.JSONDecodeError:
                continue  # the last one, when the machine stopped in its middle
            self._lines[Place(*(line[name] for name in KEY))] = line

    def find(self, place: Place) -> dict[str, Any] | None:
        with self._lock:
            return self._lines.get(place)

    def all(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._lines.values())

    def add(self, place: Place, measured: dict[str, Any]) -> dict[str, Any]:
        line = dataclasses.asdict(place) | measured
        with self._lock:
            self._lines[place] = line
            self._file.parent.mkdir(parents=True, exist_ok=True)
            # One write, so that lines of processes that run at the same time do not mix.
            descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, (self._begin + json.dumps(line) + "\n").encode())
                self._begin = ""
            finally:
                os.close(descriptor)
        return line
