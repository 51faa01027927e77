"""The daemon with two targets on real filesystems: what it does by itself, when told, when killed and when misled."""

import os
import signal
import subprocess
import time
import unittest

from harness import run
from harness.daemon import Daemon, closed_window, running_daemon
from harness.mounts import loop_mount, temporary_directory
from harness.processes import cgroups_of_runs, cgroups_of_users, users_of
from harness.waiting import wait_until


class TwoTargets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = cls.enterClassContext(temporary_directory())
        cls.one = cls.enterClassContext(loop_mount(cls.directory, "xfs", "one"))
        cls.two = cls.enterClassContext(loop_mount(cls.directory, "xfs", "two"))
        cls.targets = [("one", cls.one, {}), ("two", cls.two, {})]

    def setUp(self):
        self.state = self.enterContext(temporary_directory())

    def assert_nothing_left(self):
        for path in (self.one, self.two):
            self.assertNotIn(".writecanary", os.listdir(path))

    def test_scheduled_runs_happen_on_both(self):
        settings = {"window": "00:00-24:00 UTC", "every": "10s", "duration": "1s", "writes": 50,
                    "profiles": ["nowait-contract", "append-sync"]}
        wanted = {(t, p) for t in ("one", "two") for p in settings["profiles"]}
        with running_daemon(self.state, self.targets, **settings) as daemon:

            def ran(trigger):
                runs = daemon.api("/runs?state=finished&limit=500")["items"]
                return wanted <= {(done["target"], done["profile"]) for done in runs if done["trigger"] == trigger}

            wait_until(lambda: ran("startup"), 90, "a first run of each profile on each target")
            wait_until(lambda: ran("schedule"), 90, "a second one, on schedule")
            for target in daemon.api("/targets")["items"]:
                self.assertTrue(target["mounted"], target)
                self.assertTrue(all(profile["next_run_at"] for profile in target["profiles"]), target)
        self.assert_nothing_left()

    def test_a_run_on_request_finishes(self):
        with running_daemon(self.state, self.targets) as daemon:
            done = daemon.run("two", "nowait-contract", writes=100, seed=str(2**64 - 1))
            self.assertEqual((done["writes"], done["seed"], done["target"]), (100, str(2**64 - 1), "two"))
            self.assertIn(done["verdict"], ("clean", "corrupt", "violation", "unexposed"), done)
            self.assertEqual(done["trigger"], "api")
            daemon.wait_for_metric(100, "writecanary_writes_total", target="two", profile="nowait-contract")
        self.assert_nothing_left()

    def test_stop_takes_effect_within_a_second(self):
        with running_daemon(self.state, self.targets) as daemon:
            run_id = daemon.start_run("one", "append", duration_seconds=60)
            daemon.wait_for_state(run_id, "running")
            wait_until(lambda: daemon.api(f"/runs/{run_id}")["writes"] > 0, 20, lambda: f"the first write of {daemon.api(f'/runs/{run_id}')}")
            asked = time.monotonic()
            self.assertEqual(daemon.post(f"/runs/{run_id}/stop")[0], 202)
            done = daemon.wait_for_state(run_id, "finished")
            self.assertLess(time.monotonic() - asked, 1.5)
            self.assertIn(done["verdict"], ("stopped", "clean", "corrupt", "violation"), done)
        self.assert_nothing_left()

    def test_a_busy_target_and_wrong_requests_are_refused(self):
        with running_daemon(self.state, self.targets) as daemon:
            run_id = daemon.start_run("one", "append-sync", duration_seconds=60)
            status, headers, problem = daemon.post("/runs", {"target": "one", "profile": "append", "queue": False})
            self.assertEqual((status, problem["status"]), (409, 409), problem)
            self.assertEqual(headers["Content-Type"], "application/problem+json")
            for field, body in (
                ("target", {"target": "three", "profile": "append"}),
                ("profile", {"target": "one", "profile": "prepend"}),
                ("duration_seconds", {"target": "one", "profile": "append", "duration_seconds": -1}),
            ):
                with self.subTest(field):
                    status, _, problem = daemon.post("/runs", body)
                    self.assertEqual(status, 422, problem)
                    self.assertEqual([error["field"] for error in problem["errors"]], [field])
            daemon.post(f"/runs/{run_id}/stop")
            daemon.wait_for_state(run_id, "finished")

    def test_killed_in_mid_run_it_comes_back_and_cleans_up(self):
        with running_daemon(self.state, self.targets) as daemon:
            run_id = daemon.start_run("one", "append", duration_seconds=120)
            wait_until(lambda: daemon.api(f"/runs/{run_id}")["writes"] > 0, 20, lambda: f"the first write of {daemon.api(f'/runs/{run_id}')}")
            self.assertIn(".writecanary", os.listdir(self.one))
            [own] = cgroups_of_users(self.one)
            self.assertTrue(cgroups_of_runs(own))
            daemon.stop(signal.SIGKILL)
            daemon.start()
            done = daemon.wait_for_state(run_id, "finished", 5)
            self.assertEqual(done["verdict"], "interrupted")
            wait_until(lambda: ".writecanary" not in os.listdir(self.one), 20, "the files of the dead run to go")
            wait_until(lambda: not users_of(self.one), 10, "the orphaned probe to go")
            wait_until(lambda: not cgroups_of_runs(own), 10, "the dead run's cgroup to go")
            self.assertEqual(daemon.run("one", "append-sync", writes=20)["writes"], 20)
            self.assertEqual(daemon.api("/status")["verdicts"]["interrupted"], 1)

    def test_ends_soon_when_told_in_mid_run(self):
        with running_daemon(self.state, self.targets) as daemon:
            run_id = daemon.start_run("one", "append", duration_seconds=120)
            wait_until(lambda: daemon.api(f"/runs/{run_id}")["writes"] > 0, 20, lambda: f"the first write of {daemon.api(f'/runs/{run_id}')}")
            self.assertEqual(daemon.stop(signal.SIGTERM, 5), 0)
            self.assertEqual(users_of(self.one), [])
            self.assert_nothing_left()
            daemon.start()
            self.assertIn(daemon.api(f"/runs/{run_id}")["verdict"], ("stopped", "clean", "corrupt", "violation"))

    def test_a_broken_file_on_reload_keeps_the_old_configuration(self):
        with running_daemon(self.state, self.targets) as daemon:
            self.assertEqual(daemon.metric("writecanary_config_reload_successful"), 1)
            with open(daemon.config_path, "a", encoding="utf-8") as config:
                config.write("colour = 'red'\n")
            daemon.process.send_signal(signal.SIGHUP)
            wait_until(lambda: daemon.metric("writecanary_config_reload_successful") == 0, 10, "the refusal")
            self.assertIn("colour", daemon.api("/status")["config"]["reload_error"])
            self.assertEqual([t["name"] for t in daemon.api("/targets")["items"]], ["one", "two"])
            daemon.write_config(self.targets[:1], window=closed_window())
            daemon.process.send_signal(signal.SIGHUP)
            wait_until(lambda: daemon.metric("writecanary_config_reload_successful") == 1, 10, "the reload")
            self.assertEqual([t["name"] for t in daemon.api("/targets")["items"]], ["one"])


