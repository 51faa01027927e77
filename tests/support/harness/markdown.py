"""The project's documents as tests read them: headings, links and fenced blocks. As much Markdown as is used here."""

import dataclasses
import re
import subprocess
from pathlib import Path

FENCE = re.compile(r"^( *)```(\w*)$")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6} (.*?) *#*$")
COMMENT = re.compile(r"^<!-- (.*?) -->$")


@dataclasses.dataclass
class Block:
    """A fenced block: its language, its lines, the line number of its first one, and the comment right above it."""
    language: str
    text: str
    line: int
    note: str


def documents(root):
    """Every Markdown file that belongs to the tree."""
    listed = subprocess.run(["git", "-C", root, "-c", f"safe.directory={root}", "ls-files", "-z", "-co", "--exclude-standard",
                             "*.md"], capture_output=True, check=False)
    if listed.returncode == 0:
        return sorted(path for name in listed.stdout.decode().split("\0")[:-1] if (path := Path(root, name)).is_file())
    skipped = {"build", "node_modules", ".git"}
    return sorted(path for path in Path(root).rglob("*.md") if not skipped & set(path.relative_to(root).parts))


def split(text):
    """(lines of prose with their numbers, blocks)"""
    prose, blocks, opened, above = [], [], None, ""
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if opened is not None and fence and not fence.group(2):
            blocks.append(opened)
            opened = None
        elif opened is not None:
            opened.text += line + "\n"
        elif fence:
            note = COMMENT.match(above)
            opened = Block(fence.group(2), "", number + 1, note.group(1) if note else "")
        else:
            prose.append((number, line))
            above = line
    if opened is not None:
        raise ValueError(f"line {opened.line - 1}: this block is never closed")
    return prose, blocks


def without_code(line):
    return re.sub(r"(`+).*?\1", "", line)


def links(text):
    """(line number, address) of each link and picture outside code."""
    return [(number, address) for number, line in split(text)[0] for address in LINK.findall(without_code(line))]


def anchors(text):
    """What a link's #fragment may be: the headings as GitHub and GitLab name them."""
    names, seen = set(), {}
    for _, line in split(text)[0]:
        if heading := HEADING.match(line):
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1))
            name = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            again = seen.get(name, 0)
            seen[name] = again + 1
            names.add(f"{name}-{again}" if again else name)
    return names
