"""What was measured, one JSON object a line, in the user's cache: a second call runs only what is new.

A line is known by some of its fields, its key; the last one with a key counts. Every thread, and several processes, may use a file.
"""

import fcntl
import hashlib
import json
import threading
from pathlib import Path
from typing import Any

Line = dict[str, Any]


def program_hash(program: Path) -> str:
    """What a line is kept under: a program that was built anew is measured anew."""
    return hashlib.sha256(program.read_bytes()).hexdigest()[:16]


class MeasuredLines:
    def __init__(self, file: Path, key: tuple[str, ...]) -> None:
        self._file = file
        self._key = key
        self._lines: dict[tuple[Any, ...], Line] = {}
        self._lock = threading.Lock()
        for text in file.read_text().splitlines() if file.exists() else []:
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                continue  # the machine stopped in the middle of it
            self._keep(line)

    def find(self, place: Line) -> Line | None:
        """The line with the key that is in `place`, which may have more fields."""
        with self._lock:
            return self._lines.get(self._place(place))

    def all(self) -> list[Line]:
        """In the order in which they were measured."""
        with self._lock:
            return list(self._lines.values())

    def add(self, line: Line) -> Line:
        with self._lock:
            self._keep(line)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with open(self._file, "ab+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0, 2)
                if file.tell():
                    file.seek(-1, 2)
                    if file.read(1) != b"\n":
                        file.write(b"\n")
                file.write(json.dumps(line).encode() + b"\n")
        return line

    def _keep(self, line: Line) -> None:
        self._lines.pop(self._place(line), None)
        self._lines[self._place(line)] = line

    def _place(self, line: Line) -> tuple[Any, ...]:
        return tuple(line[name] for name in self._key)
