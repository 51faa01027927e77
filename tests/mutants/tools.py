"""The tools that are tried on the mutants: what each runs in the guest, and how it says that it found something.

Every tool gets a fresh guest and about the same time. What it leaves in /results is read here, into plain data that is kept
(results.py); whether that means "found" is decided when the table is made (judgement.py), which needs the unmutated kernel.

The witness (witness/) is none of them: it is told what to look for. It proves that a mutant can be seen at all.
"""

import dataclasses
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any, Callable

from filesystems import MOUNTED, Setup

sys.path.insert(0, str(Path(__file__).parents[1] / "kernel"))
import jobs  # noqa: E402
from guest import Result, Unavailable  # noqa: E402

CHATTR = Path("/usr/bin/chattr")
MEMORY_MIB = 64  # of the reproducer's cgroup: what `check` gives itself

# /proc/uptime is the only clock of busybox's shell that is finer than a second.
MEASURED = """
measured() {
  name=$1; shift; begin=$(cut -d' ' -f1 /proc/uptime)
  "$@" >"/results/$name.out" 2>&1
  echo "$? $begin $(cut -d' ' -f1 /proc/uptime)" >"/results/$name.end"
}
"""


@dataclasses.dataclass(frozen=True)
class Options:
    binaries: Path
    profiles: str = "all"
    duration: str = "4s"  # of each profile
    tool_seconds: int = 60  # of each other tool, in all its ways together
    seed: int = 1
    witness: Path = Path("mutant-witness")
    witnesses: tuple[int, ...] = ()  # the mutants that it looks for
    fsx: Path | None = None
    reproducer: Path | None = None


@dataclasses.dataclass(frozen=True)
class Tool:
    programs: Callable[[Options], list[Path]]  # the one that its results are kept under first
    command: Callable[[Options], str]
    read: Callable[[Result], dict[str, Any]]
    settings: Callable[[Options], str]  # what, beside program and seed, a result depends on


def installed(name: str) -> list[Path]:
    found = shutil.which(name)
    if not found:
        raise Unavailable(f"{name} is missing; install the package {name} (scripts/setup --mutants)")
    return [Path(found)]


def given(path: Path | None, option: str) -> list[Path]:
    if path is None:
        raise Unavailable(f"no program was given with {option}")
    if not path.is_file():
        raise FileNotFoundError(f"there is no program {path}")
    return [path]


def prepare(setup: Setup) -> tuple[str, list[Path]]:
    """What is done before any tool runs, and the programs it needs."""
    if "chattr" in setup.prepare and not CHATTR.exists():
        raise Unavailable(f"{CHATTR} is missing; install the package e2fsprogs")
    return setup.prepare, [CHATTR] if "chattr" in setup.prepare else []


# -- the canary ------------------------------------------------------------------------------------------------------

def _check(options: Options) -> str:
    checks = [f"measured check-{name} writecanary check {MOUNTED} --profile {name} --duration {options.duration} "
              f"--seed {options.seed} --json" for name in options.profiles.split(",")]
    return "\n".join([MEASURED, *checks])


def _read_check(result: Result) -> dict[str, Any]:
    runs = []
    wanted = ("verdict", "reason", "writes", "exposures", "bytes_written", "finding_counts", "first_finding_seconds")
    for name in sorted(name for name in result.files if name.startswith("check-") and name.endswith(".out")):
        text = result.files[name].decode(errors="replace")
        try:
            # Messages on stderr may stand before it.
            document = json.loads(text[text.index("{\n"):])
        except ValueError:
            return {"error": text[-2000:]}
        runs += [{"profile": run["profile"], **{name: run.get(name) for name in wanted}} for run in document["runs"]]
    return {"runs": runs}


# -- tools whose exit status says it -----------------------------------------------------------------------------------

