"""Puts the edits of the catalogue into a kernel's source: first as text, then into a tree that stays built.

A function is looked for by its name, an anchor inside it by its words. An anchor that does not stand there exactly once
is an error that names mutant, file and anchor: the source has changed, and nobody knows what the edit would do now. A tree
is edited in place, from kept originals, and only files whose text changes are written, so that make builds little.
"""

import dataclasses
import re
import shutil
from pathlib import Path
from typing import Iterable

from catalogue import Edit, Mutant

HEADER = "include/linux/mutant.h"
HEADER_TEXT = """/* The number of the bug that this kernel was told to have on its command line; 0: none. */
#ifndef WRITECANARY_MUTANT_H
#define WRITECANARY_MUTANT_H
extern int mutant;
#endif
"""
INCLUDE = "#include <linux/mutant.h>\n"
HOME = "init/main.c"
HOME_TEXT = """
int mutant;

static int __init mutant_setup(char *number)
{
	return kstrtoint(number, 0, &mutant) == 0;
}
__setup("mutant=", mutant_setup);
"""


class EditError(Exception):
    """An edit does not fit the source; the text names mutant, file and anchor."""


@dataclasses.dataclass(frozen=True)
class Placed:
    """An edit with its place in a text."""

    number: int
    edit: Edit
    start: int
    end: int

    def name(self) -> str:
        return f"mutant {self.number}: {self.edit.file}, {self.edit.function}(): anchor {self.edit.anchor!r}"

    def insertion(self) -> tuple[int, int]:
        """What is replaced: nothing, before or after the anchor, or the anchor."""
        return {"before": (self.start, self.start), "after": (self.end, self.end)}.get(
            self.edit.where, (self.start, self.end))


def definitions(text: str, name: str) -> list[tuple[int, int]]:
    """The bodies of the functions, or initializers, of that name: one for each branch of an #ifdef."""
    head = re.compile(rf"^(?:[A-Za-z_][^\n;()]*[\s*])?{re.escape(name)}(?:\s*\([^;{{}}]*\n\{{|\s*(?:\[[^\]]*\]\s*)?=\s*\{{)",
                      re.MULTILINE)
    found = []
    for match in head.finditer(text):
        end = re.compile(r"^\}", re.MULTILINE).search(text, match.end())
        if end:
            found.append((match.end(), end.start()))
    return found


def place(number: int, edit: Edit, text: str) -> Placed:
    """Throws EditError."""
    bodies = definitions(text, edit.function)
    if not bodies:
        raise EditError(f"mutant {number}: {edit.file} has no function {edit.function} "
                        f"(anchor {edit.anchor!r})")
    anchor = re.compile(r"\s+".join(re.escape(word) for word in edit.anchor.split()))
    found = [match.span() for start, end in bodies for match in anchor.finditer(text, start, end)]
    if len(found) != 1:
        raise EditError(f"{Placed(number, edit, 0, 0).name()} stands there {len(found)} times, not once")
    return Placed(number, edit, *found[0])


def _order(placed: Placed) -> tuple[int, int, bool, int]:
    # A condition that governs the anchor itself ("if (mutant != 7)") must stand right before it.
    governs = placed.edit.where == "before" and placed.edit.text.rstrip()[-1] not in ";}"
    return (*placed.insertion(), governs, placed.number)


def mutate(text: str, edits: Iterable[tuple[int, Edit]]) -> str:
    """The text with all edits, of any number of mutants, in it. Throws EditError, also when two get in each other's way."""
    result, position = "", 0
    previous = None
    for placed in sorted((place(number, edit, text) for number, edit in edits), key=_order):
        start, end = placed.insertion()
        if start < position:
            raise EditError(f"{placed.name()} is inside the one of {previous.name()}")
        before, after = ("\n" if placed.edit.where == "after" else ""), ("\n" if placed.edit.where == "before" else "")
        result += text[position:start] + before + placed.edit.text.strip() + after
        position, previous = end, placed
    return INCLUDE + result + text[position:]


class Tree:
    """A source tree, and beside it the originals of the files that were ever edited."""

    def __init__(self, tree: Path, originals: Path) -> None:
        self._tree = tree
        self._originals = originals

    def apply(self, mutants: Iterable[Mutant], series: str) -> list[str]:
        """Makes the tree have exactly these mutants; returns the files that it wrote. Throws EditError, and then has
        written nothing."""
        edits: dict[str, list[tuple[int, Edit]]] = {}
        for mutant in mutants:
            for edit in mutant.edits_for(series):
                edits.setdefault(edit.file, []).append((mutant.number, edit))
        texts = {file: mutate(self._original(file, of_file), of_file) for file, of_file in edits.items()}
        if edits:
            texts[HOME] = texts.get(HOME, self._original(HOME, [])) + HOME_TEXT
            texts[HEADER] = HEADER_TEXT
        for file in self._edited() - set(texts):
            texts[file] = (self._originals / file).read_text()
        return [file for file, text in texts.items() if self._write(file, text)]

    def _edited(self) -> set[str]:
        return {str(path.relative_to(self._originals)) for path in self._originals.rglob("*")
                if path.is_file() and path.suffix != ".partly"}

    def _original(self, file: str, edits: list[tuple[int, Edit]]) -> str:
        kept = self._originals / file
        source = kept if kept.exists() else self._tree / file
        if not source.is_file():
            raise EditError(f"mutant {edits[0][0]}: there is no file {file} (anchor {edits[0][1].anchor!r})")
        return source.read_text()

    def _write(self, file: str, text: str) -> bool:
        path, kept = self._tree / file, self._originals / file
        if path.exists() and path.read_text() == text:
            return False
        if path.exists() and not kept.exists() and file != HEADER:
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, kept.with_suffix(".partly"))
            kept.with_suffix(".partly").rename(kept)
        path.write_text(text)
        return True
