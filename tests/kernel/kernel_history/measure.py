"""One kernel and one filesystem in one guest, all profiles in turn; what it says, as lines of `results`.

A kernel that does not boot is tried on other machines. One that dies under a profile is booted once for each of them, so that it is
known which it was.
"""

import dataclasses
import datetime
from pathlib import Path
from typing import Any

import guest
import jobs
import kernels
from guest import Job, Machine
from kernel_archive.index import Build
from measured_lines import Line

FILESYSTEMS = ("xfs", "ext4", "btrfs", "btrfs-nocow", "tmpfs")
# As many writes as tell enough, however long an emulated guest on a busy machine takes for them.
DEFAULT_LIMITS = "--seed 1 --writes 50 --duration 30s"
LIMITS = {
    "append-concurrent": "--seed 1 --duration 6s",
    "mixed-model": "--seed 1 --duration 6s",
    "ring-io": "--seed 1 --duration 6s",
    # On 5.10 the stale mapping is seen in every second held write, but holds take their time.
    "shared-blocks": "--seed 1 --duration 5s",
}
BEGUN = "begun"  # left in the guest's output when its job begins
BOOT_SECONDS, CHECK_SECONDS, BOOT_PROCESSOR_SECONDS = 300, 60, 75
LAST_LINES = 12
FIGURES = ("verdict", "reason", "writes", "exposures", "disarmed", "finding_counts", "first_finding_seconds", "duration_seconds")


@dataclasses.dataclass(frozen=True)
class Work:
    build: Build
    filesystem: str
    profiles: tuple[str, ...]
    binaries: tuple[Path, ...]
    probe: str  # its hash


class DidNotBoot(Exception):
    pass


def settings(profile: str) -> str:
    return LIMITS.get(profile, DEFAULT_LIMITS)


def measure(work: Work, machines: tuple[Machine, ...]) -> list[Line]:
    """A line for each profile. Throws kernels.Unavailable."""
    kernel = kernels.unpacked(work.build)
    tried = []
    for machine in machines:
        try:
            return [_line(work, kernel, machine, profile, figures | {"did_not_boot": tried})
                    for profile, figures in _on(work, machine, work.profiles).items()]
        except DidNotBoot as failure:
            tried.append(f"{machine.name}: {failure}")
    figures = {"verdict": "not booted", "reason": " | ".join(tried), "did_not_boot": tried}
    return [_line(work, kernel, machines[-1], profile, figures) for profile in work.profiles]


def _on(work: Work, machine: Machine, profiles: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    job = _job(work, machine, profiles)
    with guest.Guest(job) as running:
        try:
            runs = jobs.results(running.wait())
        except guest.GuestFailed as failure:
            if BEGUN not in running.output():
                raise DidNotBoot(_told(failure)) from None
            if len(profiles) == 1:
                return {profiles[0]: {"verdict": "guest died", "reason": _told(failure)}}
            runs = None
    if runs is None:
        return {profile: figures for one in profiles for profile, figures in _on(work, machine, (one,)).items()}
    return {profile: _figures(runs.get(profile)) for profile in profiles}


def _job(work: Work, machine: Machine, profiles: tuple[str, ...]) -> Job:
    checks = [f"check {profile} --profile {profile} {settings(profile)}" for profile in profiles]
    job = jobs.checks_job(work.build.name, work.filesystem, [f"echo {BEGUN}", *checks], list(work.binaries),
                          timeout_seconds=BOOT_SECONDS + CHECK_SECONDS * len(profiles))
    job.machine, job.boot_seconds = machine, BOOT_PROCESSOR_SECONDS
    return job


def _figures(run: jobs.Run | None) -> dict[str, Any]:
    document = run.run() if run else None
    if document is None:
        return {"verdict": "error", "reason": f"writecanary gave no result: {run.errors.strip() if run else 'not started'}"}
    return {name: document[name] for name in FIGURES} | {"release": document["kernel"]["version"]}


def _line(work: Work, kernel: kernels.Kernel, machine: Machine, profile: str, figures: dict[str, Any]) -> Line:
    build = work.build
    return {"kernel": build.name, "key": build.key, "package": build.package, "suites": list(build.suites),
            "built": kernels.built_on(kernel.banner()), "machine": machine.name, "probe": work.probe, "fs": work.filesystem,
            "profile": profile, "settings": settings(profile),
            "measured": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%MZ")} | figures


def _told(failure: guest.GuestFailed) -> str:
    first, *rest = str(failure).splitlines()
    return " / ".join([first.partition(": ")[2], *[line.strip() for line in rest[1:] if line.strip()][-LAST_LINES:]])
