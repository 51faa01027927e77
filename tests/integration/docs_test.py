"""Documents that are generated are those that would be generated now."""

import os
import subprocess
import sys
import unittest

from harness import generated, run

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


if __name__ == "__main__":
    run.main()
