"""What was measured, one JSON object a line, in the user's cache: a second call runs only what is new.

A line is known by the kernel's bytes, the probe's, filesystem, profile and settings. Several processes may add lines at once.
"""

import fcntl
import hashlib
import json
import threading
from pathlib import Path
from typing import Any

KEY = ("key", "probe", "fs", "profile", "settings")
Line = dict[str, Any]


def program_hash(program: Path) -> str:
    return hashlib.sha256(program.read_bytes()).hexdigest()[:16]


class Results:
    """Every thread may use it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lines: dict[tuple[str, ...], Line] = {}
        self._lock = threading.Lock()
        for text in file.read_text().splitlines() if file.exists() else []:
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                continue  # the machine stopped in the middle of it
            self._lines[self._place(line)] = line

    def find(self, **place: str) -> Line | None:
        return self._lines.get(self._place(place))

    def all(self) -> list[Line]:
        """In the order in which they were measured."""
        return list(self._lines.values())

    def add(self, line: Line) -> None:
        with self._lock:
            self._lines.pop(self._place(line), None)
            self._lines[self._place(line)] = line
        with open(self._file, "ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0, 2)
            if file.tell():
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write(json.dumps(line).encode() + b"\n")

    @staticmethod
    def _place(line: Line) -> tuple[str, ...]:
        return tuple(line[name] for name in KEY)
