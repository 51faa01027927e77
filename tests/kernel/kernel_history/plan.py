"""What there is to measure: which kernels, filesystems and profiles, and what of it is done already. Pure."""

import collections
import itertools

from kernel_archive import versions
from kernel_archive.index import Build

from . import measure
from .results import Results

# Those that tell most come first: a history that is broken off has them.
FIRST = ("append", "nowait-contract", "append-interposed", "shared-blocks", "held-append")
THEN = ("mixed-model", "copy-after-write", "tail-reader", "direct-append", "ring-io", "held-tail", "held-resize", "held-copy",
        "held-direct", "held-read", "held-source", "append-concurrent", "large-folio", "collapse", "forgotten-inode",
        "far-offset", "side-by-side")
PROFILES = FIRST + THEN


def builds(known: list[Build], flavour: str, since: str | None, names: list[str] | None) -> list[Build]:
    """Of the archive's. A name is a version of a package, an upstream version or a series ("6.12")."""
    chosen = [build for build in known if build.flavour == flavour]
    if since:
        chosen = [build for build in chosen if versions.order(build.version) >= versions.order(since)]
    if names:
        chosen = [build for build in known if any(_is(build, name, flavour) for name in names)]
    return chosen


def in_turn(chosen: list[Build]) -> list[Build]:
    """The ends of every series first, then the middles of what is left: a history that is broken off has the widest brackets.
    Of an upstream version that was built more than once, the newest build before all others."""
    newest = {versions.upstream(build.version): build for build in chosen}
    first = [build for build in chosen if newest[versions.upstream(build.version)] == build]
    by_series: dict[str, list[Build]] = {}
    for build in first:
        by_series.setdefault(versions.series(build.version), []).append(build)
    spread = [_spread(of) for of in by_series.values()]
    rounds = [build for turn in itertools.zip_longest(*spread[::-1]) for build in turn if build]
    return rounds + [build for build in chosen[::-1] if build not in first]


def _spread(of: list[Build]) -> list[Build]:
    found = [of[-1], of[0]][:len(of)]
    spans = collections.deque([(0, len(of) - 1)])
    while spans:
        low, high = spans.popleft()
        middle = (low + high) // 2
        if middle > low:
            found.append(of[middle])
            spans += [(middle, high), (low, middle)]
    return found


def _is(build: Build, name: str, flavour: str) -> bool:
    of_flavour = build.flavour == flavour
    return name == build.name or (of_flavour and name in (versions.upstream(build.version), versions.series(build.version)))


def missing(build: Build, filesystem: str, profiles: list[str], probe: str, results: Results, retry: bool) -> tuple[str, ...]:
    """The profiles that are not measured yet, or ended in an error, as they do on a machine that is too busy; with `retry` also those
    that the kernel did not boot for, or died under."""
    found = {profile: results.find({"key": build.key, "probe": probe, "fs": filesystem, "profile": profile,
                                    "settings": measure.settings(profile)}) for profile in profiles}
    return tuple(profile for profile, line in found.items()
                 if line is None or line["verdict"] == "error" or (retry and line["verdict"] in ("not booted", "guest died")))
