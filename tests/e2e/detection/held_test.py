"""The profiles whose calls are held open: exposed where the path runs, and never clean where it cannot run."""

import os
import re
import shutil
import unittest
from unittest import mock

from harness import run
from harness.check import CLEAN, INCONCLUSIVE, check
from harness.mounts import loop_mount, temporary_directory, tmpfs_mount

HELD = ("shared-blocks", "held-tail", "held-append", "held-resize", "held-copy", "held-direct", "held-read", "held-source")
NOBODY = 65534


def release():
    return tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2])


def may_hold():
    """As root a process may, unless the kernel has no userfaultfd."""
    with open("/proc/kallsyms", encoding="ascii") as symbols:
        return any("userfaultfd" in line for line in symbols)


def held(path, profile, holds=24, prefix=()):
    option = ("files", 1) if profile == "held-append" else ("holds", holds)
    return check(path, "--profile", profile, "--option", f"{option[0]}={option[1]}", "--seed", "5", prefix=prefix)


@unittest.skipUnless(may_hold(), "this kernel has no userfaultfd")
class HeldTest(unittest.TestCase):
    def mount(self, fstype, **options):
        return self.enterContext(loop_mount(self.enterContext(temporary_directory()), fstype, **options))

    def assert_unexposed(self, checked, *words):
        self.assertEqual((checked.exit_code, checked.run["verdict"]), (INCONCLUSIVE, "unexposed"), checked.run)
        self.assertEqual(checked.run["finding_counts"], {}, checked.run["findings"])
        for word in words:
            self.assertIn(word, checked.run["reason"])


class Exposed(HeldTest):
    """What is asked of every second hold; a busy machine may lose some."""

    # btrfs with checksums makes no direct writes since 6.15; what it cannot shift, the profile leaves out.
    NOT_DIRECT = ("held-direct",) if release() >= (6, 15) else ()

    def check_all(self, path, but=()):
        for profile in HELD:
            if profile in but:
                continue
            with self.subTest(profile):
                checked = held(path, profile, holds=48)
                self.assertEqual((checked.exit_code, checked.run["finding_counts"]), (CLEAN, {}), checked.run)
                self.assertGreaterEqual(checked.run["exposures"], 20, checked.run["reason"])
        self.assertNotIn(".writecanary", os.listdir(path), "nothing is left behind")

    def test_xfs(self):
        self.check_all(self.mount("xfs"))

    def test_ext4(self):
        self.check_all(self.mount("ext4"))

    def test_btrfs(self):
        self.check_all(self.mount("btrfs"), self.NOT_DIRECT)


class NeverClean(HeldTest):
    """The negative controls: nothing is written back, nothing is unwritten, nothing is direct, nothing can be held."""

    def test_tmpfs_has_nothing_below_it(self):
        path = self.enterContext(tmpfs_mount(self.enterContext(temporary_directory())))
        self.assert_unexposed(held(path, "shared-blocks"), "24 had blocks that could not be evicted", "FIEMAP")
        self.assert_unexposed(held(path, "held-tail"))
        self.assert_unexposed(held(path, "held-direct"), "tmpfs takes O_DIRECT and writes to the page cache")

    def test_a_sync_mount_has_written_the_neighbour_already(self):
        for fstype in ("xfs", "ext4"):
            with self.subTest(fstype):
                path = self.mount(fstype, options="loop,sync")
                self.assert_unexposed(held(path, "shared-blocks"), f"24 had blocks that {fstype} does not call unwritten")

    def test_ext4_without_extents_preallocates_nothing(self):
        path = self.mount("ext4", mkfs=("-O", "^extents,^64bit"))
        self.assert_unexposed(held(path, "shared-blocks"), "ext4 preallocates no blocks")

    @unittest.skipUnless(release() >= (6, 15), "btrfs makes direct writes with checksums before 6.15")
    def test_btrfs_with_checksums_writes_nothing_directly(self):
        self.assert_unexposed(held(self.mount("btrfs"), "held-direct"), "btrfs takes O_DIRECT and writes to the page cache")

    def test_who_may_not_hold_is_told_what_to_change(self):
        if os.path.exists("/dev/userfaultfd") and os.stat("/dev/userfaultfd").st_mode & 0o006:
            self.skipTest("everyone may open /dev/userfaultfd here")
        with open("/proc/sys/vm/unprivileged_userfaultfd", encoding="ascii") as setting:
            if setting.read().strip() != "0":
                self.skipTest("everyone may use userfaultfd here")
        path = self.mount("xfs")
        directory = os.path.dirname(path)
        os.chmod(directory, 0o755)
        os.chown(path, NOBODY, NOBODY)
        for name in ("writecanary", "writecanary-probe"):  # the tree may be where only root can go
            shutil.copy(run.program(name), directory)
        self.enterContext(mock.patch.dict(os.environ, WRITECANARY_BIN=directory))
        for profile in HELD:
            with self.subTest(profile):
                checked = held(path, profile, prefix=("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"))
                self.assert_unexposed(checked, "no call can be held open", "vm.unprivileged_userfaultfd = 1",
                                      "/dev/userfaultfd")


if __name__ == "__main__":
    run.main()
