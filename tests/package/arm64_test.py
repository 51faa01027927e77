"""The archive for arm64 on an arm64 kernel of Debian, emulated by QEMU: it starts there and sees what it is to see."""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "kernel")]
import archive_tree as archive  # noqa: E402
import arm64  # noqa: E402
import guest  # noqa: E402
from harness import run  # noqa: E402
from kernels import Unavailable  # noqa: E402

BIN = f"/{archive.PREFIX}/bin"
VERSION = (archive.ROOT / "VERSION").read_text().strip()
WRITES = 100
FIXED_IN = (6, 1, 176)


def newest() -> Path:
    return archive.newest("writecanary-*-linux-arm64.tar.zst", "WRITECANARY_ARCHIVE_ARM64")


class Arm64(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        subprocess.run(["tar", "-C", directory, "-xf", newest()], check=True)
        tree = directory / archive.PREFIX
        files = {f"{archive.PREFIX}/{path.relative_to(tree)}": path for folder in ("bin", "lib") for path in
                 (tree / folder).rglob("*") if path.is_file()}
        checks = "".join(f"{BIN}/writecanary check /mnt/test --profile {profile} --writes {WRITES} --duration 60s --json "
                         f">/results/{profile}.json\n" for profile in ("append", "nowait-contract", "append-sync"))
        command = f"uname -m; uname -v\n{BIN}/writecanary --version\n{BIN}/writecanaryd --version\n{checks}true"
        try:
            kernel, busybox = arm64.obtain()
            job = guest.Job(kernel, command, files=files, busybox=busybox, timeout_seconds=900)
            with arm64.Guest(job) as running:
                cls.result = running.wait()
        except Unavailable as reason:
            raise unittest.SkipTest(str(reason)) from None
        cls.said = cls.result.stdout.decode()

    def made(self, profile):
        [found] = json.loads(self.result.files[f"{profile}.json"])["runs"]
        return found

    def test_programs_start(self):
        self.assertEqual(self.result.exit_code, 0, self.result.stderr.decode())
        self.assertIn("aarch64", self.said)
        self.assertEqual(self.said.count(VERSION), 2, self.said)

    def test_appends_are_exposed(self):
        upstream = tuple(map(int, re.search(r"Debian (\d+)\.(\d+)\.(\d+)", self.said).groups()))
        append = self.made("append")
        self.assertEqual(append["verdict"], "clean" if upstream >= FIXED_IN else "corrupt", append["reason"])
        self.assertGreaterEqual(append["exposures"], 0.95 * append["writes"], append["reason"])
        self.assertGreaterEqual(append["writes"], WRITES)

    def test_controls_are_clean(self):
        self.assertEqual(self.made("append-sync")["finding_counts"], {})
        self.assertGreater(self.made("nowait-contract")["exposures"], 0)


if __name__ == "__main__":
    try:
        newest()
    except Unavailable as reason:
        print(f"arm64: skipped: {reason}")
        sys.exit(77)
    run.main()
