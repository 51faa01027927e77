"""An alert becomes a run: a real Alertmanager sends what fires to a real daemon."""

import json
import unittest
import urllib.request

from harness import run
from harness.alertmanager import running_alertmanager
from harness.daemon import running_daemon
from harness.mounts import temporary_directory
from harness.waiting import wait_until


class Hooks(unittest.TestCase):
    def test_what_fires_in_alertmanager_is_probed_once(self):
        directory = self.enterContext(temporary_directory())
        target = self.enterContext(temporary_directory())
        daemon = self.enterContext(running_daemon(directory, [("data", target, {"require_mount": False})]))
        url = f"http://127.0.0.1:{daemon.port}/api/v1/hooks/alertmanager"
        alertmanager = self.enterContext(running_alertmanager(directory, url))
        fire = [{"labels": {"alertname": "DiskErrors", "target": "data", "profile": "offset", "severity": "warning"}},
                {"labels": {"alertname": "SomethingElse", "severity": "warning"}}]
        request = urllib.request.Request(f"{alertmanager.url}/api/v2/alerts", json.dumps(fire).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            self.assertEqual(answer.status, 200)
        runs = wait_until(lambda: daemon.api("/runs")["items"], 60, "a run")
        self.assertEqual([(each["target"], each["profile"], each["trigger"]) for each in runs], [("data", "offset", "api")])
        self.assertIn("alert DiskErrors", runs[0]["requested_by"])
        done = daemon.wait_for_state(runs[0]["id"], "finished")
        self.assertIn(done["verdict"], ("clean", "unexposed", "unsupported"))


if __name__ == "__main__":
    run.main()
