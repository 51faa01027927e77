"""Includes point one way (docs/ARCHITECTURE.md). Fails on every #include that points another."""

import os
import re
import tempfile
import unittest
from pathlib import Path

from harness import run

# What a folder may include besides itself.
ALLOWED = {
    "core": set(),
    "probe": {"core"},
    "storage": {"core"},
    "web": set(),
    "api": {"core", "storage", "web"},
    "daemon": {"core", "storage", "api"},
    "cli": {"core"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')
GENERATED = {"core/version.h", "core/known_issues_data.h"}


def forbidden_includes(root):
    """Every include of the project's own headers that the table does not allow, or that names no file."""
    found = []
    for folder in ALLOWED:
        for source in sorted(Path(root, folder).rglob("*")):
            if source.suffix in (".h", ".cpp"):
                found += complaints(Path(root), source, folder)
    return found


def complaints(root, source, folder):
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        included = match.group(1)
        other = included.split("/")[0]
        where = f"{source.relative_to(root)}:{number}: {folder}/"
        if '"' in line and other not in ALLOWED:
            yield f'{where} includes "{included}": write project headers with their folder, others in <>'
        elif other in ALLOWED and "/" in included:
            if other != folder and other not in ALLOWED[folder]:
                yield f"{where} must not include {other}/ ({included})"
            elif not (root / included).exists() and included not in GENERATED:
                yield f"{where} includes {included}, which does not exist"


class Includes(unittest.TestCase):
    def test_this_tree(self):
        self.assertEqual(forbidden_includes(os.environ["WRITECANARY_SOURCE"]), [])


class TheCheckItself(unittest.TestCase):
    def setUp(self):
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.write("core/a.h", "#pragma once\n#include <string>\n")
        self.write("probe/b.cpp", '#include "probe/b.h"\n#include "core/a.h"\n#include "core/version.h"\n')
        self.write("probe/b.h", "")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def test_allowed_arrows_pass(self):
        self.assertEqual(forbidden_includes(self.root), [])

    def test_every_forbidden_arrow_is_caught(self):
        for folder, allowed in ALLOWED.items():
            for other in set(ALLOWED) - allowed - {folder}:
                with self.subTest(f"{folder} -> {other}"), tempfile.TemporaryDirectory() as root:
                    self.root = Path(root)
                    self.write(f"{other}/a.h", "")
                    self.write(f"{folder}/deep/x.cpp", f'// first\n  #  include "{other}/a.h"\n')
                    [complaint] = forbidden_includes(root)
                    self.assertIn(f"{folder}/deep/x.cpp:2: {folder}/ must not include {other}/", complaint)

    def test_angle_brackets_do_not_hide_an_arrow(self):
        self.write("core/c.cpp", "#include <probe/b.h>\n")
        self.assertEqual(len(forbidden_includes(self.root)), 1)

    def test_a_header_without_its_folder_is_caught(self):
        self.write("core/c.cpp", '#include "a.h"\n')
        self.assertEqual(len(forbidden_includes(self.root)), 1)

    def test_a_header_that_is_not_there_is_caught(self):
        self.write("probe/c.cpp", '#include "core/gone.h"\n')
        self.assertEqual(len(forbidden_includes(self.root)), 1)


if __name__ == "__main__":
    run.main()
