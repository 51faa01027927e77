"""What a lost or restored database does to what a daemon keeps: nothing is removed that it does not know."""

import os
import shutil
import signal
import unittest

from harness import run
from harness.daemon import running_daemon
from harness.mounts import temporary_directory


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
        os.makedirs(directory)
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
    def test_evidence_outlives_the_loss_of_its_database(self):
        with running_daemon(self.directory, self.targets) as daemon:
            for text in ("first", "second"):
                done = daemon.run("data", "append-sync", writes=2)
                self.keep_evidence(done["id"], text)
            self.assertEqual(daemon.api("/status")["notices"], [])
            daemon.stop()
            os.rename(self.database, self.database + ".old")
            daemon.start()
            self.assertEqual(self.set_aside(), {"1": "first", "2": "second"})
            self.assertIn("of another database", daemon.log())
            [notice] = daemon.api("/status")["notices"]
            self.assertIn(f"{self.evidence}/unknown-", notice)
            # The numbers are given out again, and what is made under them is the new database's.
            self.assertEqual(daemon.run("data", "append-sync", writes=2)["id"], 1)
            self.keep_evidence(1, "new")
            daemon.stop()
            daemon.start()
            self.assertEqual(self.set_aside(), {"1": "first", "2": "second"})
            self.assertTrue(os.path.exists(os.path.join(self.evidence, "1/file")))

    def test_rows_of_a_killed_daemon_do_not_come_back_in_another_database(self):
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
            self.keep_evidence(daemon.run("data", "append-sync", writes=2)["id"], "before")
            daemon.stop()
            shutil.copy(self.database, self.database + ".copy")
            daemon.start()
            self.keep_evidence(daemon.run("data", "append-sync", writes=2)["id"], "after")
            daemon.stop()
            shutil.move(self.database + ".copy", self.database)
            daemon.start()
            self.assertEqual(self.set_aside(), {"2": "after"})
            self.assertTrue(os.path.exists(os.path.join(self.evidence, "1/file")))


if __name__ == "__main__":
    run.main()
