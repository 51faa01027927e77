"""What programs need of the Debian that they were built on: shared libraries, and the packages that these are of.

Nothing is executed, so programs of another architecture are read as well.
"""

import re
import subprocess
from pathlib import Path


class Missing(Exception):
    """A library that is not here, or that nobody knows the origin of; the text says what to do."""


def _output_of(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def needed(file: Path) -> list[str]:
    return re.findall(r"\(NEEDED\).*\[(.*)\]", _output_of("readelf", "-d", "-W", file))


def loader(program: Path) -> str:
    """The name of the loader that the program asks for: "ld-linux-aarch64.so.1"."""
    found = re.search(r"interpreter: (\S+)\]", _output_of("readelf", "-l", "-W", program))
    if not found:
        raise Missing(f"{program} asks for no loader: it is no dynamic program")
    return Path(found.group(1)).name


def find(name: str, triplet: str) -> Path:
    for directory in (f"/lib/{triplet}", f"/usr/lib/{triplet}"):
        if (path := Path(directory, name)).exists():
            return path
    raise Missing(f"no {name} in /lib/{triplet} or /usr/lib/{triplet}; install its package of that architecture")


def closure(programs: list[Path], triplet: str) -> dict[str, Path]:
    """Name -> file of every library that one of the programs needs, directly or through others, and of the loader."""
    found: dict[str, Path] = {}
    names = [name for program in programs for name in (loader(program), *needed(program))]
    while names:
        if (name := names.pop()) not in found:
            found[name] = find(name, triplet)
            names += needed(found[name])
    return found


def package_of(file: Path) -> str:
    """As dpkg-query wants it: "libc6:arm64"."""
    real = file.resolve()
    # On a merged /usr, dpkg knows some files by their former place.
    for path in (real, Path(str(real).removeprefix("/usr"))):
        done = subprocess.run(["dpkg-query", "-S", path], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.rpartition(": ")[0]
    raise Missing(f"{real} is of no package, so its licence and version are not known")
