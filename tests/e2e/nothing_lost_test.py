"""What a lost or restored database and a wrong clock do to what a daemon keeps: nothing goes that should have stayed."""

import json
import os
import shutil
import signal
import unittest

from harness import run
from harness.daemon import Daemon, closed_window, running_daemon
from harness.mounts import damage_mount, temporary_directory
from harness.receiver import running_receiver
from harness.waiting import wait_until
from harness.wall_clock import WallClock


class NothingLost(unittest.TestCase):
    """Runs need no mount here: what they find out is not looked at."""

    def setUp(self):
        run.require_root("the daemon")
        self.directory = self.enterContext(temporary_directory())
        self.target = self.enterContext(temporary_directory())
        self.targets = [("data", self.target, {"require_mount": False})]
        self.database = os.path.join(self.directory, "state/results.db")
        self.evidence = os.path.join(self.directory, "state/evidence")

    def keep_evidence(self, run_id, text):
        directory = os.path.join(self.evidence, str(run_id))
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, "file"), "w", encoding="utf-8") as file:
            file.write(text)

    def set_aside(self):
        """{what was set aside: its text}, of all folders."""
        found = {}
        for folder in sorted(os.listdir(self.evidence)):
            if not folder.startswith("unknown-"):
                continue
            for name in os.listdir(os.path.join(self.evidence, folder)):
                path = os.path.join(self.evidence, folder, name, "file")
                if os.path.exists(path):
                    with open(path, encoding="utf-8") as file:
                        found[name] = file.read()
        return found


class Database(NothingLost):
    """Runs find something, else nothing is kept of them."""

    def setUp(self):
        super().setUp()
        self.mount = self.enterContext(damage_mount(self.target))
        self.mount.set_rule(kind="duplicate", every=2)
        self.targets = [("data", self.mount.mount_point, {})]

    def run_with_findings(self, daemon):
        done = daemon.run("data", "append-sync", writes=8)
        self.assertTrue(done["findings"], done)
        return done["id"]

    def test_evidence_outlives_the_loss_of_its_database(self):
        with running_daemon(self.directory, self.targets) as daemon:
            for text in ("first", "second"):
                self.keep_evidence(self.run_with_findings(daemon), text)
            self.assertEqual(daemon.api("/status")["notices"], [])
            daemon.stop()
            os.rename(self.database, self.database + ".old")
            daemon.start()
            self.assertEqual(self.set_aside(), {"1": "first", "2": "second"})
            self.assertIn("of another database", daemon.log())
            [notice] = daemon.api("/status")["notices"]
            self.assertIn(f"{self.evidence}/unknown-", notice)
            # The numbers are given out again, and what is made under them is the new database's.
            self.assertEqual(self.run_with_findings(daemon), 1)
            self.keep_evidence(1, "new")
            daemon.stop()
            daemon.start()
            self.assertEqual(self.set_aside(), {"1": "first", "2": "second"})
            self.assertTrue(os.path.exists(os.path.join(self.evidence, "1/file")))

    def test_rows_of_a_killed_daemon_do_not_come_back_in_another_database(self):
        self.mount.set_rule(kind="none")
        with running_daemon(self.directory, self.targets) as daemon:
            done = [daemon.run("data", "append-sync", writes=2)["id"] for _ in range(3)]
            daemon.stop(signal.SIGKILL)
            self.assertGreater(os.path.getsize(self.database + "-wal"), 0)
            os.unlink(self.database)
            daemon.start()
            self.assertEqual(daemon.api("/runs")["items"], [])
            self.assertIn(f"is kept as {self.database}-wal.unknown", daemon.log())
            self.assertIn("-wal.unknown", " ".join(daemon.api("/status")["notices"]))
            # And one that is killed and comes back to its own loses nothing.
            done = [daemon.run("data", "append-sync", writes=2)["id"] for _ in range(3)]
            daemon.stop(signal.SIGKILL)
            daemon.start()
            self.assertEqual([each["id"] for each in daemon.api("/runs")["items"]], done[::-1])
            self.assertEqual(daemon.api("/status")["notices"], [])

    def test_a_restored_copy_leaves_evidence_alone_that_came_after_it(self):
        with running_daemon(self.directory, self.targets) as daemon:
            self.keep_evidence(self.run_with_findings(daemon), "before")
            daemon.stop()
            shutil.copy(self.database, self.database + ".copy")
            daemon.start()
            self.keep_evidence(self.run_with_findings(daemon), "after")
            daemon.stop()
            shutil.move(self.database + ".copy", self.database)
            daemon.start()
            self.assertEqual(self.set_aside(), {"2": "after"})
            self.assertTrue(os.path.exists(os.path.join(self.evidence, "1/file")))


