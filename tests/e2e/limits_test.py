"""Limits of the process and of the filesystem that end others by a signal: here each is an error with its reason, what was
acknowledged before is judged, and nothing is left behind."""

import contextlib
import os
import resource
import shutil
import subprocess
import unittest

from harness import run
from harness.check import FAILED, check
from harness.daemon import closed_window, running_daemon
from harness.mounts import loop_mount, temporary_directory, unmount
from harness.waiting import wait_until

KIB = 1024
WRITERS = ("append", "nowait-contract", "append-interposed", "append-concurrent", "append-async", "append-sync", "offset",
           "tail-reader", "shared-blocks", "large-folio", "collapse", "direct-append", "copy-after-write", "mixed-model", "archive",
           "forgotten-inode", "side-by-side")


@contextlib.contextmanager
def file_size_limit(bytes_max):
    """For what is started meanwhile: a write beyond it ends a process by SIGXFSZ, unless that is ignored."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def full_tmpfs(directory, left):
    """A tmpfs with so many bytes left."""
    path = os.path.join(directory, "full")
    os.makedirs(path, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "full", path], check=True)
    try:
        with open(os.path.join(path, "fill"), "wb") as file:
            file.write(bytes((8 << 20) - left - (64 << 10)))
        yield path
    finally:
        unmount(path)


class FileSize(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = cls.enterClassContext(temporary_directory())
        cls.path = cls.enterClassContext(loop_mount(directory, "xfs"))

    def test_every_profile_ends_with_an_error_that_says_so(self):
        for profile in WRITERS:
            with self.subTest(profile):
                with file_size_limit(24 * KIB):
                    checked = check(self.path, "--profile", profile, "--writes", "50", "--duration", "5s")
                done = checked.run
                self.assertNotIn("killed by", done["reason"])
                self.assertEqual(done["finding_counts"], {}, done["findings"])
                if done["verdict"] == "unsupported":
                    continue
                self.assertEqual((checked.exit_code, done["verdict"]), (FAILED, "error"), done["reason"])
                self.assertIn("File too large (EFBIG)", done["reason"])
                self.assertGreaterEqual(done["bytes_verified"], min(done["bytes_written"], 1), done)
                shutil.rmtree(os.path.join(self.path, ".writecanary"), ignore_errors=True)  # an archive stays

    def test_the_daemon_goes_on(self):
        with temporary_directory() as state:
            with file_size_limit(16 * KIB):  # less than its database is
                daemon = subprocess.Popen([run.program("writecanaryd"), "--state-dir", state, "--listen", "127.0.0.1:0"],
                                          stderr=subprocess.PIPE, text=True)
            try:
                _, errors = daemon.communicate(timeout=20)
                self.assertGreaterEqual(daemon.returncode, 0, "ended by a signal")
                self.assertIn("results.db", errors)
            finally:
                daemon.kill()

    def test_a_daemon_whose_database_reaches_the_limit_says_so_and_lives(self):
        with temporary_directory() as state:
            targets = [("data", self.path, {})]
            with running_daemon(state, targets, profiles=["append-sync"], window=closed_window()) as daemon:
                daemon.run("data", "append-sync", writes=5)
                size = os.path.getsize(os.path.join(state, "state/results.db-wal"))
                subprocess.run(["prlimit", f"--fsize={size}:", "--pid", str(daemon.process.pid)], check=True)

                def is_refused():
                    return daemon.post("/runs", {"target": "data", "profile": "append-sync", "writes": 5, "queue": True})[0] == 503

                wait_until(is_refused, 30, "a change to be refused")
                self.assertEqual(daemon.get("/healthz")[0], 200)
                self.assertEqual(daemon.get("/metrics")[0], 200)
                subprocess.run(["prlimit", "--fsize=unlimited:", "--pid", str(daemon.process.pid)], check=True)
                wait_until(lambda: daemon.get("/readyz")[0] == 200 and not is_refused(), 30, "it to go on")


class Mappings(unittest.TestCase):
    def setUp(self):
        run.require_root("mounting")
        self.directory = self.enterContext(temporary_directory())

    def test_no_space_for_a_store(self):
        ended = set()
        for seed in range(100):
            if seed >= 12 and "store through a mapping" in ended:
                break
            with full_tmpfs(self.directory, left=(16 + 4 * (seed % 12)) * KIB) as path:
                done = check(path, "--profile", "mixed-model", "--seed", str(seed), "--min-free", "0%", "--duration", "5s").run
                self.assertEqual((done["verdict"], done["finding_counts"]), ("error", {}), done["reason"])
                self.assertNotIn("killed by", done["reason"])
                ended.add(done["reason"].split(" of file-")[0])
                self.assertEqual(os.listdir(path), ["fill"])
        self.assertIn("store through a mapping", ended)

    def test_a_filesystem_that_goes_away_under_a_mapping(self):
        if not shutil.which("xfs_io"):
            self.skipTest("xfs_io is not installed")
        for _ in range(4):
            with loop_mount(self.directory, "xfs", name="sick", size="512M") as path:
                command = [run.program("writecanary"), "check", path, "--profile", "mixed-model", "--duration", "60s"]
                with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as checking:
                    wait_until(lambda: os.path.exists(os.path.join(path, ".writecanary")), 10, "the run to begin")
                    wait_until(lambda: os.listdir(os.path.join(path, ".writecanary")), 10, "its directory")
                    subprocess.run(["xfs_io", "-x", "-c", "shutdown", path], check=True)
                    said = checking.communicate(timeout=60)[0]
                self.assertEqual(checking.returncode, FAILED, said)
                self.assertNotIn("killed by", said)
                self.assertIn("Input/output error (EIO)", said)
            os.rmdir(os.path.join(self.directory, "sick"))


if __name__ == "__main__":
    run.main()
