"""`check --format junit` and `--format tap`, as their readers take them: runs that are clean, that find something, that prove nothing
and that cannot be made here."""

import json
import subprocess
import unittest

from harness import kernel, run, test_reports
from harness.check import CORRUPT, TORN
from harness.controls import FILE_PREFIX
from harness.mounts import damage_mount, loop_mount, temporary_directory

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
