"""The commands that docs/install.md tells an administrator to type."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from harness import markdown  # noqa: E402

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/install.md"
COMMANDS_MAX = 3


def commands(note: str) -> list[str]:
    """The lines of the block above which a comment ends so. Throws AssertionError when there is none, or they are too many."""
    blocks = markdown.split(DOCUMENT.read_text(encoding="utf-8"))[1]
    found = [block.text.splitlines() for block in blocks if block.note.endswith(note)]
    assert len(found) == 1, f"docs/install.md has {len(found)} blocks with a comment that ends with \"{note}\""
    assert len(found[0]) <= COMMANDS_MAX, f"docs/install.md asks for {len(found[0])} commands"
    return found[0]
