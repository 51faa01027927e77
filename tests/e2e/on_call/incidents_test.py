"""Findings of one kind, profile, target and kernel are one incident, whatever the number of runs: on XFS, where every kernel
tears appends, and on the filesystem that damages on purpose, where it can be over."""

import os
import unittest

from harness import kernel, run
from harness.daemon import running_daemon
from harness.mounts import damage_mount, loop_mount, temporary_directory
from harness.storage import size_below, size_of_database
from harness.waiting import wait_until

RUNS = 12
RUNS_OF_A_DAY = 96  # every 15 minutes
MEGABYTE = 1_000_000
WRITES = 400


class ABrokenKernel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run.require_root("the daemon")
        kernel.require_memory_cgroup()
        directory = cls.enterClassContext(temporary_directory())
        cls.state = os.path.join(directory, "state")
        xfs = cls.enterClassContext(loop_mount(directory, "xfs"))
        cls.daemon = cls.enterClassContext(running_daemon(directory, [("data", xfs, {})]))
        cls.first = cls.daemon.run("data", "append-interposed", writes=WRITES)
        cls.database = os.path.join(cls.state, "results.db")
        cls.size_after_one = size_of_database(cls.database)
        cls.found = cls.first["finding_counts"].get("torn", 0)
        evidence, cls.most_evidence = os.path.join(cls.state, "evidence"), 0
        for _ in range(RUNS - 1):
            cls.found += cls.daemon.run("data", "append-interposed", writes=WRITES)["finding_counts"].get("torn", 0)
            cls.most_evidence = max(cls.most_evidence, size_below(evidence))

    def incident(self):
        [incident] = self.daemon.api("/incidents?kind=torn")["items"]
        return self.daemon.api(f"/incidents/{incident['id']}")

    def test_1_is_one_incident_that_counts_all_and_keeps_a_few(self):
        incident = self.incident()
        self.assertEqual((incident["runs"], incident["findings"]), (RUNS, self.found))
        self.assertEqual(self.daemon.metric("writecanary_findings_total", target="data", profile="append-interposed",
                                            kind="torn"), self.found)
        self.assertEqual(self.daemon.open_incidents(kind="torn", profile="append-interposed", release=os.uname().release,
                                                    **{"class": "atomicity"}), 1)
        self.assertLessEqual(len(incident["kept_findings"]), 10)
        self.assertEqual({finding["run_id"] for finding in incident["kept_findings"]},
                         {self.first["id"], incident["last_run_id"]})
        self.assertIn("io-uring-torn-append", [issue["id"] for issue in incident["known_issues"]])
        self.assertEqual(sum(day["findings"] for day in incident["days"]), self.found)

    def test_2_leaves_a_small_database_and_little_evidence(self):
        growth = size_of_database(self.database) - self.size_after_one
        log = os.path.getsize(self.database + "-wal")
        self.assertLess(growth / (RUNS - 1) * RUNS_OF_A_DAY + log, 5 * MEGABYTE, "in a day, with the write-ahead log")
        evidence = os.path.join(self.state, "evidence")
        kept = lambda: [name for name in os.listdir(evidence) if name.isdigit()]  # noqa: E731
        wait_until(lambda: len(kept()) <= 2, 40, "the evidence of the runs between to go")
        print(f"{RUNS} runs: database + {growth} bytes, log {log} bytes, evidence {size_below(evidence)} bytes, "
              f"{self.most_evidence} at most", flush=True)
        self.assertLess(self.most_evidence, 50 * MEGABYTE, "of runs that follow each other at once")
        for finding in self.incident()["kept_findings"]:
            self.assertEqual(self.daemon.get(f"/api/v1/findings/{finding['id']}/report")[0], 200)

    def test_3_is_quiet_once_it_is_known(self):
        number = self.incident()["id"]
        status, _, known = self.daemon.post(f"/incidents/{number}/ack", {"note": "one writer per file here"})
        self.assertEqual((status, known["state"]), (200, "known"))
        self.daemon.run("data", "append-interposed", writes=WRITES)
        self.daemon.wait_for_open_incidents(0)
        self.assertEqual(self.incident()["runs"], RUNS + 1)
        self.assertEqual(self.daemon.api("/status")["incidents"]["known"], 1)
        self.assertIn("no open incidents, 1 known", self.daemon.api("/status")["summary"])


class ThatEnds(unittest.TestCase):
    def test_resolves_by_measurement_and_is_reopened_by_the_next_finding(self):
        run.require_root("the daemon")
        kernel.require_memory_cgroup()
        directory = self.enterContext(temporary_directory())
        mount = self.enterContext(damage_mount(directory))
        daemon = self.enterContext(running_daemon(directory, [("data", mount.mount_point, {})]))
        mount.set_rule(kind="zero", every=5)
        self.assertEqual(daemon.run("data", "tail-reader", writes=200)["verdict"], "corrupt")
        mount.set_rule(kind="none")
        state = lambda: daemon.api("/incidents/1")  # noqa: E731
        for _ in range(30):
            if state()["state"] == "resolved":
                break
            daemon.run("data", "tail-reader", writes=2000)
        self.assertEqual((state()["state"], state()["resolved_on"]), ("resolved", os.uname().release), state())
        daemon.wait_for_open_incidents(0)
        status, _, problem = daemon.post("/incidents/1/ack", {"note": "x"})
        self.assertEqual((status, problem["type"]), (409, "/problems/incident-resolved"))
        mount.set_rule(kind="zero", every=5)
        daemon.run("data", "tail-reader", writes=200)
        self.assertEqual((state()["state"], state()["times_opened"]), ("open", 2))


if __name__ == "__main__":
    run.main()
