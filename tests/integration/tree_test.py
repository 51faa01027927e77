"""Properties of every file of the tree: its size, no unfinished work, and scripts that a shell understands."""

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import run

ROOT = Path(os.environ["WRITECANARY_SOURCE"])
LINES_MAX = 350
SOURCE_SUFFIXES = {".h", ".cpp", ".py", ".js", ".ts", ".tsx", ".css", ".cmake", ".sh"}
# Spelt so that this file does not match itself.
UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + "ME|X" + r"XX)\b")


def tree_files():
    """What belongs to the tree: known to git, or new and not ignored; without git, all but build directories."""
    listing = subprocess.run(["git", "-C", ROOT, "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-co",
                              "--exclude-standard"], capture_output=True, check=False)
    if listing.returncode == 0:
        names = listing.stdout.decode().split("\0")[:-1]
        return sorted(path for path in (ROOT / name for name in names) if path.is_file())
    skipped = {"build", "node_modules", ".git", "__pycache__"}
    return sorted(p for p in ROOT.rglob("*") if p.is_file() and not skipped & set(p.relative_to(ROOT).parts))


def first_line(path):
    with open(path, "rb") as file:
        return file.readline(200).decode(errors="replace")


def text_of(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def is_source(path):
    return path.suffix in SOURCE_SUFFIXES or path.name == "CMakeLists.txt" or first_line(path).startswith("#!")


class Tree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = tree_files()

    def test_the_listing_is_not_empty(self):
        self.assertIn(ROOT / "CMakeLists.txt", self.files)

    def test_no_source_file_is_too_long(self):
        counts = ((path, text_of(path).count("\n")) for path in self.files if is_source(path))
        self.assertEqual([f"{path.relative_to(ROOT)}: {n} lines" for path, n in counts if n > LINES_MAX], [])

    def test_nothing_is_left_unfinished(self):
        found = [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
            for path in self.files
            for number, line in enumerate(text_of(path).splitlines(), 1)
            if UNFINISHED.search(line)
        ]
        self.assertEqual(found, [])

    def test_python_compiles(self):
        for path in self.files:
            if path.suffix == ".py" or "python3" in first_line(path):
                with self.subTest(path.relative_to(ROOT)):
                    compile(text_of(path), path, "exec")


class ShellScripts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scripts = [path for path in tree_files() if re.match(r"#!.*\b(ba)?sh\b", first_line(path))]

    def test_there_are_some(self):
        names = {str(path.relative_to(ROOT)) for path in self.scripts}
        self.assertLessEqual({"scripts/setup", "scripts/test", "scripts/demo", "scripts/format", ".ci/run"}, names)

    def test_they_are_executable_and_parse(self):
        for path in self.scripts:
            with self.subTest(path.relative_to(ROOT)):
                shell = "bash" if "bash" in first_line(path) else "sh"
                subprocess.run([shell, "-n", path], check=True)
                if path.suffix != ".sh" and path.name != "init":
                    self.assertTrue(os.access(path, os.X_OK), "is not executable")

    def test_shellcheck(self):
        if not shutil.which("shellcheck"):
            self.skipTest("shellcheck is not installed")
        # SC2187: busybox sh in the guests is meant.
        checked = subprocess.run(["shellcheck", "-x", "-S", "warning", "-e", "SC2187", *self.scripts], cwd=ROOT, capture_output=True,
                                 text=True, check=False)
        self.assertEqual(checked.stdout + checked.stderr, "")


if __name__ == "__main__":
    run.main()
