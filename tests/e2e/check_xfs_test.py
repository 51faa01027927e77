"""`writecanary check` on a fresh XFS: every profile reaches its trigger, and says the right thing about this kernel."""

import os
import shutil
import subprocess
import unittest

from harness import kernel, processes, run
from harness.check import CLEAN, FAILED, TORN, check
from harness.mounts import loop_mount, temporary_directory
from harness.waiting import wait_until

# A run takes 1 to 3 s; a worker that grinds through reclaim takes 30 to 450 ms for every write. Far from both, because
# the machine may be busy.
SECONDS_MAX = 60


class CheckOnXfs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kernel.require_memory_cgroup()
        directory = cls.enterClassContext(temporary_directory())
        cls.path = cls.enterClassContext(loop_mount(directory, "xfs", size="2G"))

    def tearDown(self):
        self.assertEqual(os.listdir(self.path), [], "a run left something behind")

    def assert_nearly_all(self, done, counter):
        self.assertGreaterEqual(done[counter], 0.95 * done["writes"], done)

    def assert_clean(self, checked, writes):
        self.assertEqual(checked.run["verdict"], "clean", checked.run)
        self.assertEqual((checked.exit_code, checked.document["verdict"]), (CLEAN, "clean"))
        self.assertEqual(checked.run["finding_counts"], {})
        self.assertEqual(checked.run["findings"], [])
        self.assertEqual(checked.run["writes"], writes)
        self.assertGreaterEqual(checked.run["bytes_verified"], checked.run["bytes_written"])
        self.assertGreater(checked.run["files_cold"], 0)

    def test_nowait_contract(self):
        kernel.require_fixed()
        checked = check(self.path, "--profile", "nowait-contract", "--writes", "500")
        self.assert_clean(checked, 500)
        self.assert_nearly_all(checked.run, "exposures")
        self.assertLess(checked.run["duration_seconds"], SECONDS_MAX)

    def test_append(self):
        kernel.require_fixed()
        checked = check(self.path, "--profile", "append", "--writes", "500")
        self.assert_clean(checked, 500)
        self.assert_nearly_all(checked.run, "punted")
        self.assert_nearly_all(checked.run, "exposures")
        self.assertLessEqual(checked.run["bytes_written"] / checked.run["exposures"], 512 * 1024)

    def test_append_concurrent_is_torn(self):
        checked = check(self.path, "--profile", "append-concurrent", "--duration", "10s")
        self.assertEqual(checked.exit_code, TORN, checked.run)
        self.assertGreater(checked.run["finding_counts"].get("torn", 0), 0, checked.run)
        self.assertLessEqual(checked.run["first_finding_seconds"], 10)
        torn = next(finding for finding in checked.run["findings"] if finding["kind"] == "torn")
        self.assertEqual(torn["class"], "atomicity")
        self.assertGreater(torn["length_bytes"], 0)
        self.assertNotEqual(torn["write"]["writer"], torn["intruder"]["writer"])
        self.assertGreater(torn["write"]["length_bytes"], 0)
        self.assertIsInstance(torn["offset_bytes"], int)

    def test_append_interposed_is_torn_nearly_every_time(self):
        checked = check(self.path, "--profile", "append-interposed", "--writes", "300")
        self.assertEqual(checked.exit_code, TORN, checked.run)
        self.assertGreaterEqual(checked.run["finding_counts"]["torn"], 0.95 * 300, checked.run)
        self.assertLess(checked.run["duration_seconds"], SECONDS_MAX)

    def test_a_size_change_between_the_halves_tears_too(self):
        for way, between in (("ftruncate", 1), ("fallocate", 2)):
            with self.subTest(way):
                checked = check(self.path, "--profile", "append-interposed", "--writes", "100",
                                "--option", f"between={between}")
                self.assertEqual(checked.exit_code, TORN, checked.run)
                self.assertGreaterEqual(checked.run["finding_counts"].pop("torn"), 95, checked.run)
                self.assertEqual(checked.run["finding_counts"], {})
                self.assertIn("made longer", checked.run["findings"][0]["detail"])

    def test_controls_stay_clean(self):
        for profile in ("append-async", "offset", "append-sync"):
            with self.subTest(profile):
                checked = check(self.path, "--profile", profile, "--writes", "200")
                self.assert_clean(checked, 200)

    def test_classic_writes_what_the_original_did(self):
        checked = check(self.path, "--classic", "--duration", "2s")
        self.assertNotEqual(checked.run["verdict"], "error", checked.run)
        self.assertEqual(checked.run["bytes_verified"], checked.run["bytes_written"])
        self.assertGreater(checked.run["bytes_written"] / checked.run["writes"], 1 << 20)

    def test_the_same_seed_repeats_the_same_plan(self):
        runs = [check(self.path, "--profile", "append-sync", "--writes", "50", "--seed", "7").run for _ in range(2)]
        self.assertEqual([done["seed"] for done in runs], ["7", "7"])
        self.assertEqual(runs[0]["bytes_written"], runs[1]["bytes_written"])

    def test_a_killed_check_is_cleared_away_by_the_next(self):
        with subprocess.Popen([run.program("writecanary"), "check", self.path, "--profile", "append", "--duration", "60s"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
            own = f"check-{killed.pid}-"
            wait_until(lambda: processes.cgroups_of_runs(own) and os.listdir(self.path), 10, "the run to begin")
            killed.kill()
        # Its probe dies with it; the kernel needs a moment to take that out of the cgroup, later than its files are closed.
        wait_until(lambda: not processes.users_of(self.path), 10, "the probe to end")
        [left] = processes.cgroups_of_runs(own)
        wait_until(lambda: not processes.members_of(left), 10, "the probe to leave its cgroup")
        self.assertNotEqual(check(self.path, "--profile", "append", "--writes", "20").exit_code, FAILED)
        self.assertEqual(processes.cgroups_of_runs(own), set())

    def test_all_prints_one_table(self):
        command = [run.program("writecanary"), "check", self.path, "--profile", "all", "--writes", "40"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        self.assertEqual(ran.returncode, TORN, ran.stdout + ran.stderr)
        lines = ran.stdout.splitlines()
        for profile in ("append", "nowait-contract", "append-concurrent", "append-interposed", "append-async",
                        "append-sync", "offset", "tail-reader", "shared-blocks", "large-folio", "direct-append",
                        "copy-after-write", "mixed-model"):
            with self.subTest(profile):
                [row] = [line for line in lines if line.split()[:1] == [profile] and len(line.split()) > 4]
                self.assertIn(row.split()[1], ("clean", "corrupt", "violation", "unexposed"))
        shutil.rmtree(os.path.join(self.path, ".writecanary"))  # the archive stays by design


if __name__ == "__main__":
    run.main()