class NotMounted(unittest.TestCase):
    def test_a_target_that_is_not_a_mount_point_is_refused(self):
        run.require_root("the daemon")
        directory = self.enterContext(temporary_directory())
        path = os.path.join(directory, "unmounted")
        os.mkdir(path)
        with running_daemon(directory, [("data", path, {})]) as daemon:
            target = daemon.api("/targets/data")
            self.assertEqual((target["state"], target["mounted"]), ("not_mounted", False))
            text = (rf'target "data": {path} is not a mount point \(it is on /\S*\)\. '
                    r"Mount it, or set require_mount = false")
            self.assertRegex(target["state_reason"], text)
            status, _, problem = daemon.post("/runs", {"target": "data", "profile": "append"})
            self.assertEqual(status, 409)
            self.assertRegex(problem["detail"], text)
            self.assertEqual(os.listdir(path), [])


class OneRound(unittest.TestCase):
    def test_a_hangup_within_it_is_no_reload(self):
        directory = self.enterContext(temporary_directory())
        target = self.enterContext(temporary_directory())
        daemon = Daemon(directory, [("demo", target, {"require_mount": False})], profiles=["append-sync"], duration="5s",
                        writes=0)
        os.mkdir(os.path.join(directory, "state"))
        with open(daemon.log_path, "ab") as log:
            once = subprocess.Popen([run.program("writecanaryd"), "--once", "--config", daemon.config_path], text=True,
                                    stdout=subprocess.PIPE, stderr=log)
        with once:
            wait_until(lambda: "append-sync on target demo begins" in daemon.log(), 20, "the run")
            once.send_signal(signal.SIGHUP)
            wait_until(lambda: "SIGHUP" in daemon.log() or once.poll() is not None, 20, "what it makes of it")
            table, _ = once.communicate(timeout=60)
        self.assertIn(once.returncode, (0, 2, 3, 6), daemon.log())
        self.assertRegex(table, r"(?m)^demo\s+append-sync\s+(clean|corrupt|violation|unexposed)\b")
        self.assertIn("nothing is reloaded within a single round", daemon.log())

    def test_once_prints_a_table(self):
        directory = self.enterContext(temporary_directory())
        path = self.enterContext(loop_mount(directory, "xfs"))
        command = [run.program("writecanaryd"), "--once", "--state-dir", os.path.join(directory, "state"), "--target",
                   f"demo={path}", "--listen", f"127.0.0.1:{Daemon(directory, []).port}"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        self.assertIn(ran.returncode, (0, 2, 3, 6), ran.stdout + ran.stderr)
        for profile in ("append", "nowait-contract", "append-interposed"):
            self.assertRegex(ran.stdout, rf"(?m)^demo\s+{profile}\s+(clean|corrupt|violation|unexposed)\b")


if __name__ == "__main__":
    run.main()
