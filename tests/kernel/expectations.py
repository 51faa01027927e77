"""What each cell of the matrix must show: kernel x filesystem x profile. Pure data and comparison.

A kernel that is not known to be affected is expected to be fixed; the sources of these expectations are the fixes
themselves: mainline 1a1a3b574b97 "iomap: advance the iter directly on buffered writes" and, in stable, "iomap: don't
revert iov_iter on partially completed buffered writes" in 6.1.176, 6.6.143 and 6.12.94. Torn appends are not fixed
anywhere.
"""

import dataclasses
import math
from typing import Any

AFFECTED = frozenset({"6.1.170"})
DETECTORS = ("append", "nowait-contract", "append-interposed", "append-concurrent")
CONTROLS = ("offset", "append-async", "append-sync")
PROFILES = DETECTORS + CONTROLS

# A virtual CPU that loses its turn between arming and write comes a timer tick too late. On any machine that is fit to
# emulate a guest that is rare.
ARMED_SHARE = 0.85

EXIT_CODES = {"clean": 0, "corrupt": 2, "violation": 6, "unexposed": 3, "unsupported": 4, "error": 5}


@dataclasses.dataclass(frozen=True)
class Expectation:
    verdicts: frozenset[str]  # any of these
    # Share of the writes on which a finding of the kind is due at least; one finding in any case. A kind that is neither
    # due nor tolerated must not occur.
    findings: dict[str, float] = dataclasses.field(default_factory=dict)
    of_armed: bool = False  # the share is of those writes that were still armed when they were tried
    tolerated: frozenset[str] = frozenset()
    exposed_share: float = 0.0  # of the writes, at least
    first_within_seconds: float | None = None


CLEAN = Expectation(frozenset({"clean"}))
CLEAN_AND_EXPOSED = Expectation(frozenset({"clean"}), exposed_share=0.95)
NOT_EXPOSED = Expectation(frozenset({"unexposed", "unsupported"}))

# btrfs without CoW tries buffered writes inline since 6.1, but up to 6.12 btrfs_buffered_write() passes nowait = false
# to prepare_pages(): at a low memory limit the inline attempt does not fail but blocks, and may end in the OOM killer.
# How far a run gets is chance, so only soundness is asked of it: no finding but a tear, which is real there too.
SOUND = Expectation(frozenset({"clean", "unexposed", "error"}))
SOUND_OR_TORN = Expectation(frozenset({"violation", "unexposed", "error"}), tolerated=frozenset({"torn"}))


def corrupt(first_within_seconds: float | None = None, of_armed: bool = False, **findings: float) -> Expectation:
    return Expectation(frozenset({"corrupt"}), findings, of_armed, first_within_seconds=first_within_seconds)


def violation(first_within_seconds: float | None = None, **findings: float) -> Expectation:
    return Expectation(frozenset({"violation"}), findings, first_within_seconds=first_within_seconds)


ON_XFS_AFFECTED = {
    "append": corrupt(duplicate=0.98, of_armed=True, first_within_seconds=2.0),
    "nowait-contract": violation(nowait_contract=0.90, first_within_seconds=2.0),
    "append-interposed": corrupt(torn=0.90, duplicate=0.90),
    "append-concurrent": corrupt(torn=0.0, duplicate=0.0),
}
ON_XFS_FIXED = {
    "append": CLEAN_AND_EXPOSED,
    "nowait-contract": CLEAN_AND_EXPOSED,
    "append-interposed": violation(torn=0.90),
    "append-concurrent": violation(torn=0.0),
}


# The profiles whose calls are held open. Before 6.1.92 a write uses a mapping that is stale, and one that fails frees what
# others have stored (iomap; both fixed in 6.2).
HELD = ("shared-blocks", "held-tail", "held-append", "held-resize", "held-copy", "held-direct", "held-read", "held-source")
BEFORE_IOMAP_VALIDITY = frozenset({"5.10.223"})


def expected_held(kernel: str, filesystem: str, profile: str) -> Expectation:
    if filesystem == "xfs" and kernel in BEFORE_IOMAP_VALIDITY and profile in ("shared-blocks", "held-source"):
        return corrupt(zeroed=0.0)
    if filesystem == "tmpfs" and profile in ("shared-blocks", "held-tail", "held-direct"):
        return NOT_EXPOSED
    return CLEAN


def expected(kernel: str, filesystem: str, profile: str) -> Expectation:
    if int(kernel.partition(".")[0]) < 6:
        return NOT_EXPOSED  # no filesystem tries a buffered write without blocking
    if filesystem == "xfs":
        if profile in CONTROLS:
            return CLEAN
        return (ON_XFS_AFFECTED if kernel in AFFECTED else ON_XFS_FIXED)[profile]
    if filesystem == "btrfs-nocow":
        return SOUND_OR_TORN if profile in ("append-interposed", "append-concurrent") else SOUND
    return NOT_EXPOSED


def problems(expectation: Expectation, run: dict[str, Any], exit_code: int) -> list[str]:
    """In words, where a run's document (`runs[]` of `writecanary check --json`) differs; empty when it does not."""
    found: list[str] = []
    verdict, writes, counts = run["verdict"], run["writes"], run["finding_counts"]
    if verdict not in expectation.verdicts:
        found.append(f"verdict {verdict}, expected {' or '.join(sorted(expectation.verdicts))}: {run['reason']}")
    if exit_code != EXIT_CODES.get(verdict):
        found.append(f"exit code {exit_code} does not mean {verdict}")
    for kind in sorted(set(counts) - set(expectation.findings) - expectation.tolerated):
        found.append(f"{counts[kind]} unexpected findings of kind {kind}")
    armed = writes - run["disarmed"] if expectation.of_armed else writes
    if armed < ARMED_SHARE * writes:
        found.append(f"only {armed} of {writes} writes were still armed when they were tried")
    for kind, share in expectation.findings.items():
        due = max(1, math.ceil(share * armed))
        if counts.get(kind, 0) < due:
            of = f"{armed} armed writes" if expectation.of_armed else f"{writes} writes"
            found.append(f"{kind} in {counts.get(kind, 0)} of {of}, expected at least {due}")
    if run["exposures"] < expectation.exposed_share * writes or (expectation.exposed_share and not writes):
        found.append(f"{run['exposures']} of {writes} writes exposed, expected {expectation.exposed_share:.0%}")
    limit = expectation.first_within_seconds
    if limit is not None and (run["first_finding_seconds"] is None or run["first_finding_seconds"] > limit):
        found.append(f"first finding after {run['first_finding_seconds']} s, expected within {limit} s")
    return found
