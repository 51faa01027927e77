"""docs/kernels.md, made of tests/kernel/measured.json. Pure: text from data."""

from typing import Any

from kernel_archive import versions

from . import brackets, summary
from .cell import Cell
from .order import Row, rows

INTRODUCTION = """# Kernels, measured

What kernels of Debian's archive do with the profiles of the canary: {kernels} kernels of {series} series, {first} to {last},
{cells} runs.{missing} A kernel is named by the version of its package.
This page and its picture are made of `tests/kernel/measured.json` by `tests/kernel/history --report`; nothing in them is written by hand.

![A row for each filesystem and profile, a column for each kernel; colour and mark say what was found](img/kernels.svg)

"""

EXPLANATION = """## How it is measured

<!-- not run: takes a night -->
```sh
tests/kernel/kernels --list                        # what the archive has today
tests/kernel/history --fs xfs --profile append     # measures what is not measured yet
tests/kernel/history --report                      # this page
```

Every kernel boots in QEMU (with KVM where the machine can boot it so, emulated otherwise) with a fresh filesystem and cgroup v2, and runs each
profile once, with the settings below. Results are kept in `~/.cache/writecanary-kernels/history.jsonl` by the kernel's bytes, the probe's, filesystem,
profile and settings: a second call measures what is new. `clean` is said with exposures only; where a kernel cannot be exposed the
table says so, and why. A rate is findings per exposure with its bounds of 95 % confidence; a change between two kernels is called certain when
the bounds of the two have nothing in common.

The kernels come from the indices of nine suites (bullseye to sid), whose signatures apt verifies, and each package is verified by the hash
that its index holds. The modules of superseded kernels since 6.19 have left the index, not the pool: they are loaded with
`module.sig_enforce=1`, so that the kernel, whose hash is known, takes only modules that were signed when it was built. Kernels that have
left the pool as well cannot be had from the mirrors; what was measured of them stays here.

**Every morning.** One command looks for kernels that are newer than the table, measures them, prints what they do differently from
the kernel before, and renews table, page and picture. It exits with 1 when there is a difference, so that cron or a timer can tell somebody:

<!-- not run: needs the archive, and guests -->
```sh
tests/kernel/history --watch
```

```ini
# writecanary-kernels.service: [Service]
Type=oneshot
WorkingDirectory=/srv/writecanary
ExecStart=/srv/writecanary/tests/kernel/history --watch
# writecanary-kernels.timer: [Timer]
OnCalendar=06:00
Persistent=true
```

"""


def page(document: dict[str, Any]) -> str:
    cells = summary.cells(document)
    kernels = list(document["kernels"])
    of_series = {versions.series(name) for name in kernels}
    text = INTRODUCTION.format(kernels=len(kernels), series=len(of_series), cells=sum(map(len, cells.values())),
                               first=kernels[0], last=kernels[-1], missing=_missing(document))
    text += "## What changed, and where\n\n" + _changes(cells)
    text += EXPLANATION
    text += "## Brackets\n\n" + "".join(_brackets(filesystem, profiles, cells) for filesystem, profiles in _by_filesystem(cells))
    text += _left(document, cells)
    return text + "## Kernels\n\n" + _kernels(document) + _not_measured(document) + "\n## Settings\n\n" + _settings(document)


def _missing(document: dict[str, Any]) -> str:
    left = [name for name in document["archive"] if name not in document["kernels"]]
    return f" The archive has {len(left)} more, which are [not measured yet](#not-measured-yet)." if left else ""


def changes(cells: summary.Cells) -> list[str]:
    """A sentence for each change within a series."""
    return [brackets.sentence(profile, filesystem, change) for filesystem, profile in rows(cells)
            for change in brackets.changes(cells[filesystem, profile].items())]


