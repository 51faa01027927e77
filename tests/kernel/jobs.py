"""What runs inside a guest: shell text that calls the real programs, and the reading of what it leaves behind.

Each run of `writecanary check` leaves NAME.json, NAME.err and NAME.exit in /results.
"""

import dataclasses
import itertools
import json
import shlex
from pathlib import Path
from typing import Any

import expectations
from guest import Job, Result, Unavailable

REPOSITORY = Path(__file__).resolve().parents[2]
BINARIES = REPOSITORY / "build/release/bin"
CHATTR = Path("/usr/bin/chattr")

# How many writes tell enough. Concurrent appenders meet only by chance, so there it is a time that is given.
LIMITS = {"append-concurrent": "--duration 8s"}
DEFAULT_LIMITS = "--writes 200 --duration 30s"

KEPT = "kept"
EVIDENCE = ".evidence.json"  # what the probe calls the document beside a kept file

CHECK = """check() {
  name=$1; shift
  writecanary check /mnt/test "$@" --json >"/results/$name.json" 2>"/results/$name.err"
  echo $? >"/results/$name.exit"
}
"""


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of one profile as it came out of the guest."""

    name: str
    exit_code: int
    document: dict[str, Any] | None  # what `check --json` printed; nothing when that was no JSON
    errors: str

    def run(self) -> dict[str, Any] | None:
        return self.document["runs"][0] if self.document and self.document.get("runs") else None


def programs(directory: Path, names: tuple[str, ...] = ("writecanary", "writecanary-probe")) -> list[Path]:
    """The project's own programs, built for release. Throws FileNotFoundError."""
    found = [directory / name for name in names]
    for program in found:
        if not program.is_file():
            raise FileNotFoundError(f"{program} is missing; build it with: cmake --preset release && "
                                    "cmake --build --preset release")
    return found


def kept_file_run(kernel: str, filesystem: str, profiles: list[str]) -> bool:
    """Whether the job has a run more, whose damaged files are brought out and judged again by evidence.py."""
    return filesystem == "xfs" and kernel in expectations.AFFECTED and "append" in profiles


def matrix_job(kernel: str, filesystem: str, profiles: list[str], binaries: list[Path]) -> Job:
    """Every profile once, in turn, on one fresh filesystem."""
    checks = [f"check {name} --profile {name} {LIMITS.get(name, DEFAULT_LIMITS)}" for name in profiles]
    if kept_file_run(kernel, filesystem, profiles):
        checks.append(f"check {KEPT} --profile append --writes 60 --duration 30s --keep-evidence /results/{KEPT}")
    return checks_job(kernel, filesystem, checks, binaries, timeout_seconds=240)


def repeat_job(kernel: str, filesystem: str, count: int, binaries: list[Path]) -> Job:
    """Short runs that must find nothing: seeds, profiles and memory limits vary, and with the seed the sizes."""
    settings = itertools.cycle(itertools.product(("append", "nowait-contract", "offset", "append-async"),
                                                 ("32MiB", "64MiB", "128MiB")))
    checks = [f"check {number}-{profile} --profile {profile} --memory {memory} --seed {number + 1} --writes 40 --duration 30s"
              for number, (profile, memory) in zip(range(count), settings)]
    return checks_job(kernel, filesystem, checks, binaries, timeout_seconds=60 + 10 * count)


def held_job(kernel: str, filesystem: str, profiles: list[str], seeds: int | None, binaries: list[Path]) -> Job:
    """Every profile once, for as long as it takes; or with default settings, and that many seeds."""
    runs = itertools.product(profiles, range(1, (seeds or 1) + 1))
    limit = "" if seeds else "--duration 120s"
    checks = [f"check {profile}@{seed} --profile {profile} --seed {seed} {limit}" for profile, seed in runs]
    return checks_job(kernel, filesystem, checks, binaries, timeout_seconds=60 + 150 * len(checks))


def results(result: Result) -> dict[str, Run]:
    """By name, in no particular order."""
    names = {Path(name).stem for name in result.files if name.endswith(".exit")}
    return {name: _read(result, name) for name in names}


def kept_files(result: Result) -> dict[str, tuple[bytes, dict[str, Any]]]:
    """Name of each kept file -> its contents and the log of its writes."""
    files = {name: name.removesuffix(EVIDENCE) for name in result.files if name.endswith(EVIDENCE)}
    return {Path(file).name: (result.files[file], json.loads(result.files[evidence])["parts"]["log"])
            for evidence, file in files.items() if file in result.files}


def _read(result: Result, name: str) -> Run:
    try:
        document = json.loads(result.files[f"{name}.json"])
    except json.JSONDecodeError:
        document = None
    return Run(name, int(result.files[f"{name}.exit"]), document, result.files[f"{name}.err"].decode(errors="replace"))


def checks_job(kernel: str, filesystem: str, checks: list[str], binaries: list[Path], timeout_seconds: float) -> Job:
    """Lines of shell, each a call of check() or something else, on one fresh filesystem."""
    programs, lines = list(binaries), [CHECK]
    if filesystem == "btrfs-nocow":
        # New files and directories inherit the flag from the directory they are made in.
        if not CHATTR.exists():
            raise Unavailable(f"{CHATTR} is missing; install the package e2fsprogs")
        programs.append(CHATTR)
        lines.append(f"chattr +C {shlex.quote('/mnt/test')}")
    return Job(kernel=kernel, filesystem=filesystem.removesuffix("-nocow"), command="\n".join(lines + checks),
               programs=programs, timeout_seconds=timeout_seconds)
