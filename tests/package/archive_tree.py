"""The archive and the .rpm under test: where they are, and the same with a higher revision."""

import os
import subprocess
import tarfile
from pathlib import Path

from kernels import Unavailable

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "opt/writecanary"


def newest(pattern: str, variable: str) -> Path:
    """What scripts/archive built last for this machine, or what the variable names. Throws Unavailable."""
    if given := os.environ.get(variable):
        return Path(given)
    found = sorted((ROOT / "build/archive").glob(pattern), key=lambda path: path.stat().st_mtime)
    if not found:
        raise Unavailable(f"build/archive holds no {pattern}; scripts/archive builds it")
    return found[-1]


def newest_archive() -> Path:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    return newest(f"writecanary-*-linux-{machine}.tar.zst", "WRITECANARY_ARCHIVE")


def newest_rpm() -> Path:
    return newest(f"writecanary-*.{os.uname().machine}.rpm", "WRITECANARY_RPM")


def members(archive: Path) -> list[tarfile.TarInfo]:
    with subprocess.Popen(["zstd", "-dc", archive], stdout=subprocess.PIPE) as unpacked:
        with tarfile.open(fileobj=unpacked.stdout, mode="r|") as tar:
            found = list(tar)
    if unpacked.returncode != 0:
        raise OSError(f"zstd cannot read {archive}")
    return found


def rpm_with_revision(archive: Path, version: str, revision: str, directory: Path) -> Path:
    """An .rpm of the archive's tree, as the next build of it would be."""
    machine = "arm64" if "arm64" in archive.name else "amd64"
    tree = directory / "tree"
    tree.mkdir()
    subprocess.run(["tar", "-C", tree, "-xf", archive], check=True)
    made = subprocess.run([ROOT / "packaging/archive/make-rpm", tree, version, revision, machine, directory],
                          capture_output=True, text=True, check=True)
    return Path(made.stdout.strip())
