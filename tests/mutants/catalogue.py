"""The catalogue of mutants: every bug that the mutated kernel can be told to have, as data, read and checked.

One file `catalogue/AREA.toml` for each area of the kernel, each with a hundred numbers of its own. What an entry says is
described in docs/sensitivity.md. Nothing here knows kernels or guests; edits.py puts the edits in.
"""

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any, Iterable

import filesystems

DIRECTORY = Path(__file__).with_name("catalogue")
WHERE = ("before", "after", "instead")
LASTS = ("transient", "lasting", "device")  # seen once; by every reader; only by who reads the storage again
FIELDS = {"number": int, "name": str, "class": str, "stands_for": str, "filesystems": list, "claimed_by": list,
          "lasts": str, "visible": str, "edit": list}
EDIT_FIELDS = {"file": str, "function": str, "anchor": str, "kernels": list} | dict.fromkeys(WHERE, str)
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class CatalogueError(Exception):
    """The catalogue contradicts its own rules; the text has one line for each mistake."""


@dataclasses.dataclass(frozen=True)
class Edit:
    file: str  # in the kernel's source tree
    function: str  # or another definition that begins and ends at the left margin
    anchor: str  # stands there exactly once, whatever white space is between its words
    where: str  # one of WHERE
    text: str
    kernels: tuple[str, ...]  # series ("6.1"); empty: all

    def applies_to(self, series: str) -> bool:
        return not self.kernels or series in self.kernels


@dataclasses.dataclass(frozen=True)
class Mutant:
    number: int
    name: str
    area: str
    kind: str  # `class` in the file
    stands_for: str
    filesystems: tuple[str, ...]
    claimed_by: tuple[str, ...]  # profiles
    lasts: str
    visible: str
    edits: tuple[Edit, ...]

    def edits_for(self, series: str) -> list[Edit]:
        """Empty: kernels of this series do not have this mutant."""
        return [edit for edit in self.edits if edit.applies_to(series)]


def load(directory: Path = DIRECTORY, profiles: Iterable[str] | None = None) -> list[Mutant]:
    """All mutants by number. With `profiles`, what an entry claims must be one of them. Throws CatalogueError."""
    mistakes: list[str] = []
    found: list[Mutant] = []
    for file in sorted(directory.glob("*.toml")):
        try:
            document = tomllib.loads(file.read_text())
        except tomllib.TOMLDecodeError as error:
            mistakes.append(f"{file.name}: {error}")
            continue
        if unknown := set(document) - {"mutant"}:
            mistakes.append(f"{file.name}: unknown: {', '.join(sorted(unknown))}")
        for entry in document.get("mutant", []):
            place = f"{file.name}: mutant {entry.get('number', '?')}"
            wrong = _entry_mistakes(entry, None if profiles is None else set(profiles))
            mistakes += [f"{place}: {text}" for text in wrong]
            if not wrong:
                found.append(_mutant(file.stem, entry))
    mistakes += _common_mistakes(found)
    if mistakes:
        raise CatalogueError("\n".join(mistakes))
    return sorted(found, key=lambda mutant: mutant.number)


def _field_mistakes(table: dict[str, Any], fields: dict[str, type], optional: Iterable[str]) -> list[str]:
    wrong = [f"unknown field {name}" for name in table if name not in fields]
    wrong += [f"{name} is missing" for name in fields if name not in table and name not in optional]
    wrong += [f"{name} is not of type {kind.__name__}" for name, kind in fields.items()
              if name in table and (not isinstance(table[name], kind) or isinstance(table[name], bool))]
    wrong += [f"{name} is empty" for name in fields if table.get(name) == ""]
    return wrong


def _entry_mistakes(entry: dict[str, Any], profiles: set[str] | None) -> list[str]:
    wrong = _field_mistakes(entry, FIELDS, ())
    if wrong:
        return wrong
    wrong += [f"{name} {entry[name]!r} is not in kebab-case" for name in ("name", "class")
              if not KEBAB.fullmatch(entry[name])]
    if entry["number"] < 1:
        wrong.append("numbers begin with 1, 0 is the kernel as it is")
    if entry["lasts"] not in LASTS:
        wrong.append(f"lasts {entry['lasts']!r} is none of {', '.join(LASTS)}")
    if not entry["filesystems"]:
        wrong.append("filesystems is empty")
    wrong += [f"filesystem {name!r} is none of {', '.join(filesystems.SETUPS)}" for name in entry["filesystems"]
              if name not in filesystems.SETUPS]
    wrong += [f"claimed by {name!r}, which is no profile" for name in entry["claimed_by"]
              if profiles is not None and name not in profiles]
    if not entry["edit"]:
        wrong.append("it has no edit")
    for index, edit in enumerate(entry["edit"], 1):
        wrong += [f"edit {index}: {text}" for text in _edit_mistakes(edit, entry["number"])]
    return wrong


def _edit_mistakes(edit: dict[str, Any], number: int) -> list[str]:
    wrong = _field_mistakes(edit, EDIT_FIELDS, ("kernels", *WHERE))
    if wrong:
        return wrong
    given = [where for where in WHERE if where in edit]
    if len(given) != 1:
        return [f"exactly one of {', '.join(WHERE)} is needed, not {' and '.join(given) or 'none'}"]
    numbers = {int(value) for value in re.findall(r"\bmutant\s*[!=]=\s*(\d+)", edit[given[0]])}
    if numbers != {number}:
        wrong.append(f"its text must ask for `mutant == {number}` (or !=) and for no other")
    return wrong


def _common_mistakes(mutants: list[Mutant]) -> list[str]:
    wrong = []
    numbers: dict[int, Mutant] = {}
    names: dict[str, Mutant] = {}
    hundreds: dict[int, str] = {}
    for mutant in mutants:
        for known, key, what in ((numbers, mutant.number, "number"), (names, mutant.name, "name")):
            if (first := known.setdefault(key, mutant)) is not mutant:
                wrong.append(f"{what} {key} stands in {first.area}.toml and again in {mutant.area}.toml")
        area = hundreds.setdefault(mutant.number // 100, mutant.area)
        if area != mutant.area:
            wrong.append(f"{mutant.area}.toml: mutant {mutant.number}: this hundred belongs to {area}.toml")
    return wrong


def _mutant(area: str, entry: dict[str, Any]) -> Mutant:
    edits = tuple(Edit(edit["file"], edit["function"], edit["anchor"], where, edit[where],
                       tuple(edit.get("kernels", ())))
                  for edit in entry["edit"] for where in WHERE if where in edit)
    return Mutant(entry["number"], entry["name"], area, entry["class"], entry["stands_for"],
                  tuple(entry["filesystems"]), tuple(entry["claimed_by"]), entry["lasts"], entry["visible"], edits)