def _changes(cells: summary.Cells) -> str:
    said = [f"- {sentence}" for sentence in changes(cells)]
    drifting = [f"- {profile} on {filesystem}: {one[0]} has {brackets.figures(one[1])}, {other[0]} {brackets.figures(other[1])}"
                for filesystem, profile in rows(cells) for one, other in brackets.drifts(cells[filesystem, profile].items())]
    text = "Between two kernels of one series:\n\n" + "\n".join(said or ["- nothing"]) + "\n\n"
    return text + ("The same kind of finding, more or less often:\n\n" + "\n".join(drifting) + "\n\n" if drifting else "")


def _by_filesystem(cells: summary.Cells) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for filesystem, profile in rows(cells):
        found.setdefault(filesystem, []).append(profile)
    return list(found.items())


def _brackets(filesystem: str, profiles: list[str], cells: summary.Cells) -> str:
    lines = [f"### {filesystem}\n", "| profile | kernels | | outcome | findings | exposures | rate |", "|---|---|---:|---|---:|---:|---|"]
    for profile in profiles:
        for bracket in brackets.brackets(cells[filesystem, profile].items()):
            span = bracket.first if len(bracket.rows) == 1 else f"{bracket.first} to {bracket.last}"
            outcome = f"**{bracket.outcome}**" if bracket.findings else bracket.outcome
            findings = bracket.findings if bracket.judged else ""
            lines.append(f"| {profile} | {span} | {len(bracket.rows)} | {outcome} | {findings} | {bracket.exposures} | "
                         f"{brackets.rate(bracket)} |")
    return "\n".join(lines) + "\n\n"


def _left(document: dict[str, Any], cells: summary.Cells) -> str:
    """Why a verdict says nothing: each reason with the kernels of which it is said."""
    said: dict[tuple[Row, str, str], list[str]] = {}
    for row in rows(cells):
        for name, cell in cells[row].items():
            if not cell.judged:
                said.setdefault((row, cell.verdict, _general(cell)), []).append(name)
    lines = ["## What could not be judged\n", "| filesystem | profile | verdict | kernels | why |", "|---|---|---|---|---|"]
    for ((filesystem, profile), verdict, reason), names in said.items():
        lines.append(f"| {filesystem} | {profile} | {verdict} | {_spans(names, list(document['kernels']))} | {reason} |")
    return "\n".join(lines) + "\n\n" if said else ""


def _general(cell: Cell) -> str:
    """The reason without its figures, which differ from run to run."""
    return brackets.without_figures(cell.reason).replace("|", "/")


def _spans(names: list[str], all_names: list[str]) -> str:
    """As "5.10.218-1 to 5.10.262-1, 6.16.3-1"."""
    places = sorted(all_names.index(name) for name in names)
    spans: list[list[int]] = []
    for place in places:
        if spans and spans[-1][-1] == place - 1:
            spans[-1].append(place)
        else:
            spans.append([place])
    return ", ".join(all_names[one[0]] if len(one) == 1 else f"{all_names[one[0]]} to {all_names[one[-1]]}" for one in spans)


def _kernels(document: dict[str, Any]) -> str:
    lines = ["| kernel | built | package | suites | booted on |", "|---|---|---|---|---|"]
    for name, facts in document["kernels"].items():
        lines.append(f"| {name} | {facts['built']} | {facts['package']} | {', '.join(facts['suites'])} | {facts['machine']} |")
    failed = [f"- {name} did not boot {said}" for name, facts in document["kernels"].items() for said in facts.get("did_not_boot", [])]
    return "\n".join(lines) + "\n" + ("\nTried in vain, with the last lines of the console:\n\n" + "\n".join(failed) + "\n" if failed else "")


def _not_measured(document: dict[str, Any]) -> str:
    left = [name for name in document["archive"] if name not in document["kernels"]]
    return f"\n## Not measured yet\n\n{', '.join(left)}.\n" if left else ""


def _settings(document: dict[str, Any]) -> str:
    by_settings: dict[str, list[str]] = {}
    for profile, settings in document["settings"].items():
        by_settings.setdefault("` or `".join(settings), []).append(profile)
    return "\n".join(f"- `{settings}`: {', '.join(profiles)}" for settings, profiles in by_settings.items()) + "\n"
