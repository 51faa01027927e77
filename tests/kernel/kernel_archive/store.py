"""Kernels that were unpacked, by their hash, in the user's cache. Several processes may use it at once.

What was unpacked once is kept with what the index said of it: a kernel that has left the archive can still be had.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from . import index, versions
from .apt import Apt, Unavailable
from .index import Build

DESCRIPTION = "build.json"
UPDATED = "index.json"


def directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "writecanary-kernels"


def known(newer_than_seconds: float | None = None) -> list[Build]:
    """The kernels of the archive and of the cache, the oldest first. The archive's indices are read anew when there are none
    or, if an age is given, when they are older. Throws Unavailable."""
    kept = directory() / UPDATED
    if _is_older(kept, newer_than_seconds):
        with _lock("apt"):
            if _is_older(kept, newer_than_seconds):
                _update(kept)
    found = [index.from_json(entry) for entry in json.loads(kept.read_text())]
    keys = {build.key for build in found}
    found += [build for build in cached() if build.key not in keys]
    return sorted(found, key=lambda build: (versions.order(build.version), index.FLAVOURS.index(build.flavour)))


def _is_older(kept: Path, seconds: float | None) -> bool:
    return not kept.exists() or (seconds is not None and time.time() - kept.stat().st_mtime > seconds)


def cached() -> list[Build]:
    """What is unpacked, in no particular order. Suites are those of that day."""
    return [index.from_json(json.loads(path.read_text())) for path in directory().glob(f"builds/*/{DESCRIPTION}")]


def tree(build: Build) -> Path:
    """Where its files are, unpacked; fetched when they are not there yet. Throws Unavailable."""
    place = directory() / "builds" / f"{build.version}-{build.flavour}-{build.key}"
    if not (place / DESCRIPTION).exists():
        with _lock(place.name):
            if not (place / DESCRIPTION).exists():
                _unpack(build, place)
    return place


def is_here(build: Build) -> bool:
    return (directory() / "builds" / f"{build.version}-{build.flavour}-{build.key}" / DESCRIPTION).exists()


def _update(kept: Path) -> None:
    apt = Apt(directory() / "apt")
    try:
        apt.update()
    except Unavailable:
        # Of a mirror that has some of the suites only, those are read; and without a network, the lists of last time.
        if not apt.indices():
            raise
    _write(kept, json.dumps([build.as_json() for build in index.builds(apt.indices())], indent=1))


def _unpack(build: Build, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    apt = Apt(directory() / "apt")
    with tempfile.TemporaryDirectory(prefix="unpacking-", dir=directory()) as temporary:
        root = Path(temporary, "tree")
        for part in build.parts:
            package = Path(temporary, "package.deb")
            apt.fetch(part.url, part.sha256, package)
            done = subprocess.run(["dpkg-deb", "-x", package, root], capture_output=True, text=True)
            if done.returncode != 0:
                raise Unavailable(f"unpacking {part.name}: {done.stderr.strip()}")
            package.unlink()
        _write(root / DESCRIPTION, json.dumps(build.as_json(), indent=1))
        shutil.rmtree(place, ignore_errors=True)
        root.rename(place)


def _write(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(path)


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    locks = directory() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with open(locks / name, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
