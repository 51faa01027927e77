"""The .rpm, installed, upgraded and erased by rpm in a root that has nothing but busybox: neither libraries nor packages."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "kernel")]
import archive_tree as archive  # noqa: E402
import roots  # noqa: E402
from harness import run  # noqa: E402
from kernels import Unavailable  # noqa: E402

VERSION = (archive.ROOT / "VERSION").read_text().strip()
CONFIG = "etc/writecanary/writecanary.toml"
# What is not the package's: rpm's database, what its scripts write to, and what is to stay.
OTHERS = ("var/lib/rpm", "var/tmp", "root/.rpmdb", "dev/", "var/lib/writecanary", "etc/passwd", "etc/group")


class Rpm(unittest.TestCase):
    """The cases build on each other, as an administrator's steps do: unittest runs them by name."""

    @classmethod
    def setUpClass(cls):
        run.require_root("a root of its own")
        cls.package = archive.newest_rpm()
        cls.root = cls.enterClassContext(roots.bare())
        (cls.root.path / "usr/bin").mkdir(parents=True)
        cls.before = cls.files()

    @classmethod
    def files(cls):
        found = {str(path.relative_to(cls.root.path)) for path in cls.root.path.rglob("*") if path.is_symlink() or path.is_file()}
        return {name for name in found if not name.startswith(OTHERS)}

    def rpm(self, *arguments):
        done = subprocess.run(["rpm", "--root", self.root.path, *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def test_1_installs(self):
        self.rpm("-i", self.package)
        self.assertEqual(self.rpm("-q", "writecanary").strip(), self.package.name.removesuffix(".rpm"))
        done = self.root.run("writecanary", "--version")
        self.assertIn(VERSION, done.stdout, done.stderr)
        self.assertIn("writecanary:", (self.root.path / "etc/passwd").read_text())
        self.assertEqual(self.rpm("-V", "writecanary"), "")

    def test_2_everything_that_it_brought_is_its_own(self):
        owned = {name.lstrip("/") for name in self.rpm("-ql", "writecanary").splitlines()}
        self.assertEqual(self.files() - self.before - owned, set())

    def test_3_upgrades_and_keeps_the_configuration(self):
        path = self.root.path / CONFIG
        path.write_text(path.read_text() + "# changed by the administrator\n")
        with tempfile.TemporaryDirectory() as directory:
            higher = archive.rpm_with_revision(archive.newest_archive(), VERSION, "2", Path(directory))
            self.rpm("-U", higher)
        self.assertIn(f"{VERSION}-2", self.rpm("-q", "writecanary"))
        self.assertTrue(path.read_text().endswith("# changed by the administrator\n"))

    def test_4_erases(self):
        self.rpm("-e", "writecanary")
        self.assertEqual(self.files() - self.before, {f"{CONFIG}.rpmsave"})
        self.assertFalse((self.root.path / archive.PREFIX).exists())


if __name__ == "__main__":
    try:
        archive.newest_rpm()
    except Unavailable as reason:
        print(f"rpm: skipped: {reason}")
        sys.exit(77)
    run.main()
