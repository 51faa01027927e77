"""The order of Debian's versions (deb-version(7)), without an epoch: kernels have none. Pure."""

import re


def upstream(version: str) -> str:
    """Of "6.12.90-2~bpo12+1" it is "6.12.90"."""
    return version.rpartition("-")[0] or version


def series(version: str) -> str:
    """Of "6.12.90-2" it is "6.12"."""
    return ".".join(version.split(".")[:2]).partition("-")[0]


def order(version: str) -> list[tuple[list[int], int]]:
    """A key to sort by: alternately text and number, upstream part before revision."""
    head, _, revision = version.rpartition("-")
    return _part(head or revision) + _part(revision if head else "0")


def _part(text: str) -> list[tuple[list[int], int]]:
    # The end counts as 0: a tilde is before it, letters are after it, and all else is after letters.
    return [([*map(_weight, word), 0], int(number or 0)) for word, number in re.findall(r"(\D*)(\d*)", text)]


def _weight(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256
