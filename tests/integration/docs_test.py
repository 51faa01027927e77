"""Documents that are generated are those that would be generated now."""

import os
import subprocess
import sys
import unittest

from harness import run

SOURCE = os.environ["WRITECANARY_SOURCE"]


class Generated(unittest.TestCase):
    def test_detectors(self):
        printed = subprocess.run([sys.executable, os.path.join(SOURCE, "tests/support/detector-table")],
                                 capture_output=True, text=True, check=True).stdout
        with open(os.path.join(SOURCE, "docs/detectors.md"), encoding="utf-8") as document:
            self.assertEqual(document.read(), printed, "run tests/support/detector-table >docs/detectors.md")


if __name__ == "__main__":
    run.main()
