"""What scripts/fleet-demo shows: the fleet of harness.fleet, where to look at it, and each alert as it arrives."""

import json
import signal
import sys
import time
import unittest

from harness.fleet import running_fleet
from harness.mounts import temporary_directory
from harness.waiting import wait_until


def say(text=""):
    print(text, flush=True)


def introduce(fleet):
    say("\n== up")
    for host in fleet.hosts:
        what = {"xfs": "XFS", "plain": "a plain directory: unexposed", "damaged": "a filesystem that damages one write"}
        say(f"  {host.name:8} {host.url}/   {what[host.kind]}")
    say(f"  Prometheus    {fleet.prometheus.url}/alerts")
    say(f"  Alertmanager  {fleet.alertmanager.url}/#/alerts")
    say(f"  receiver      {fleet.receiver.url}/alerts")
    say("\nWaiting for the alert...")


def tell(alert):
    labels, annotations = alert["labels"], alert["annotations"]
    say(f"\n[{alert['status']}] {labels['alertname']} ({labels['severity']})")
    say(f"  {annotations['summary']}\n  {annotations['description']}\n  runbook: {annotations['runbook_url']}")


def explain(fleet):
    host = fleet.damaged
    finding = host.daemon.api("/findings?acknowledged=false&limit=1")["items"][0]
    say("\n== now you")
    say(f"  build/release/bin/writecanary report {finding['id']} --url {host.url}")
    say(f'  build/release/bin/writecanary ack {finding["incident_id"]} --url {host.url} --note "seen"     ends the alert')
    say(f"  build/release/bin/writecanary gate --prometheus {fleet.prometheus.url} --kernel '.*' --min-exposures 100")
    say("\nRunning until Ctrl-C; what the receiver is told is shown here.")


def follow(fleet):
    told = 0
    while True:
        received = fleet.receiver.received()
        for request in received[told:]:
            for alert in json.loads(request.body)["alerts"]:
                tell(alert)
        told = len(received)
        time.sleep(0.5)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    count = int(sys.argv[1])
    say(f"\n== starting {count} daemons, Prometheus and Alertmanager")
    try:
        with temporary_directory() as directory, running_fleet(directory, count) as fleet:
            introduce(fleet)
            wait_until(lambda: fleet.notified("WritecanaryCorruption", "firing"), 120, "the alert at the receiver")
            explain(fleet)
            follow(fleet)
    except KeyboardInterrupt:
        say("\n== gone, with everything that was made")
    except unittest.SkipTest as reason:  # how the harness says that a machine cannot do something
        sys.exit(f"fleet-demo: {reason}")


if __name__ == "__main__":
    main()
