"""Parts of documents that a program prints. They stand between two comments that name the command."""

import subprocess

from harness.run import program

BLOCKS = (("docs/configuration.md", ("writecanaryd", "--config-reference", "markdown")),
          ("docs/man/writecanary.toml.5", ("writecanaryd", "--config-reference", "mdoc")))


def renewed(text, command):
    """The text with what the command prints now in the place of what it printed once."""
    lines = text.splitlines(keepends=True)
    begin, end = ([i for i, line in enumerate(lines) if f"{mark}: {' '.join(command)}" in line] for mark in ("begin", "end"))
    if len(begin) != 1 or len(end) != 1 or begin > end:
        raise ValueError(f"expected one line with \"begin: {' '.join(command)}\" and one with \"end: ...\" after it")
    printed = subprocess.run([program(command[0]), *command[1:]], capture_output=True, text=True, check=True).stdout
    blank = [] if any("mdoc" in word for word in command) else ["\n"]
    return "".join([*lines[:begin[0] + 1], *blank, printed, *blank, *lines[end[0]:]])
