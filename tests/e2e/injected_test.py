"""Calls of the probe that are interrupted, refused or told of a lost page, by strace: what can go on goes on, what failed
is said, and none of it is a corruption."""

import os
import shutil
import subprocess
import tempfile
import unittest

from harness import run
from harness.check import CLEAN, CORRUPT, FAILED, INCONCLUSIVE, check
from harness.controls import FILE_PREFIX
from harness.mounts import damage_mount, loop_mount, temporary_directory

INTERRUPTED = {
    "reads": "read,pread64,preadv2", "writes": "write,pwrite64,pwritev2", "syncs": "fsync,fdatasync,sync_file_range",
    "others": "ftruncate,fallocate,copy_file_range,sendfile,splice",
}
PROFILES = ("append-sync", "offset", "tail-reader", "large-folio", "copy-after-write", "mixed-model", "direct-append",
            "archive")


class Injected(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run.require_root("a mount")
        probe = subprocess.run(["strace", "-qq", "--trace=openat", "--inject=openat:error=EIO:when=999", "true"],
                               capture_output=True, text=True, check=False)
        if probe.returncode != 0:
            raise unittest.SkipTest(f"strace cannot trace here: {probe.stderr.strip()}")
        cls.directory = cls.enterClassContext(temporary_directory())
        cls.path = cls.enterClassContext(loop_mount(cls.directory, "xfs"))

    def with_fault(self, calls, what, *arguments, path=None):
        """The check, whose calls do not do what they are for but end with that."""
        with tempfile.NamedTemporaryFile(dir=self.directory, prefix="trace") as trace:
            tracer = ["strace", "-f", "-qq", "-o", trace.name, f"--trace={calls}", f"--inject={calls}:{what}"]
            checked = check(path or self.path, *arguments, prefix=tracer)
            self.assertRegex(trace.read(), rb"\(INJECTED\)|killed by SIGKILL", arguments)
        shutil.rmtree(os.path.join(path or self.path, ".writecanary"), ignore_errors=True)
        return checked


class Interrupted(Injected):
    def test_calls_are_made_again(self):
        # Every seventh, from where the program has read its options on.
        for profile in PROFILES:
            for name, calls in INTERRUPTED.items():
                # Of the operations of mixed-model few are calls of one name.
                writes = "400" if profile == "mixed-model" else "60"
                arguments = ("--profile", profile, "--writes", writes, "--duration", "3s")
                if name == "others" and profile not in ("copy-after-write", "mixed-model", "large-folio"):
                    continue
                if name == "syncs" and profile in ("tail-reader", "direct-append"):
                    continue
                with self.subTest(profile, calls=name):
                    checked = self.with_fault(calls, "error=EINTR:when=20+7" if name in ("reads", "writes") else
                                              "error=EINTR:when=1+3", *arguments)
                    self.assertIn(checked.exit_code, (CLEAN, INCONCLUSIVE), checked.run["reason"])
                    self.assertNotIn("EINTR", str(checked.document))


class NoRing(Injected):
    def test_profiles_that_can_do_without_go_on(self):
        for error in ("ENOMEM", "EMFILE", "EPERM"):
            with self.subTest(error):
                done = self.with_fault("io_uring_setup", f"error={error}", "--profile", "mixed-model", "--duration", "3s").run
                self.assertEqual(done["verdict"], "clean", done["reason"])
                self.assertIn("without io_uring", done["reason"])
                self.assertIn(error, done["reason"])

    def test_others_say_what_is_missing(self):
        for profile in ("append", "append-concurrent"):
            with self.subTest(profile):
                checked = self.with_fault("io_uring_setup", "error=EMFILE", "--profile", profile, "--writes", "5")
                self.assertEqual(checked.exit_code, FAILED, checked.document)
                self.assertIn("RLIMIT_NOFILE is ", checked.run["reason"])


class WriteBack(Injected):
    """An error of write-back is told to a descriptor once: whoever waits must look."""

    def test_what_could_not_be_written_back_is_an_error(self):
        for profile in ("large-folio", "shared-blocks", "held-tail"):
            for error in ("EIO", "ENOSPC"):
                with self.subTest(profile, error=error):
                    checked = self.with_fault("sync_file_range", f"error={error}:when=2", "--profile", profile,
                                              "--duration", "10s")
                    self.assertEqual((checked.exit_code, checked.run["finding_counts"]), (FAILED, {}), checked.document)
                    self.assertIn("write back a part of file-", checked.run["reason"])
                    self.assertIn(error, checked.run["reason"])

    def test_a_model_is_not_held_against_what_could_not_be_written_back(self):
        checked = self.with_fault("fsync,fdatasync", "error=EIO:when=4", "--profile", "mixed-model", "--duration", "10s")
        self.assertEqual((checked.exit_code, checked.run["finding_counts"]), (FAILED, {}), checked.document)
        self.assertIn("EIO", checked.run["reason"])


class FailedLook(Injected):
    """What the page cache has wrong is found and told, whatever becomes of the look at storage."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mount = cls.enterClassContext(damage_mount(cls.enterClassContext(temporary_directory())))

    def look_fails(self, profile):
        self.mount.set_rule(file=FILE_PREFIX, kind="zero", at=1, offset=4096, length=512)
        checked = self.with_fault("fsync,fdatasync", "error=EIO", "--profile", profile, "--writes", "20",
                                  path=self.mount.mount_point)
        self.mount.set_rule(kind="none")
        return checked

    def test_the_finding_stays(self):
        for profile in ("offset", "copy-after-write"):
            with self.subTest(profile):
                checked = self.look_fails(profile)
                self.assertEqual(checked.exit_code, CORRUPT, checked.run["reason"])
                self.assertEqual(checked.run["finding_counts"], {"zeroed": 1}, checked.run["findings"])
                [finding] = checked.run["findings"]
                self.assertEqual(finding["views"], {"hot": "wrong", "cold": None, "direct": None})
                self.assertIn("it then failed: fdatasync file-1", checked.run["reason"])

    def test_a_probe_that_is_killed_in_the_look_has_told_it(self):
        self.mount.set_rule(file=FILE_PREFIX, kind="zero", at=1, offset=4096, length=512)
        done = self.with_fault("fdatasync", "signal=KILL:when=1", "--profile", "offset", "--writes", "20",
                               path=self.mount.mount_point).run
        self.mount.set_rule(kind="none")
        self.assertEqual(done["verdict"], "error")
        self.assertEqual(done["finding_counts"], {"zeroed": 1}, done)
        self.assertEqual([finding["kind"] for finding in done["findings"]], ["zeroed"])


class Concurrent(Injected):
    def test_a_smallest_write_that_is_larger_than_the_largest(self):
        done = check(self.path, "--profile", "append-concurrent", "--writes", "12", "--option", "write_min_bytes=500000").run
        self.assertIn(done["verdict"], ("corrupt", "violation", "clean", "unexposed"), done["reason"])
        self.assertGreaterEqual(done["writes"], 12)
        self.assertLessEqual(set(done["finding_counts"]), {"torn", "duplicate"})


if __name__ == "__main__":
    run.main()
