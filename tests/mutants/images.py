"""Builds the kernel that has every mutant of the catalogue in it, and keeps it by a hash of all that it was made of.

The object tree stays where it is: after a change of the catalogue only what the change touches is compiled again.
"""

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Iterable

import edits
import sources
from catalogue import Mutant
from sources import Source, Unavailable

CONFIG = Path(__file__).with_name("kernel.config")
BUILT = "arch/x86/boot/bzImage"
NEEDED = {"make": "make", "gcc": "gcc", "flex": "flex", "bison": "bison", "bc": "bc"}  # program -> package
# Two builds of the same source are the same, and say what they are.
IDENTITY = {"KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970", "KBUILD_BUILD_USER": "writecanary",
            "KBUILD_BUILD_HOST": "mutants", "KBUILD_BUILD_VERSION": "1", "LOCALVERSION": "-mutants"}


@dataclasses.dataclass(frozen=True)
class Image:
    path: Path
    series: str
    version: str  # of the source package

    @property
    def build(self) -> str:
        """The hash of all that it was made of."""
        return self.path.parent.name

    def variant(self, mutant: Mutant | None) -> str:
        """The hash of what makes this kernel behave as it does while only this mutant is awake. It stays the same when
        other mutants come or go, so what was measured stays true."""
        return _hash(self.version, CONFIG.read_text(), _described([mutant] if mutant else [], self.series))


def obtain(series: str, mutants: list[Mutant]) -> Image:
    """Built on first use, which takes some twenty minutes of processor time. Throws Unavailable, EditError, BuildFailed."""
    with sources.locked(series):
        source = sources.obtain(series)
        build = _hash(source.version, CONFIG.read_text(), _described(mutants, series))
        image = source.images / build / "bzImage"
        if not image.is_file():
            edits.Tree(source.tree, source.originals).apply(mutants, series)
            _build(source)
            image.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source.tree / BUILT, image.with_suffix(".partly"))
            image.with_suffix(".partly").rename(image)
        return Image(image, series, source.version)


class BuildFailed(Exception):
    """The compiler or the configuration refused; the text ends with the last lines of what they said."""


def _described(mutants: Iterable[Mutant], series: str) -> list[Any]:
    return [[mutant.number, [dataclasses.astuple(edit)[:5] for edit in mutant.edits_for(series)]]
            for mutant in mutants if mutant.edits_for(series)]


def _hash(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _build(source: Source) -> None:
    missing = [package for program, package in NEEDED.items() if not shutil.which(program)]
    if missing:
        raise Unavailable(f"to build a kernel these packages are missing: {' '.join(missing)} (scripts/setup --mutants)")
    wanted = CONFIG.read_text()
    stamp = source.directory / "config"
    if not stamp.exists() or stamp.read_text() != wanted:
        _make(source, "allnoconfig", f"KCONFIG_ALLCONFIG={CONFIG}")
        _check_config(source.tree, wanted)
        stamp.write_text(wanted)
    _make(source, f"-j{os.cpu_count()}", "bzImage")


def _make(source: Source, *arguments: str) -> None:
    compiler = "ccache gcc" if shutil.which("ccache") else "gcc"
    log = source.directory / "build.log"
    with open(log, "wb") as output:
        done = subprocess.run(["nice", "-n", "10", "make", "-C", source.tree, f"CC={compiler}", *arguments],
                              env=os.environ | IDENTITY, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    if done.returncode != 0:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        raise BuildFailed(f"make {' '.join(arguments)} failed in {source.tree}:\n{last}")


def _check_config(tree: Path, wanted: str) -> None:
    """An option that cannot be had would silently leave a path of the kernel out. One that this series does not know is
    none of its paths."""
    got = set((tree / ".config").read_text().splitlines())
    known = set()
    for file in tree.rglob("Kconfig*"):
        known |= {line.split()[1] for line in file.read_text(errors="replace").splitlines()
                  if line.startswith(("config ", "menuconfig "))}
    refused = [line for line in wanted.splitlines() if line.startswith("CONFIG_") and line not in got
               and line.removeprefix("CONFIG_").partition("=")[0] in known]
    if refused:
        raise BuildFailed(f"{tree}: the configuration does not take {' '.join(refused)} ({CONFIG})")
