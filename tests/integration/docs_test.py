"""Documents that are generated are those that would be generated now."""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from harness import generated, markdown, run, session

SOURCE = os.environ["WRITECANARY_SOURCE"]


class Generated(unittest.TestCase):
    def test_detectors(self):
        printed = subprocess.run([sys.executable, os.path.join(SOURCE, "tests/support/detector-table")],
                                 capture_output=True, text=True, check=True).stdout
        with open(os.path.join(SOURCE, "docs/detectors.md"), encoding="utf-8") as document:
            self.assertEqual(document.read(), printed, "run tests/support/detector-table >docs/detectors.md")

    def test_reference_of_the_configuration(self):
        for path, block in generated.BLOCKS:
            with self.subTest(path):
                with open(os.path.join(SOURCE, path), encoding="utf-8") as document:
                    text = document.read()
                self.assertEqual(text, generated.renewed(text, block), "run tests/support/config-reference")


class Problems(unittest.TestCase):
    """Every refusal has a type, and /problems/TYPE says what it means."""

    REFUSAL = re.compile(r'(?:\b(?:[45]\d\d|status),|\b(?:conflict|unavailable|not_found)\()\s*"([a-z]+(?:-[a-z]+)*)"')

    def test_each_type_is_explained(self):
        types = Path(SOURCE, "api/refusal/problem_types.cpp")
        explained = set(re.findall(r'^    \{"([a-z-]+)", "', types.read_text(encoding="utf-8"), re.MULTILINE))
        used = {name for folder in ("api", "daemon") for path in Path(SOURCE, folder).rglob("*.cpp") if path != types
                for name in self.REFUSAL.findall(path.read_text(encoding="utf-8"))}
        self.assertGreater(len(used), 30)
        self.assertEqual(used - explained, set(), "not explained in api/refusal/problem_types.cpp")
        self.assertEqual(explained - used, set(), "explained, but no refusal has it")


class Blocks(unittest.TestCase):
    """What e2e_commands goes by: docs/contributing.md says how commands are written down."""

    @classmethod
    def setUpClass(cls):
        cls.blocks = [(f"{path.relative_to(SOURCE)}:{block.line}", block) for path in markdown.documents(SOURCE)
                      for block in markdown.split(path.read_text(encoding="utf-8"))[1]]

    def test_each_names_its_language(self):
        self.assertGreater(len(self.blocks), 40)
        self.assertEqual([where for where, block in self.blocks if not block.language], [])

    def test_a_note_on_commands_is_one_that_means_something(self):
        shell = [(where, block) for where, block in self.blocks if block.language == "sh"]
        self.assertEqual([(where, block.note) for where, block in shell if block.note and not session.NOTE.match(block.note)], [])

    def test_most_commands_are_run(self):
        shell = [block for _, block in self.blocks if block.language == "sh"]
        self.assertGreater(sum(not block.note.startswith("not run") for block in shell), len(shell) / 2)

    def test_commands_are_run_as_they_are_written(self):
        text = "<!-- not run: x -->\n```sh\nfalse\n```\n<!-- exits 0 2: y -->\n```sh\ncurl http://HOST/$HOST # HOSTS\n```\n"
        script = session.script(text, {"HOST": "h:1"})
        self.assertIn("block 7 '0 2'\ncurl http://h:1/$HOST # HOSTS\n", script)
        self.assertNotIn("\nfalse\n", script)


if __name__ == "__main__":
    run.main()