def _ways(ways: dict[str, str], seconds: int) -> str:
    """Each way in turn in a directory of its own; `SECONDS` is its share of the time, `DIR` its directory."""
    lines = [MEASURED]
    for name, command in ways.items():
        directory = f"{MOUNTED}/{name}"
        lines.append(f"mkdir {directory}; measured {name} "
                     + command.replace("SECONDS", str(max(1, seconds // len(ways)))).replace("DIR", directory)
                     + f"; rm -rf {directory}")
    return "\n".join(lines)


def _reader(said: str) -> Callable[[Result], dict[str, Any]]:
    """Found where the output matches; seconds up to the end of the command, which stops at what it finds."""
    def read(result: Result) -> dict[str, Any]:
        ways = []
        for name in sorted(name.removesuffix(".end") for name in result.files if name.endswith(".end")):
            status, begin, end = result.files[f"{name}.end"].split()
            text = result.files[f"{name}.out"].decode(errors="replace")
            ways.append({"way": name, "status": int(status), "seconds": round(float(end) - float(begin), 2),
                         "found": bool(re.search(said, text)), "said": text[-600:]})
        return {"ways": ways}
    return read


def _fio(options: Options) -> str:
    common = (f"fio --directory=DIR --size=64M --time_based --runtime=SECONDS --verify=crc32c --verify_fatal=1 "
              f"--verify_backlog=256 --randseed={options.seed} --fallocate=none --group_reporting --name=verify")
    return _ways({
        "psync": f"{common} --ioengine=psync --rw=randwrite --bsrange=512-128k --bs_unaligned",
        "io_uring": f"{common} --ioengine=io_uring --iodepth=8 --rw=randwrite --bsrange=512-128k --bs_unaligned",
        "direct": f"{common} --ioengine=io_uring --iodepth=8 --direct=1 --rw=randwrite --bsrange=4k-128k",
        "mixed": f"{common} --ioengine=mmap --rw=randrw --bsrange=4k-64k"}, options.tool_seconds)


def _stress(options: Options) -> str:
    return _ways({"hdd": f"stress-ng --hdd 2 --hdd-bytes 64M --verify --temp-path DIR --timeout SECONDS --seed {options.seed}"},
                 options.tool_seconds)


def _fsx(options: Options) -> str:
    program = f"timeout SECONDS {options.fsx.name} -q -S {options.seed} -l 1000000"
    return _ways({"plain": f"{program} -R -W DIR/file", "direct": f"{program} -R -W -Z -r 4096 -w 4096 -t 4096 DIR/file",
                  "mapped": f"{program} DIR/file"}, options.tool_seconds)


def _witness(options: Options) -> str:
    # Under the name of the witness; with mutant 0 each one is a way of its own, so that one that is wrong spoils no other.
    return "\n".join([MEASURED, *(f"measured {number} {options.witness.name} {MOUNTED} {number}"
                                  for number in options.witnesses)])


def _reproducer(options: Options) -> str:
    contained = (f"mkdir -p /sys/fs/cgroup/contained; echo {MEMORY_MIB}M >/sys/fs/cgroup/contained/memory.max; "
                 "echo $$ >/sys/fs/cgroup/contained/cgroup.procs\n")
    return contained + _ways({"reproducer": f"{options.reproducer.name} DIR/file SECONDS"}, options.tool_seconds)


TOOLS = {
    "witness": Tool(lambda options: given(options.witness, "--witness"), _witness, _reader(r"(?m)^\d+ seen:"),
                    lambda options: "its own"),
    "canary": Tool(lambda options: jobs.programs(options.binaries, ("writecanary-probe", "writecanary")), _check, _read_check,
                   lambda options: f"{options.profiles} {options.duration}"),
    "fio": Tool(lambda options: installed("fio"), _fio, _reader(r"verify: bad|verify.*failed|bad (header|magic)"),
                lambda options: f"{options.tool_seconds} s"),
    "stress-ng": Tool(lambda options: installed("stress-ng"), _stress, _reader(r"stress-ng: fail"),
                      lambda options: f"{options.tool_seconds} s"),
    "fsx": Tool(lambda options: given(options.fsx, "--fsx"), _fsx,
                _reader(r"BAD DATA|LOG DUMP"),  # the latter after every failure
                lambda options: f"{options.tool_seconds} s"),
    "reproducer": Tool(lambda options: given(options.reproducer, "--reproducer"), _reproducer, _reader(r"CORRUPTION DETECTED"),
                       lambda options: f"{options.tool_seconds} s"),
}
