"""The package under test: where it is, what it says, and the same with a higher version."""

import os
import platform
import socket
import subprocess
from pathlib import Path

from kernels import Unavailable

ROOT = Path(__file__).resolve().parents[2]


RELEASES = {"bookworm": 12, "trixie": 13}


def this_release() -> str | None:
    """The suite of this machine, if packages are made for it."""
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME")
    return codename if codename in RELEASES else None


def newest_package(suite: str | None = None) -> Path:
    """What scripts/package built last for this machine's architecture, and for the suite if it is given; or
    WRITECANARY_PACKAGE. Throws Unavailable."""
    if given := os.environ.get("WRITECANARY_PACKAGE"):
        return Path(given)
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    pattern = f"writecanary_*~deb{RELEASES[suite] if suite else '*'}u*_{machine}.deb"
    found = sorted((ROOT / "build/package").glob(pattern), key=lambda path: path.stat().st_mtime)
    if not found:
        raise Unavailable(f"build/package holds no {pattern}; scripts/package builds it{f' (--suite {suite})' if suite else ''}")
    return found[-1]


def field(package: Path, name: str) -> str:
    return subprocess.run(["dpkg-deb", "-f", package, name], capture_output=True, text=True, check=True).stdout.strip()


def contents(package: Path) -> dict[str, str]:
    """Every path in the package, without the leading dot, with its permissions and owner ("-rw-r--r-- root/root")."""
    listing = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout
    split = (line.split(None, 5) for line in listing.splitlines())
    return {words[5].removeprefix("."): f"{words[0]} {words[1]}" for words in split}


def unpack(package: Path, directory: Path) -> Path:
    subprocess.run(["dpkg-deb", "-R", package, directory], check=True)
    return directory


def with_revision(package: Path, revision: str, directory: Path) -> Path:
    """The same package with another revision, as the next build of it would be."""
    tree = unpack(package, directory / "tree")
    control = tree / "DEBIAN/control"
    version = field(package, "Version")
    higher = f"{version.rpartition('-')[0]}-{revision}"
    control.write_text(control.read_text().replace(f"Version: {version}", f"Version: {higher}"))
    subprocess.run(["dpkg-deb", "-b", "--root-owner-group", tree, directory], check=True, stdout=subprocess.DEVNULL)
    return next(directory.glob("*.deb"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
