"""/metrics as Prometheus sees it: well-formed, complete at the first scrape, and counting on after a restart."""

import itertools
import subprocess
import shutil
import unittest

from harness import run
from harness.daemon import running_daemon
from harness.mounts import loop_mount, temporary_directory

PROFILES = ("append", "nowait-contract")
VERDICTS = ("clean", "corrupt", "violation", "unexposed", "unsupported", "error", "stuck", "stopped", "interrupted")
KINDS = ("duplicate", "missing", "torn", "misplaced", "stale", "zeroed", "foreign", "bitflip", "size_mismatch",
         "nowait_contract", "stuck")
PER_PROFILE = ("duplicate_bytes_total", "writes_total", "exposures_total", "bytes_written_total",
               "bytes_verified_total")


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = cls.enterClassContext(temporary_directory())
        cls.path = cls.enterClassContext(loop_mount(cls.directory, "xfs"))

    def setUp(self):
        state = self.enterContext(temporary_directory())
        targets = [("data", self.path, {})]
        self.daemon = self.enterContext(running_daemon(state, targets, profiles=list(PROFILES)))

    def test_every_counter_is_there_at_0_from_the_first_scrape(self):
        samples = self.daemon.metrics()
        expected = [("runs_total", {"profile": p, "verdict": v}) for p, v in itertools.product(PROFILES, VERDICTS)]
        expected += [("findings_total", {"profile": p, "kind": k}) for p, k in itertools.product(PROFILES, KINDS)]
        expected += [(name, {"profile": p}) for name, p in itertools.product(PER_PROFILE, PROFILES)]
        expected += [("run_in_progress", {})]
        for name, labels in expected:
            with self.subTest(name, **labels):
                key = (f"writecanary_{name}", tuple(sorted({"target": "data", **labels}.items())))
                self.assertEqual(samples.get(key), 0)

    def test_facts_are_there(self):
        names = {name for name, _ in self.daemon.metrics()}
        for name in ("target_info", "kernel_info", "build_info", "config_reload_successful", "database_size_bytes",
                     "run_duration_seconds_count", "first_finding_seconds_count"):
            self.assertIn(f"writecanary_{name}", names)
        for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"):
            self.assertTrue({name, f"writecanary_{name}"} & names, name)

    def test_promtool_finds_nothing_to_complain_about(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        self.daemon.run("data", "nowait-contract", writes=50)
        text = self.daemon.get("/metrics")[1]
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True,
                                 check=False)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_counters_go_on_after_a_restart(self):
        labels = {"target": "data", "profile": "append"}
        done = self.daemon.run("data", "append", writes=30)
        expected = {
            "writecanary_writes_total": 30,
            "writecanary_exposures_total": done["exposures"],
            "writecanary_bytes_written_total": done["bytes_written"],
        }
        for restarted in (False, True):
            with self.subTest(restarted=restarted):
                for name, value in expected.items():
                    self.daemon.wait_for_metric(value, name, **labels)
                self.daemon.wait_for_metric(1, "writecanary_runs_total", verdict=done["verdict"], **labels)
            if not restarted:
                self.assertEqual(self.daemon.stop(), 0)
                self.daemon.start()


if __name__ == "__main__":
    run.main()
