"""The archive on kernels that lack something, in QEMU, with nothing else in the guest than busybox: what cannot be seen there is
said, with the reason, and everything else runs."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "kernel")]
import archive_tree as archive  # noqa: E402
import guest  # noqa: E402
from harness import run  # noqa: E402
from kernels import Unavailable  # noqa: E402

BIN = f"/{archive.PREFIX}/bin"
# A direct write whose pages in memory cannot be dropped has the next sync say EIO (mm/filemap.c, dio_warn_stale_pagecache): now
# and then that is what held-direct meets.
BY_CHANCE = {"held-direct": "Input/output error (EIO)"}
CORRUPT = 2  # by shared-blocks: until 6.2 a write that waited for memory put zeros over its neighbour's bytes
WITHOUT_RING = ("append", "append-interposed", "append-concurrent", "offset", "append-async", "ring-io")


class Kernel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        subprocess.run(["tar", "-C", cls.directory, "-xf", archive.newest_archive()], check=True)
        tree = cls.directory / archive.PREFIX
        cls.files = {f"{archive.PREFIX}/{path.relative_to(tree)}": path for folder in ("bin", "lib") for path in
                     (tree / folder).rglob("*") if path.is_file()}

    def boot(self, kernel, command):
        try:
            with guest.Guest(guest.Job(kernel, command, files=self.files, timeout_seconds=900)) as running:
                result = running.wait()
        except Unavailable as reason:
            self.skipTest(str(reason))
        self.assertEqual(result.exit_code, 0, result.stderr.decode())
        return result

    def runs(self, result, name="all.json"):
        made = {each["profile"]: each for each in json.loads(result.files[name])["runs"]}
        self.assertGreater(len(made), 20)
        for profile, each in made.items():
            with self.subTest(profile):
                if each["verdict"] in ("error", "stuck"):
                    self.assertIn(BY_CHANCE.get(profile, "nothing that is known"), each["reason"])
                self.assertTrue(each["reason"])
        return made

    def test_linux_5_10(self):
        result = self.boot("5.10.223", f"""
          {BIN}/writecanary check /mnt/test --profile all --writes 30 --duration 3s --json >/results/all.json
          mkdir -p /var/lib/writecanary
          {BIN}/writecanaryd --target data=/mnt/test --state-dir /var/lib/writecanary --once; test $? = {CORRUPT}""")
        made = self.runs(result)
        self.assertEqual(made["append"]["verdict"], "unexposed")
        self.assertIn("nowait-contract", made)
        self.assertGreater(sum(each["verdict"] in ("clean", "corrupt", "violation") for each in made.values()), 5)

    def test_io_uring_that_is_switched_off(self):
        result = self.boot("6.12.117", f"""
          echo 2 >/proc/sys/kernel/io_uring_disabled
          {BIN}/writecanary check /mnt/test --profile all --writes 30 --duration 3s --json >/results/all.json
          {BIN}/writecanary check /mnt/test --profile append >/results/append.txt; test $? = 4""")
        made = self.runs(result)
        refused = {profile for profile, each in made.items() if "kernel.io_uring_disabled = 2" in each["reason"]
                   and each["verdict"] == "unsupported"}
        self.assertEqual(refused, set(WITHOUT_RING))
        for profile in WITHOUT_RING:
            self.assertRegex(made[profile]["reason"], r"\d+ of \d+ profiles need no io_uring and still run, nowait-contract first")
        self.assertEqual(made["nowait-contract"]["verdict"], "clean", made["nowait-contract"])
        self.assertIn("still run", result.files["append.txt"].decode())


if __name__ == "__main__":
    try:
        archive.newest_archive()
    except Unavailable as reason:
        print(f"archive_kernel: skipped: {reason}")
        sys.exit(77)
    run.main()
