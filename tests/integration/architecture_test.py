"""docs/ARCHITECTURE.md is true as far as a program can tell: its folders and files are there, and each invariant names
tests that are there."""

import json
import os
import re
import subprocess
import unittest
from pathlib import Path

from harness import markdown, run

ROOT = Path(os.environ["WRITECANARY_SOURCE"])
BUILD = Path(os.environ["WRITECANARY_BIN"]).parent
CODE = re.compile(r"`([^`]+)`")
GTEST = re.compile(r"^TEST(?:_F|_P)?\((\w+), (\w+)", re.M)


def table(heading):
    """Rows of the table below a heading, without its head."""
    rows, within = [], False
    for _, line in markdown.split((ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8"))[0]:
        if line.startswith("## "):
            within = line == f"## {heading}"
        elif within and line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows[2:]


def commands():
    """{name of a test as ctest knows it: its command}"""
    shown = subprocess.run(["ctest", "--test-dir", BUILD, "--show-only=json-v1"], capture_output=True, text=True, check=True)
    return {test["name"]: test["command"] for test in json.loads(shown.stdout)["tests"]}


def cases(name, command):
    """What a test of ctest is made of, as written in its sources: Suite.Name, or test_name."""
    if folder := re.match(r"unit_(\w+)$", name):
        sources = (path.read_text(encoding="utf-8") for path in (ROOT / "tests/unit" / folder.group(1)).rglob("*.cpp"))
        return {f"{suite}.{case}" for source in sources for suite, case in GTEST.findall(source)}
    scripts = [Path(part) for part in command if part.endswith(".py")]
    return set(re.findall(r"^    def (test_\w+)\(", scripts[0].read_text(encoding="utf-8"), re.M)) if scripts else set()


def is_there(folder, name):
    """A file or folder of the tree, below the folder or the root, with or without the end of its name."""
    return any(any(place.glob(pattern)) for place in (ROOT / folder, ROOT) for pattern in (name.rstrip("/"), f"{name}.*"))


class Architecture(unittest.TestCase):
    def test_every_folder_is_on_the_map(self):
        listed = subprocess.run(["git", "-C", ROOT, "-c", f"safe.directory={ROOT}", "ls-tree", "-d", "--name-only", "HEAD"],
                                capture_output=True, text=True, check=False)
        if listed.returncode != 0:
            self.skipTest("this is no clone, so nobody knows which folders belong to it")
        mapped = {name.strip("/") for row in table("Where things are") for name in CODE.findall(row[0])}
        self.assertEqual(mapped, {name for name in listed.stdout.split() if not name.startswith(".")})

    def test_what_it_names_is_there(self):
        rows = table("Where things are") + table("Rooms")
        named = [(CODE.findall(row[0])[0], name) for row in rows for name in CODE.findall(row[1])]
        files = [(folder, name) for folder, name in named if re.fullmatch(r"[a-z][\w./*]*", name)]
        self.assertGreater(len(files), 40)
        self.assertEqual([pair for pair in files if not is_there(*pair)], [])
        self.assertFalse(is_there("probe/", "nowhere"))

    def test_each_invariant_is_held_by_tests_that_are_there(self):
        known, missing = commands(), []
        for number, invariant, holders in table("Invariants"):
            names = CODE.findall(holders)
            self.assertTrue(names, f"{number}: {invariant}: no test is named")
            for name in names:
                test, _, case = name.partition(" ")
                if test not in known or (case and case not in cases(test, known[test])):
                    missing.append(f"{number}: {name}")
        self.assertEqual(missing, [])

    def test_invariants_are_numbered(self):
        numbers = [int(row[0]) for row in table("Invariants")]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertGreaterEqual(len(numbers), 12)


if __name__ == "__main__":
    run.main()
