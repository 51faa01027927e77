"""Duplicates in a file, found without any knowledge of the canary's pattern or classifier.

All that is used: the file was written in whole words by one writer, and no word of what was written occurs twice. So
a word that was seen before is a second copy, and the position of its first copy among the words seen for the first
time is where it belongs. An independent check of what the classifier reports.
"""

import array
import dataclasses
from typing import Any

WORD_BYTES = 8
PAGE_BYTES = 4096


@dataclasses.dataclass(frozen=True, order=True)
class Duplicate:
    offset_bytes: int  # in the file
    length_bytes: int
    source_offset_bytes: int  # where the bytes belong in what was written

    def continued_by(self, offset_bytes: int, source_offset_bytes: int) -> bool:
        return (offset_bytes == self.offset_bytes + self.length_bytes
                and source_offset_bytes == self.source_offset_bytes + self.length_bytes)


def duplicates(contents: bytes) -> list[Duplicate]:
    """All maximal duplicates, by offset."""
    words = array.array("Q", contents[: len(contents) // WORD_BYTES * WORD_BYTES])
    position: dict[int, int] = {}  # word -> its index in the stream
    found: list[Duplicate] = []
    for index, word in enumerate(words):
        if word not in position:
            position[word] = len(position)
            continue
        here, source = index * WORD_BYTES, position[word] * WORD_BYTES
        if found and found[-1].continued_by(here, source):
            last = found[-1]
            found[-1] = dataclasses.replace(last, length_bytes=last.length_bytes + WORD_BYTES)
        else:
            found.append(Duplicate(here, WORD_BYTES, source))
    return found


def compare(contents: bytes, log: dict[str, Any], findings: list[dict[str, Any]]) -> list[str]:
    """Where the findings of a kept file differ from the file and from the log of its writes, in words."""
    actual = duplicates(contents)
    reported = sorted(Duplicate(finding["offset_bytes"], finding["length_bytes"], finding["source_offset_bytes"])
                      for finding in findings)
    found = [f"not reported, or otherwise: {duplicate}" for duplicate in actual if duplicate not in reported]
    found += [f"reported but not in the file: {duplicate}" for duplicate in reported if duplicate not in actual]
    for finding in findings:
        if finding["page_aligned"] != (finding["offset_bytes"] % PAGE_BYTES == 0):
            found.append(f"page_aligned is wrong for offset {finding['offset_bytes']}")
    acknowledged = sum(write["result"] for write in log["writers"][0])
    surplus = len(contents) - acknowledged
    if surplus != sum(duplicate.length_bytes for duplicate in actual):
        found.append(f"the file has {surplus} bytes more than were acknowledged, which its duplicates do not explain")
    return found
