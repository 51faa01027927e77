"""`writecanary check` where the trigger cannot be reached: it must say so and why, and never call that clean."""

import os
import subprocess
import unittest

from harness import kernel, run
from harness.check import CLEAN, INCONCLUSIVE, UNSUPPORTED, check
from harness.mounts import loop_mount, temporary_directory


# Profiles whose trigger is a non-blocking buffered write that stops part-way.
NEED_INLINE_WRITES = ("append", "nowait-contract", "append-interposed", "append-concurrent", "offset", "append-async",
                      "append-sync")


class CannotBeExposed:
    """The cases, for a class that names the filesystem."""

    fstype = ""

    @classmethod
    def setUpClass(cls):
        cls.path = cls.enterClassContext(loop_mount(cls.enterClassContext(temporary_directory()), cls.fstype))

    def test_every_profile_says_that_it_proves_nothing(self):
        for profile in NEED_INLINE_WRITES:
            with self.subTest(profile):
                checked = check(self.path, "--profile", profile, "--writes", "40")
                self.assertIn(checked.exit_code, (INCONCLUSIVE, UNSUPPORTED))
                done = checked.run
                self.assertIn(done["verdict"], ("unexposed", "unsupported"), done)
                self.assertNotEqual(done["reason"], "")

    def test_nothing_is_left_behind(self):
        check(self.path, "--profile", "append", "--writes", "5")
        self.assertNotIn(".writecanary", os.listdir(self.path))


class CheckOnExt4(CannotBeExposed, unittest.TestCase):
    fstype = "ext4"


class CheckOnBtrfs(CannotBeExposed, unittest.TestCase):
    fstype = "btrfs"


class CheckOnBtrfsWithoutCopyOnWrite(unittest.TestCase):
    """chattr +C on a directory: new files in it are written in place, and a non-blocking write can be short.

    btrfs allocates the pages of such a write with flags that may block, so a memory limit stops few of them. How many
    is chance, and whether they suffice for a verdict; that there are some, and no false alarm, is not.
    """

    @classmethod
    def setUpClass(cls):
        kernel.require_memory_cgroup()
        kernel.require_fixed()
        mount_point = cls.enterClassContext(loop_mount(cls.enterClassContext(temporary_directory()), "btrfs"))
        cls.path = os.path.join(mount_point, "nocow")
        os.mkdir(cls.path)
        subprocess.run(["chattr", "+C", cls.path], check=True)

    def test_nowait_contract_is_exposed(self):
        checked = check(self.path, "--profile", "nowait-contract", "--writes", "400")
        self.assertIn(checked.exit_code, (CLEAN, INCONCLUSIVE), checked.run)
        self.assertGreater(checked.run["exposures"], 0, checked.run)
        self.assertEqual(checked.run["finding_counts"], {})


class CheckElsewhere(unittest.TestCase):
    def test_a_path_that_is_not_there(self):
        ran = subprocess.run([run.program("writecanary"), "check", "/nowhere/at/all"], capture_output=True, text=True,
                             check=False)
        self.assertEqual((ran.returncode, ran.stdout), (1, ""))
        self.assertIn("/nowhere/at/all", ran.stderr)


if __name__ == "__main__":
    run.main()
