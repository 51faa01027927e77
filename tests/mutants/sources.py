"""Debian's kernel sources: fetched by package name, unpacked once, kept outside the source tree of this project.

A source is known by its series ("6.1": the package linux-source-6.1). Nothing is installed, nothing is vendored. To take a
newer version of a package, remove the directory of the old one from the cache.
"""

import contextlib
import dataclasses
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator

sys.path.insert(0, str(Path(__file__).parents[1] / "kernel"))
from kernels import Unavailable  # noqa: E402

SERIES = re.compile(r"\d+\.\d+")


@dataclasses.dataclass(frozen=True)
class Source:
    series: str  # "6.1"
    directory: Path  # named after package and version: linux-source-6.1_6.1.192-2

    @property
    def version(self) -> str:
        return self.directory.name.partition("_")[2]

    @property
    def tree(self) -> Path:
        return self.directory / "tree"

    @property
    def originals(self) -> Path:
        return self.directory / "originals"

    @property
    def images(self) -> Path:
        return self.directory / "images"


def cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "writecanary-mutants"


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Only one process at a time is inside, of all that use this cache."""
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def obtain(series: str) -> Source:
    """The unpacked source, downloaded on first use. The caller holds the lock of that series. Throws Unavailable."""
    if not SERIES.fullmatch(series):
        raise Unavailable(f"{series!r} is no series of kernels; they are called 6.1 or 6.12")
    package = f"linux-source-{series}"
    present = [path for path in cache_directory().glob(f"{package}_*") if (path / "tree").is_dir()]
    if present:
        return Source(series, max(present, key=lambda path: path.stat().st_mtime))
    with tempfile.TemporaryDirectory(prefix=f"{package}-", dir=cache_directory()) as scratch:
        archive = _download(package, Path(scratch))
        directory = cache_directory() / archive.name.rpartition("_")[0]
        _unpack(archive, package, Path(scratch))
        directory.mkdir(exist_ok=True)
        (Path(scratch) / "tree").rename(directory / "tree")
    return Source(series, directory)


def _download(package: str, directory: Path) -> Path:
    if not shutil.which("apt-get"):
        raise Unavailable(f"no apt-get here to download {package} with")
    done = subprocess.run(["apt-get", "-qq", "download", package], cwd=directory, capture_output=True, text=True)
    found = list(directory.glob("*.deb"))
    if done.returncode != 0 or not found:
        detail = (done.stderr.strip().splitlines() or ["no .deb came"])[-1]
        raise Unavailable(f"apt-get download {package}: {detail}. Try `apt-get update`")
    return found[0]


def _unpack(archive: Path, package: str, directory: Path) -> None:
    """Leaves the source in `directory`/tree."""
    subprocess.run(["dpkg-deb", "-x", archive, directory / "package"], check=True)
    sources = next((directory / "package/usr/src").glob(f"{package}.tar.*"))
    (directory / "tree").mkdir()
    subprocess.run(["tar", "-xf", sources, "-C", directory / "tree", "--strip-components=1"], check=True)
