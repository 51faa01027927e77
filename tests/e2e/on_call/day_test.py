"""What a day of the default configuration leaves on XFS, where every kernel tears appends: one incident, one warning, a small
database, little evidence. The runs are real, all six profiles as they are by default; only the time between them is short.

WRITECANARY_ROUNDS says how many rounds; a day has 96, which take half an hour. What grows is counted for a day."""

import os
import unittest
from pathlib import Path

from harness import kernel, run
from harness.daemon import running_daemon
from harness.mounts import loop_mount, temporary_directory
from harness.prometheus import running_prometheus
from harness.storage import size_below, size_of_database
from harness.waiting import wait_until

ROUNDS = int(os.environ.get("WRITECANARY_ROUNDS", "8"))
ROUNDS_OF_A_DAY = 96  # every 15 minutes
ROUND_SECONDS = 120
MEGABYTE = 1_000_000
GIBIBYTE = 1 << 30
PROFILES = ("append", "nowait-contract", "append-interposed", "mixed-model", "copy-after-write", "shared-blocks")
RULES = Path(os.environ["WRITECANARY_SOURCE"], "monitoring/rules")
# A day's budget is not that of an hour, and what the runs themselves press on memory has passed after a quarter of an hour.
SHORT = {"window": "", "every": "10s", "max_bytes_per_day": 0, "max_memory_pressure": 0}
TORN = "WritecanaryTornAppends"


class ADay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run.require_root("the daemon")
        kernel.require_memory_cgroup()
        kernel.require_fixed()
        directory = cls.enterClassContext(temporary_directory())
        cls.evidence = os.path.join(directory, "state", "evidence")
        cls.database = os.path.join(directory, "state", "results.db")
        xfs = cls.enterClassContext(loop_mount(directory, "xfs"))
        cls.daemon = cls.enterClassContext(running_daemon(directory, [("data", xfs, {})], server={"reads_per_second": 0}, **SHORT))
        scrape = [{"job_name": "writecanary", "static_configs": [{"targets": [f"127.0.0.1:{cls.daemon.port}"]}]}]
        cls.prometheus = cls.enterClassContext(running_prometheus(cls.enterClassContext(temporary_directory()), scrape,
                                                                  sorted(RULES.glob("*.yml"))))
        cls.sizes, cls.most_evidence = [], 0
        for number in range(1, ROUNDS + 1):
            wait_until(lambda number=number: cls.look() >= number, ROUND_SECONDS, f"round {number}")
            cls.sizes.append((sum(cls.of_each_profile("runs").values()), size_of_database(cls.database)))
        cls.daemon.write_config([("data", xfs, {})], window="Sat 00:00-00:01 UTC")
        cls.daemon.reload()
        wait_until(lambda: not cls.daemon.api("/status")["runs_in_progress"], 60, "the last run")

    @classmethod
    def of_each_profile(cls, what):
        sums = dict.fromkeys(PROFILES, 0)
        for (name, labels), value in cls.daemon.metrics().items():
            if name == f"writecanary_{what}_total":
                sums[dict(labels)["profile"]] += value
        assert len(sums) == len(PROFILES), sums
        return sums

    @classmethod
    def look(cls):
        """How many rounds have ended."""
        cls.most_evidence = max(cls.most_evidence, size_below(cls.evidence))
        return min(cls.of_each_profile("runs").values())

    def firing(self):
        return [alert["labels"] for alert in self.prometheus.get("alerts")["alerts"] if alert["state"] == "firing"]

    def test_1_has_one_incident_and_one_warning(self):
        [incident] = self.daemon.api("/incidents")["items"]
        self.assertEqual((incident["kind"], incident["profile"], incident["class"], incident["state"]),
                         ("torn", "append-interposed", "atomicity", "open"))
        self.assertGreaterEqual(incident["runs"], ROUNDS)
        wait_until(self.firing, 30, "the warning")
        [alert] = self.firing()
        self.assertEqual((alert["alertname"], alert["severity"], alert["release"]), (TORN, "warning", os.uname().release))
        never = self.prometheus.samples('last_over_time(ALERTS{alertstate="firing",alertname!="%s"}[1d])' % TORN)
        self.assertEqual(never, [])

    def test_2_leaves_a_small_database_and_little_evidence(self):
        (runs_before, size_before), (runs, size) = self.sizes[0], self.sizes[-1]
        grown = (size - size_before) / (runs - runs_before) * len(PROFILES) * ROUNDS_OF_A_DAY
        grown += os.path.getsize(self.database + "-wal")
        runs, written = self.of_each_profile("runs"), self.of_each_profile("bytes_written")
        written = sum(written[profile] / runs[profile] for profile in PROFILES) * ROUNDS_OF_A_DAY
        print(f"{sum(runs.values()):.0f} runs; in a day {grown:.0f} bytes of database and {written / GIBIBYTE:.1f} GiB of writes; "
              f"{self.most_evidence} bytes of evidence at most", flush=True)
        self.assertLess(grown, 5 * MEGABYTE, "with the write-ahead log")
        self.assertLess(self.most_evidence, 50 * MEGABYTE)
        self.assertLess(written, 20 * GIBIBYTE, "beyond it the default budget would hold runs back")

    def test_3_is_calm_once_that_is_known(self):
        status, _, answer = self.daemon.post("/incidents/ack", {"filter": {"kind": "torn"}, "note": "one writer per file here"})
        self.assertEqual((status, len(answer["items"])), (200, 1), answer)
        wait_until(lambda: not self.firing(), 30, "the warning to end")
        self.assertIn("no open incidents, 1 known", self.daemon.api("/status")["summary"])


if __name__ == "__main__":
    run.main()
