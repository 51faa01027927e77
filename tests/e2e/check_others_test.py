"""`writecanary check` where the trigger cannot be reached: it must say so and why, and never call that clean."""

import json
import os
import subprocess
import unittest

from harness import kernel, run, test_reports
from harness.check import CLEAN, CORRUPT, INCONCLUSIVE, TORN, UNSUPPORTED, check
from harness.controls import FILE_PREFIX
from harness.mounts import damage_mount, loop_mount, temporary_directory


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


# `check --format junit` and `--format tap`, as their readers take them: runs that are clean, that find something, and that prove
# nothing.
READERS = {"junit": test_reports.read_junit, "tap": test_reports.read_tap}


def report(path, form, *arguments):
    """(exit code, cases by name)"""
    command = [run.program("writecanary"), "check", path, "--format", form, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    return ran.returncode, READERS[form](ran.stdout)


class TestReports(unittest.TestCase):
    def test_each_profile_is_a_case(self):
        kernel.require_memory_cgroup()
        run.require_root("XFS on a loop device")
        path = self.enterContext(loop_mount(self.enterContext(temporary_directory()), "xfs"))
        for form in READERS:
            with self.subTest(form):
                code, cases = report(path, form, "--writes", "40")
                self.assertEqual(code, TORN, cases)
                self.assertEqual(set(cases), {"append", "nowait-contract", "append-interposed"})
                torn = cases["append-interposed"]
                self.assertEqual(torn.result, "failed")
                for part in ("torn on xfs, Linux ", "Around the first wrong byte:", "writecanary check ", "seed "):
                    self.assertIn(part, torn.text)
                if not kernel.duplicates_appends():
                    self.assertEqual((cases["append"].result, cases["nowait-contract"].result), ("passed", "passed"))
                    code, cases = report(path, form, "--profile", "append-interposed", "--writes", "40", "--fail-on", "corrupt")
                    self.assertEqual((code, cases["append-interposed"].result), (0, "passed"))

    def test_what_proves_nothing_is_skipped_with_its_reason(self):
        path = self.enterContext(temporary_directory())  # a filesystem that takes no append without blocking, or no cgroup
        told = json.loads(subprocess.run([run.program("writecanary"), "check", path, "--profile", "append", "--writes", "1", "--json"],
                                         capture_output=True, text=True, check=False).stdout)["runs"][0]
        if told["verdict"] not in ("unexposed", "unsupported"):
            self.skipTest(f"append is {told['verdict']} here")
        for form in READERS:
            with self.subTest(form):
                code, cases = report(path, form, "--profile", "append", "--writes", "1")
                self.assertIn(code, (3, 4))
                self.assertEqual(cases["append"].result, "skipped")
                self.assertIn(told["reason"][:40], cases["append"].message)

    def test_corruption_fails_with_the_report(self):
        run.require_root("damagefs")
        mount = self.enterContext(damage_mount(self.enterContext(temporary_directory())))
        for form in READERS:
            with self.subTest(form):
                mount.set_rule(kind="duplicate", at=5, file=FILE_PREFIX)
                code, cases = report(mount.mount_point, form, "--profile", "append-sync", "--writes", "40")
                self.assertEqual((code, cases["append-sync"].result), (CORRUPT, "failed"))
                self.assertIn("duplicate on ", cases["append-sync"].text)
                self.assertEqual(cases["append-sync"].verdict, "corrupt")

    def test_one_form_at_a_time(self):
        ran = subprocess.run([run.program("writecanary"), "check", "/", "--json", "--format", "tap"], capture_output=True, text=True,
                             check=False)
        self.assertEqual((ran.returncode, ran.stdout), (1, ""))


if __name__ == "__main__":
    run.main()
