"""tests/kernel/measured.json: of every kernel, filesystem and profile what was seen last. The documents are made of it.

It also has the names of all kernels that the archive had that day: a table may not look more complete than it is. One line for each
kernel, and one for each kernel and filesystem, so that a difference can be read.
"""

import json
from pathlib import Path
from typing import Any

from kernel_archive import versions
from measured_lines import Line

from .cell import Cell

FILE = Path(__file__).parents[1] / "measured.json"
KERNEL = ("package", "suites", "built", "machine")

Cells = dict[tuple[str, str], dict[str, Cell]]  # filesystem and profile -> kernel -> cell


def of_results(lines: list[Line]) -> dict[str, Any]:
    """Of lines in the order in which they were measured: the last one of a place is taken."""
    kernels: dict[str, dict[str, Any]] = {}
    cells: dict[str, dict[str, dict[str, Any]]] = {}
    for line in lines:
        kernels[line["kernel"]] = {name: line[name] for name in KERNEL}
        # That there is no KVM says nothing of the kernel.
        if failed := [said for said in line.get("did_not_boot", []) if not said.startswith("KVM:")]:
            kernels[line["kernel"]]["did_not_boot"] = failed
        cells.setdefault(line["kernel"], {}).setdefault(line["fs"], {})[line["profile"]] = _short(line)
    names = sorted(kernels, key=_order)
    settings: dict[str, set[str]] = {}
    for line in lines:
        settings.setdefault(line["profile"], set()).add(line["settings"])
    return {"settings": {profile: sorted(of) for profile, of in sorted(settings.items())}, "archive": [],
            "kernels": {name: kernels[name] for name in names}, "cells": {name: cells[name] for name in names}}


def text(document: dict[str, Any]) -> str:
    """As the file has it."""
    kernels = ",\n".join(f"  {json.dumps(name)}: {json.dumps(facts)}" for name, facts in document["kernels"].items())
    cells = ",\n".join(f"  {json.dumps(name)}: {{\n" + ",\n".join(f"   {json.dumps(fs)}: {json.dumps(of)}" for fs, of in on.items())
                       + "}" for name, on in document["cells"].items())
    return (f'{{"settings": {json.dumps(document["settings"])},\n "archive": {json.dumps(document["archive"])},\n "kernels": {{\n{kernels}}},\n "cells": {{\n{cells}}}}}\n')


def read(file: Path = FILE) -> dict[str, Any]:
    return json.loads(file.read_text()) if file.exists() else {"settings": {}, "archive": [], "kernels": {}, "cells": {}}


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What is in `new` stands; the rest is kept."""
    cells = {name: dict(on) for name, on in old["cells"].items()}
    for name, on in new["cells"].items():
        for filesystem, of in on.items():
            place = cells.setdefault(name, {})
            place[filesystem] = place.get(filesystem, {}) | of
    kernels = old["kernels"] | new["kernels"]
    names = sorted(kernels, key=_order)
    settings = {profile: sorted({*old["settings"].get(profile, []), *new["settings"].get(profile, [])})
                for profile in sorted(old["settings"].keys() | new["settings"].keys())}
    return {"settings": settings, "archive": new["archive"] or old["archive"], "kernels": {name: kernels[name] for name in names},
            "cells": {name: cells[name] for name in names}}


def cells(document: dict[str, Any]) -> Cells:
    found: Cells = {}
    for name, on in document["cells"].items():
        for filesystem, of in on.items():
            for profile, short in of.items():
                found.setdefault((filesystem, profile), {})[name] = _long(short)
    return found


def _short(line: Line) -> dict[str, Any]:
    short: dict[str, Any] = {"verdict": line["verdict"]}
    if "exposures" in line:
        short["exposed"] = [line["exposures"], line["writes"]]
    if line.get("finding_counts"):
        short["findings"] = line["finding_counts"]
    elif line["verdict"] != "clean":
        short["reason"] = line["reason"]
    return short


def _long(short: dict[str, Any]) -> Cell:
    return Cell(short["verdict"], short.get("exposed", [0])[0], tuple(sorted(short.get("findings", {}).items())),
                short.get("reason", ""))


def _order(name: str) -> Any:
    version, _, flavour = name.partition(":")
    return versions.order(version), flavour