class Clock(NothingLost):
    def setUp(self):
        super().setUp()
        self.clock = WallClock(self.directory)

    def daemon_with_clock(self):
        daemon = Daemon(self.directory, self.targets, window=closed_window(), environment=self.clock.environment)
        self.addCleanup(daemon.stop)
        return daemon

    def wait_for_retention(self, number):
        """Until it has gone round: what no run is known for has been found."""
        self.keep_evidence(number, "a mark of this test")
        wait_until(lambda: not os.path.exists(os.path.join(self.evidence, str(number))), 40, "retention")

    def test_a_year_ahead_for_a_minute_makes_nothing_old(self):
        daemon = self.daemon_with_clock().start()
        done = [daemon.run("data", "append-sync", writes=2)["id"] for _ in range(3)]
        self.assertEqual(daemon.metric("writecanary_clock_suspect"), 0)

        def kept():
            return [each["id"] for each in daemon.api("/runs")["items"]][::-1]

        self.clock.set("+365d")
        daemon.wait_for_metric(1, "writecanary_clock_suspect")
        self.assertEqual(daemon.get("/healthz")[0], 200)
        self.wait_for_retention(1001)
        self.assertEqual(kept(), done)
        self.assertIn("nothing is removed for its age", daemon.log())
        self.assertIn("The wall clock jumped", " ".join(daemon.api("/status")["notices"]))
        # A run meanwhile carries that time, and the next daemon starts with it.
        done.append(daemon.run("data", "append-sync", writes=2)["id"])
        daemon.stop()
        daemon.start()
        self.assertEqual(daemon.metric("writecanary_clock_suspect"), 1)
        self.wait_for_retention(1002)
        self.assertEqual(kept(), done)
        self.clock.set("+0")
        daemon.wait_for_metric(0, "writecanary_clock_suspect")
        self.assertEqual(daemon.get("/healthz")[0], 200)
        self.wait_for_retention(1003)
        self.assertEqual(kept(), done)

    def test_a_year_behind_for_a_minute_makes_nothing_old(self):
        daemon = self.daemon_with_clock().start()
        done = [daemon.run("data", "append-sync", writes=2)["id"]]
        self.clock.set("-365d")
        done.append(daemon.run("data", "append-sync", writes=2)["id"])
        self.assertEqual(daemon.get("/healthz")[0], 200)
        self.clock.set("+0")
        daemon.wait_for_metric(0, "writecanary_clock_suspect")
        self.wait_for_retention(1001)
        self.assertEqual([each["id"] for each in daemon.api("/runs")["items"]][::-1], done)

    def with_receiver(self):
        receiver = self.enterContext(running_receiver(tolerance_seconds=300))
        with open(os.path.join(self.directory, "secret"), "w", encoding="utf-8") as file:
            file.write("a secret of this test\n")
        daemon = self.daemon_with_clock()
        with open(daemon.config_path, "a", encoding="utf-8") as file:
            file.write(f'[webhook]\nurl = "{receiver.url}"\nsecret_file = "{self.directory}/secret"\n')
        return daemon, receiver

    @staticmethod
    def taken(receiver):
        """Ids of the runs whose end the receiver took."""
        return [json.loads(each.body)["data"]["id"] for each in receiver.received() if each.status == 204]

    def test_the_webhook_signs_a_time_that_its_receiver_takes(self):
        daemon, receiver = self.with_receiver()
        daemon.start()
        self.clock.set("+365d")
        done = [daemon.run("data", "append-sync", writes=2)["id"] for _ in range(2)]
        wait_until(lambda: self.taken(receiver) == done, 30, "the events")
        self.assertEqual({each.status for each in receiver.received()}, {204})

    def test_an_event_that_is_refused_for_its_time_is_kept(self):
        daemon, receiver = self.with_receiver()
        self.clock.set("-365d")  # from the start, so nobody here can know better
        daemon.start()
        done = daemon.run("data", "append-sync", writes=2)["id"]
        wait_until(lambda: any(each.status == 400 for each in receiver.received()), 30, "a refusal")
        self.assertEqual(self.taken(receiver), [])
        self.clock.set("+0")
        wait_until(lambda: self.taken(receiver) == [done], 60, "the event")


if __name__ == "__main__":
    run.main()
