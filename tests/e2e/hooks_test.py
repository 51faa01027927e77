"""An alert becomes a run: a real Alertmanager sends what fires to a real daemon."""

import json
import os
import re
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
        daemon = self.enterContext(running_daemon(directory, [("data", target, {"require_mount": False})],
                                                  server={"alert_hosts": ["10.0.0.7"]}))
        url = f"http://127.0.0.1:{daemon.port}/api/v1/hooks/alertmanager"
        alertmanager = self.enterContext(running_alertmanager(directory, url))
        of_host = {"target": "data", "profile": "offset", "severity": "warning"}
        fire = [{"labels": {"alertname": "Elsewhere", "instance": "10.0.0.8:9100", **of_host}},
                {"labels": {"alertname": "NoHost", **of_host}},
                {"labels": {"alertname": "DiskErrors", "instance": "10.0.0.7:9100", **of_host}},
                {"labels": {"alertname": "ByName", "instance": f"{os.uname().nodename}:9100", **of_host}},
                {"labels": {"alertname": "SomethingElse", "instance": "10.0.0.7:9100", "severity": "warning"}}]
        request = urllib.request.Request(f"{alertmanager.url}/api/v2/alerts", json.dumps(fire).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            self.assertEqual(answer.status, 200)
        def runs_by_alert():
            found = {re.search(r"alert (\w+)", each["requested_by"]).group(1): each for each in daemon.api("/runs")["items"]}
            return found if len(found) >= 2 else None

        runs = wait_until(runs_by_alert, 60, "a run of each alert about this host")
        self.assertEqual(set(runs), {"DiskErrors", "ByName"})
        self.assertEqual({(each["target"], each["profile"], each["trigger"]) for each in runs.values()}, {("data", "offset", "api")})
        for each in runs.values():
            done = daemon.wait_for_state(each["id"], "finished")
            self.assertIn(done["verdict"], ("clean", "unexposed", "unsupported"))
        self.assertEqual(len(daemon.api("/runs")["items"]), 2, "the alerts about other hosts started none")


if __name__ == "__main__":
    run.main()
