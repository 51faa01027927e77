"""Which filesystem is tested: said by device and UUID, whatever leads there and whatever was mounted or made meanwhile."""

import os
import subprocess
import unittest

from harness import run
from harness.check import check
from harness.daemon import running_daemon
from harness.mounts import loop_mount, temporary_directory, unmount
from harness.waiting import wait_until


def uuid_of(image):
    return subprocess.run(["blkid", "-s", "UUID", "-o", "value", image], capture_output=True, text=True, check=True).stdout.strip()


def device_of(path):
    number = os.stat(path).st_dev
    return f"{os.major(number)}:{os.minor(number)}"


class Filesystems(unittest.TestCase):
    def setUp(self):
        run.require_root("mounting")
        self.directory = self.enterContext(temporary_directory())
        self.path = self.enterContext(loop_mount(self.directory, "xfs", name="data"))
        self.image = os.path.join(self.directory, "data.img")
        self.state = self.enterContext(temporary_directory())

    def mount(self, *arguments, at):
        os.makedirs(at, exist_ok=True)
        subprocess.run(["mount", *arguments, at], check=True)
        self.addCleanup(unmount, at)
        return at

    def daemon(self, targets, **defaults):
        return self.enterContext(running_daemon(self.state, targets, profiles=["append-sync"], **defaults))

    def target(self, daemon, name):
        return daemon.api(f"/targets/{name}")

    def wait_for_series(self, daemon, label, expected):
        """{target: label} of the series that say what was tested. Metrics follow the commit that the API shows, a moment later."""
        def shown():
            found = [dict(labels) for name, labels in daemon.metrics() if name == "writecanary_target_filesystem_info"]
            return sorted((series["target"], series[label]) for series in found) == sorted(expected.items())

        wait_until(shown, 5, f"one series a target with {expected}")

    def test_the_uuid_is_that_of_the_filesystem(self):
        for fstype in ("xfs", "ext4", "btrfs"):
            with self.subTest(fstype), loop_mount(self.directory, fstype) as path:
                done = check(path, "--profile", "append-sync", "--writes", "5").run
                self.assertEqual(done["filesystem"]["uuid"], uuid_of(os.path.join(self.directory, f"{fstype}.img")))
                self.assertEqual(done["filesystem"]["type"], fstype)
        self.assertEqual(check(self.path, "--profile", "append-sync", "--writes", "5").run["filesystem"]["device"],
                         device_of(self.path))

    def test_two_mounts_of_one_filesystem(self):
        again = self.mount("--bind", self.path, at=os.path.join(self.directory, "again"))
        daemon = self.daemon([("data", self.path, {}), ("again", again, {})], max_concurrent_runs=2)
        self.assertIn('targets "data" and "again" are on one filesystem', daemon.log())
        self.assertEqual((self.target(daemon, "data")["same_filesystem"], self.target(daemon, "again")["same_filesystem"]),
                         (["again"], ["data"]))
        started = [daemon.start_run(name, "append-sync", duration_seconds=1, queue=True) for name in ("data", "again") * 2]
        status, _, problem = daemon.post("/runs", {"target": "again", "profile": "append-sync"})
        self.assertEqual((status, problem["type"]), (409, "/problems/target-busy"))
        runs = [daemon.wait_for_state(each, "finished") for each in started]
        for done in runs:
            self.assertNotEqual(done["verdict"], "error", done)
            self.assertEqual((done["filesystem"]["uuid"], done["filesystem"]["device"]),
                             (uuid_of(self.image), device_of(self.path)))
        by_start = sorted(runs, key=lambda done: done["started_at"])
        for before, after in zip(by_start, by_start[1:]):
            self.assertLessEqual(before["finished_at"], after["started_at"], "two at once in one directory")
        self.wait_for_series(daemon, "uuid", dict.fromkeys(("data", "again"), uuid_of(self.image)))

    def test_a_target_that_is_a_symbolic_link(self):
        link = os.path.join(self.directory, "link")
        os.symlink(self.path, link)
        daemon = self.daemon([("link", link, {"require_mount": False})])
        self.assertIsNone(self.target(daemon, "link")["tested"])
        done = daemon.run("link", "append-sync", writes=5)
        self.assertEqual((done["filesystem"]["type"], done["filesystem"]["uuid"]), ("xfs", uuid_of(self.image)))
        self.wait_for_series(daemon, "uuid", {"link": uuid_of(self.image)})
        target = self.target(daemon, "link")
        self.assertEqual((target["tested"]["uuid"], target["tested"]["run"]), (uuid_of(self.image), done["id"]))
        self.assertEqual(target["filesystem"]["device"], device_of(self.directory), "where the link itself stands")
        daemon.stop()
        daemon.start()
        self.assertEqual(self.target(daemon, "link")["tested"], target["tested"])

    def test_a_filesystem_that_was_made_anew_under_the_same_name(self):
        daemon = self.daemon([("data", self.path, {})])
        before = daemon.run("data", "append-sync", writes=5)["filesystem"]
        device = before["source"]
        unmount(self.path)
        wait_until(lambda: self.target(daemon, "data")["state"] == "not_mounted", 10, "the daemon to see that it is gone")
        subprocess.run(["mkfs.xfs", "-q", "-f", self.image], check=True)
        subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True)
        wait_until(lambda: self.target(daemon, "data")["mounted"], 10, "the daemon to see that it is back")
        after = daemon.run("data", "append-sync", writes=5)["filesystem"]
        self.assertNotEqual(before["uuid"], after["uuid"])
        self.assertEqual(after["uuid"], uuid_of(self.image))
        self.assertEqual((after["mount_point"], after["type"]), (before["mount_point"], before["type"]), device)
        self.wait_for_series(daemon, "uuid", {"data": after["uuid"]})

    def test_what_is_mounted_over_it(self):
        daemon = self.daemon([("data", self.path, {})])
        self.mount("-t", "tmpfs", "over", at=self.path)
        wait_until(lambda: self.target(daemon, "data")["filesystem"]["source"] == "over", 10, "the daemon to see it")
        done = daemon.run("data", "append-sync", writes=5)
        self.assertEqual((done["filesystem"]["type"], done["filesystem"]["source"]), ("tmpfs", "over"))
        self.wait_for_series(daemon, "source", {"data": "over"})
        unmount(self.path)
        wait_until(lambda: self.target(daemon, "data")["filesystem"]["type"] == "xfs", 10, "the daemon to see it go")
        self.assertEqual(daemon.run("data", "append-sync", writes=5)["filesystem"]["uuid"], uuid_of(self.image))

    def test_what_is_mounted_over_its_parent(self):
        below = self.mount("--bind", self.path, at=os.path.join(self.directory, "parent/child"))
        daemon = self.daemon([("child", below, {})])
        self.assertTrue(self.target(daemon, "child")["mounted"])
        parent = self.mount("-t", "tmpfs", "over", at=os.path.join(self.directory, "parent"))
        wait_until(lambda: not self.target(daemon, "child")["mounted"], 10, "the daemon to see that it is hidden")
        self.assertIn(f"is not a mount point (it is on {parent})", self.target(daemon, "child")["state_reason"])


if __name__ == "__main__":
    run.main()
