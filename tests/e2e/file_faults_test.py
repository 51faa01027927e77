"""The n-th file call of each kind fails, for n = 1, 2, 3, ...: a run ends with a verdict or with an error, never with a
corruption that is none, a crash or a hang; a database that was made is sound, and the next run works.

strace makes the calls fail, in the command line tool, the daemon and their probes alike; each process counts its own.
From the thirtieth call on some are left out, ever more, unless WRITECANARY_FAULTS=all.
"""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from harness import run
from harness.check import CLEAN, CORRUPT, INCONCLUSIVE, check
from harness.mounts import loop_mount, temporary_directory

# What each kind of call can say on a filesystem that is in trouble.
FAULTS = {
    "openat": "EIO", "mkdirat,mkdir": "ENOSPC", "read,pread64": "EIO", "write,pwrite64,pwritev2": "ENOSPC",
    "fsync,fdatasync": "EIO", "unlink,unlinkat": "EROFS", "rename,renameat2": "EIO", "ftruncate,fallocate": "ENOSPC",
    "newfstatat,statx,fstat": "EIO", "fstatfs,statfs": "EIO", "flock": "EIO", "getdents64": "EIO",
    "io_uring_setup,io_uring_register": "ENOMEM", "io_uring_enter": "EAGAIN",
}
SECONDS = 60
# The fault met the sanitizer of an instrumented program and not the program: it read its options, which say not to look
# for leaks, or tried out whether memory can be read.
SANITIZER_FAULT = re.compile("LeakSanitizer does not work under ptrace|SanitizerTool: CHECK failed")


def after(number):
    return number + 1 if number < 30 or os.environ.get("WRITECANARY_FAULTS") == "all" else number + number // 8


def with_fault(calls, error, number, command, state):
    """The process that ran the command, and whether a call was made to fail."""
    with tempfile.NamedTemporaryFile(dir=state, prefix="trace") as trace:
        tracer = ["strace", "-f", "-qq", "-o", trace.name, f"--trace={calls}",
                  f"--inject={calls}:error={error}:when={number}"]
        ran = subprocess.run([*tracer, *command], capture_output=True, text=True, timeout=SECONDS, check=False)
        return ran, b"(INJECTED)" in trace.read()


class FileFaults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run.require_root("a loop mount")
        probe = subprocess.run(["strace", "-qq", "--trace=openat", "--inject=openat:error=EIO:when=999", "true"],
                               capture_output=True, text=True, check=False)
        if probe.returncode != 0:
            raise unittest.SkipTest(f"strace cannot trace here: {probe.stderr.strip()}")
        cls.directory = cls.enterClassContext(temporary_directory())
        cls.path = cls.enterClassContext(loop_mount(cls.directory, "xfs"))

    def each_fault(self, command, judge):
        """Runs the command with each fault; judge(what) looks at what it left behind."""
        unharmed = subprocess.run(command(), capture_output=True, text=True, timeout=SECONDS, check=False)
        self.assertIn(unharmed.returncode, (CLEAN, INCONCLUSIVE), unharmed.stdout + unharmed.stderr)
        failed = 0
        for calls, error in FAULTS.items():
            number = 1
            while True:
                shutil.rmtree(os.path.join(self.path, ".writecanary"), ignore_errors=True)
                ran, injected = with_fault(calls, error, number, command(), self.directory)
                if not injected:
                    break
                if SANITIZER_FAULT.search(ran.stderr):
                    number = after(number)
                    continue
                what = f"{error} from call {number} of {calls}, exit {ran.returncode}: {ran.stdout}{ran.stderr}"
                self.assertGreaterEqual(ran.returncode, 0, what)
                self.assertLess(ran.returncode, 128, what)
                self.assertNotEqual(ran.returncode, CORRUPT, what)
                self.assertNotRegex(ran.stderr, re.compile("terminate called|Segmentation|runtime error|Sanitizer"), what)
                # What could not be written cannot be read here.
                if ran.returncode != CLEAN and not calls.startswith("write"):
                    self.assertNotEqual((ran.stdout + ran.stderr).strip(), "", what)
                judge(what)
                failed += ran.returncode != CLEAN
                number = after(number)
        self.assertGreater(failed, 10, "faults that matter")
        last = check(self.path, "--profile", "append-sync", "--writes", "3")
        self.assertIn(last.exit_code, (CLEAN, INCONCLUSIVE), last.document)

    def test_check(self):
        evidence = os.path.join(self.directory, "evidence")
        command = [run.program("writecanary"), "check", self.path, "--profile", "append-sync", "--writes", "3",
                   "--keep-evidence", evidence]

        def judge(what):
            self.assertFalse(os.path.exists(evidence) and os.listdir(evidence), what)

        self.each_fault(lambda: command, judge)

    def test_daemon(self):
        state = os.path.join(self.directory, "state")
        configuration = os.path.join(self.directory, "writecanary.toml")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(f'[storage]\npath = "{state}/results.db"\n[defaults]\nprofiles = ["append-sync"]\n'
                       f'writes = 3\n[[target]]\nname = "data"\npath = "{self.path}"\n')

        def command():
            shutil.rmtree(state, ignore_errors=True)
            os.mkdir(state)
            return [run.program("writecanaryd"), "--config", configuration, "--once"]

        def judge(what):
            database = os.path.join(state, "results.db")
            if not os.path.exists(database):
                return
            with contextlib.closing(sqlite3.connect(database)) as connection:
                self.assertEqual(connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)], what)
                if connection.execute("PRAGMA user_version").fetchone()[0] > 0:
                    verdicts = connection.execute("SELECT verdict FROM runs").fetchall()
                    self.assertNotIn(("corrupt",), verdicts, what)

        self.each_fault(command, judge)


if __name__ == "__main__":
    run.main()
