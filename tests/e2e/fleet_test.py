"""The whole chain of a fleet, as scripts/fleet-demo shows it: real daemons, real Prometheus and Alertmanager, the
project's rules. Cases build on one fleet and run in the order of their names."""

import json
import os
import subprocess
import unittest
import urllib.request

from harness import dashboards, kernel, run
from harness.fleet import running_fleet
from harness.mounts import temporary_directory
from harness.waiting import wait_until

HOSTS = 5
ALERT = "WritecanaryCorruption"


class FleetTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kernel.require_memory_cgroup()
        directory = cls.enterClassContext(temporary_directory())
        cls.fleet = cls.enterClassContext(running_fleet(directory, HOSTS))

    def gate(self, host, *arguments):
        command = [run.program("writecanary"), "gate", "--prometheus", self.fleet.prometheus.url, "--kernel", ".*",
                   "--match", f'instance="{host.instance}"', "--window", "1h", "--json", *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return ran.returncode, json.loads(ran.stdout)

    def test_1_every_host_is_scraped_and_every_rule_is_healthy(self):
        self.assertEqual(len(self.fleet.prometheus.samples('up{job="writecanary"} == 1')), HOSTS)
        groups = self.fleet.prometheus.get("rules")["groups"]
        self.assertGreaterEqual(sum(len(group["rules"]) for group in groups), 19)
        wait_until(lambda: all(rule["health"] == "ok" for group in self.fleet.prometheus.get("rules")["groups"]
                               for rule in group["rules"]), 60, "all rules to be evaluated without an error")

    def test_2_the_alert_arrives_with_its_runbook(self):
        alert = wait_until(lambda: self.fleet.notified(ALERT, "firing"), 120, "the alert at the receiver")
        self.assertEqual(alert["labels"]["instance"], self.fleet.damaged.instance)
        self.assertEqual((alert["labels"]["kind"], alert["labels"]["severity"]), ("duplicate", "critical"))
        self.assertIn(os.uname().release, alert["annotations"]["description"])
        with urllib.request.urlopen(alert["annotations"]["runbook_url"]) as page:
            self.assertTrue(page.read().startswith(f"# {ALERT}".encode()))
        firing = [alert["labels"] for alert in self.fleet.alertmanager.alerts()]
        self.assertIn(self.fleet.damaged.instance,
                      [labels["instance"] for labels in firing if labels["alertname"] == ALERT])

    def test_3_every_dashboard_query_returns_data(self):
        variables = {"instance": self.fleet.damaged.instance, "kind": "duplicate", "release": ".*"}
        asked = dashboards.queries(variables)
        self.assertGreater(len(asked), 30)
        for query in asked:
            with self.subTest(f"{query.dashboard}: {query.panel}", expr=query.expression):
                # A rate needs two scrapes, a rate of a recorded series two evaluations.
                wait_until(lambda query=query: self.fleet.prometheus.samples(query.expression), 60, "data")

    def test_4_the_gate_decides_by_real_evidence(self):
        plain, well, damaged = self.fleet.hosts[0], self.fleet.hosts[1], self.fleet.damaged
        wait_until(lambda: self.gate(damaged)[0] == 2, 60, "the gate to refuse")
        self.assertGreaterEqual(self.gate(damaged)[1]["duplicates"], 1)
        code, document = self.gate(plain, "--min-exposures", "0")
        self.assertEqual((code, document["exposures"]), (3, 0), document)
        if not kernel.duplicates_appends():
            wait_until(lambda: self.gate(well, "--min-exposures", "100", "--fail-on", "corrupt")[0] == 0, 120, "the gate to let it pass")

    def test_5_acknowledged_it_is_resolved(self):
        self.fleet.acknowledge_all(self.fleet.damaged, "a test")
        resolved = wait_until(lambda: self.fleet.notified(ALERT, "resolved"), 120, "the alert to be resolved")
        self.assertEqual(resolved["labels"]["instance"], self.fleet.damaged.instance)
        self.assertEqual([alert for alert in self.fleet.alertmanager.alerts()
                          if alert["labels"]["alertname"] == ALERT], [])


if __name__ == "__main__":
    run.main()
