"""Kills the daemon, and separately its probes, with SIGKILL at random moments under running schedules and API traffic.

WRITECANARY_KILLS says how often; the seed of the moments is printed and can be given as WRITECANARY_SEED."""

import collections
import json
import os
import random
import signal
import sqlite3
import time
import unittest

from harness import run
from harness.daemon import Daemon
from harness.mounts import damage_mount, loop_mount, temporary_directory
from harness.processes import cgroups_of_runs, users_of
from harness.traffic import Traffic
from harness.waiting import wait_until

KILLS = int(os.environ.get("WRITECANARY_KILLS", "40"))
SEED = int(os.environ.get("WRITECANARY_SEED", str(time.time_ns())))
SETTINGS = {"window": "00:00-24:00 UTC", "every": "2s", "jitter": "0%", "duration": "2s", "writes": 40, "max_concurrent_runs": 2,
            "profiles": ["append-sync", "offset"], "max_memory_pressure": 0, "max_bytes_per_day": 0, "max_evidence": 0}


def probes_of(pid):
    """Processes that the daemon has started and that still are."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as stat:
                fields = stat.read().rsplit(") ", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(entry))
    return found


class Torture(unittest.TestCase):
    def setUp(self):
        run.require_root("targets of their own")
        self.directory = self.enterContext(temporary_directory())
        self.good = self.enterContext(loop_mount(self.directory, "xfs"))
        mount = self.enterContext(damage_mount(self.directory))
        mount.set_rule(kind="duplicate", every=7)
        self.bad = mount.mount_point
        self.cgroups_before = cgroups_of_runs()
        targets = [("good", self.good, {}), ("bad", self.bad, {"max_evidence": 0})]
        self.daemon = Daemon(self.directory, targets, server={"reads_per_second": 0}, **SETTINGS)
        self.addCleanup(self.daemon.stop, signal.SIGKILL)
        self.random = random.Random(SEED)
        print(f"WRITECANARY_SEED={SEED} WRITECANARY_KILLS={KILLS}", flush=True)

    def kill_something(self):
        time.sleep(self.random.uniform(0, 1.2))
        if self.random.random() < 0.3:
            for probe in probes_of(self.daemon.process.pid):
                try:
                    os.kill(probe, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return
        self.daemon.process.kill()
        self.daemon.process.wait()
        self.daemon.start()

    def test_nothing_is_lost_and_nothing_left(self):
        self.daemon.start()
        with Traffic(self.daemon, ["good", "bad"]) as traffic:
            for _ in range(KILLS):
                self.kill_something()
            wait_until(lambda: len(traffic.findings) > 0, 60, "a finding")
        self.daemon.write_config([("good", self.good, {}), ("bad", self.bad, {})], window="Sat 00:00-00:01 UTC")
        self.daemon.reload()
        wait_until(lambda: not self.daemon.api("/status")["runs_in_progress"], 300, "the last run")
        self.compare(traffic)
        for name in ("good", "bad"):  # what a killed sweep has left goes with the next run
            self.daemon.run(name, "append-sync", writes=2, queue=True)
        self.daemon.stop()
        self.assert_nothing_left()
        print(f"{traffic.answers} answers, {len(traffic.findings)} findings, {len(traffic.finished)} finished runs, "
              f"{len(traffic.accepted)} accepted, {len(traffic.noted)} acknowledged: all there", flush=True)

    def compare(self, traffic):
        self.assertEqual(traffic.wrong, [])
        self.assertEqual(traffic.backwards, [])
        counted = collections.Counter(seen["incident_id"] for seen in traffic.findings.values())
        for number, seen in traffic.findings.items():
            status, text = self.daemon.get(f"/api/v1/findings/{number}")
            if status == 404:  # counted by its incident, which keeps the first and the latest ones
                self.assertGreaterEqual(self.daemon.api(f"/incidents/{seen['incident_id']}")["findings"],
                                        counted[seen["incident_id"]])
                continue
            stored = json.loads(text)
            self.assertEqual({**stored, **{key: None for key in seen if seen[key] is None}}, seen)
        for number, verdict in traffic.finished.items():
            self.assertEqual(self.daemon.api(f"/runs/{number}")["verdict"], verdict)
        for number in traffic.accepted.values():
            self.assertEqual(self.daemon.api(f"/runs/{number}")["state"], "finished")
        for number in traffic.noted:
            status, text = self.daemon.get(f"/api/v1/findings/{number}")
            self.assertTrue(status == 404 or json.loads(text)["acknowledged"], number)

    def assert_nothing_left(self):
        for path in (self.good, self.bad):
            wait_until(lambda path=path: not users_of(path), 10, f"everyone to leave {path}")
            # FUSE hides a file that is removed while open, so that the directory around it cannot go in that moment.
            left = [os.path.join(parent, name) for parent, below, names in os.walk(path) for name in below + names
                    if name != ".writecanary"]
            self.assertEqual(left, [])
        self.assertLessEqual(cgroups_of_runs(), self.cgroups_before)
        with sqlite3.connect(f"file:{self.directory}/state/results.db?mode=ro", uri=True) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            self.assertEqual(database.execute("SELECT count(*) FROM runs WHERE state != 'finished'").fetchone(), (0,))
            # What the sums say is what the rows say, as long as no row was removed.
            self.assertEqual(database.execute("SELECT sum(runs) FROM totals").fetchone(),
                             database.execute("SELECT count(*) FROM runs").fetchone())
            kept = database.execute("SELECT incident_id, count(*) FROM findings GROUP BY incident_id").fetchall()
            self.assertTrue(all(number <= 10 for _, number in kept), kept)
            for target, profile, kind, counted in database.execute("SELECT target, profile, kind, sum(findings) FROM "
                                                                   "incidents GROUP BY 1, 2, 3").fetchall():
                tallies = database.execute("SELECT sum(json_extract(tally, '$.' || ? || '.count')) FROM totals WHERE "
                                           "target = ? AND profile = ?", (kind, target, profile)).fetchone()
                self.assertEqual(tallies, (counted,), (target, profile, kind))


if __name__ == "__main__":
    run.main()
