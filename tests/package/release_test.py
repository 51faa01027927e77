"""scripts/release refuses what could not be had again, and says what to do. That it builds is seen by calling it."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import run

ROOT = Path(os.environ["WRITECANARY_SOURCE"])
VERSION = (ROOT / "VERSION").read_text().strip()


class Refusals(unittest.TestCase):
    def setUp(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        self.copy = Path(directory) / "copy"
        cloned = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "clone", "-q", "--no-tags", ROOT, self.copy], capture_output=True)
        if cloned.returncode != 0:
            self.skipTest("this is no clone, so there is no commit to release")
        # As it is here, not as it was in the last commit.
        shutil.copy(ROOT / "scripts/release", self.copy / "scripts/release")
        self.git("add", "scripts/release")
        self.git("commit", "-q", "--allow-empty", "-m", "as it is here")

    def git(self, *arguments):
        subprocess.run(["git", "-C", self.copy, "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True, capture_output=True)

    def refused(self):
        done = subprocess.run([self.copy / "scripts/release"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertFalse((self.copy / "build").exists())
        return done.stderr

    def test_a_tree_with_changes(self):
        (self.copy / "new").write_text("x")
        self.assertIn("the tree has changes that are in no commit, so nobody could build this again. Commit or remove: ?? new",
                      self.refused())

    def test_no_tag(self):
        self.assertIn(f"there is no tag v{VERSION}, which the file VERSION asks for. Make it: git tag", self.refused())

    def test_a_tag_of_another_commit(self):
        self.git("tag", f"v{VERSION}")
        self.git("commit", "-q", "--allow-empty", "-m", "another")
        self.assertIn(f"and HEAD is not. Check it out: git checkout v{VERSION}", self.refused())

    def test_a_changelog_that_does_not_know_it(self):
        changelog = self.copy / "CHANGELOG.md"
        changelog.write_text(changelog.read_text().replace(f"## {VERSION}", "## Unreleased"))
        self.git("commit", "-qa", "--allow-empty", "-m", "not yet")
        self.git("tag", f"v{VERSION}")
        self.assertIn(f'CHANGELOG.md has no section "## {VERSION}"', self.refused())


if __name__ == "__main__":
    run.main()
