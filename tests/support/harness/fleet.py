"""A small fleet that is real but for its size: N daemons, Prometheus with the project's rules, Alertmanager, a receiver.

What differs from a fleet is that all daemons are on this host, so all have its kernel. One is on a filesystem that
damages one write; one is on a plain directory, where nothing can be exposed; the others are on XFS. Shared by
scripts/fleet-demo and tests/e2e/fleet_test.py.
"""

import contextlib
import dataclasses
import json
import os
from pathlib import Path

from harness.alertmanager import Alertmanager, running_alertmanager
from harness.daemon import Daemon
from harness.mounts import DamageMount, damage_mount, loop_mount
from harness.prometheus import Prometheus, running_prometheus
from harness.receiver import Receiver, running_receiver
from harness.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
INSTALLED_RUNBOOKS = "file:///usr/share/doc/writecanary/runbooks"


@dataclasses.dataclass
class Host:
    name: str
    daemon: Daemon
    kind: str  # "xfs", "plain" or "damaged"

    @property
    def instance(self):
        return f"127.0.0.1:{self.daemon.port}"

    @property
    def url(self):
        return f"http://{self.instance}"


@dataclasses.dataclass
class Fleet:
    hosts: list
    damage: DamageMount
    prometheus: Prometheus
    alertmanager: Alertmanager
    receiver: Receiver

    @property
    def damaged(self):
        return self.hosts[-1]

    def notified(self, alertname, status):
        """The first alert of this name that the receiver was told of with this status ("firing", "resolved")."""
        for request in self.receiver.received():
            for alert in json.loads(request.body)["alerts"]:
                if alert["labels"]["alertname"] == alertname and alert["status"] == status:
                    return alert
        return None

    def acknowledge_all(self, host, note):
        ids = [incident["id"] for incident in host.daemon.api("/incidents?state=open&limit=500")["items"]]
        status, _, answer = host.daemon.post("/incidents/ack", {"ids": ids, "note": note})
        assert status == 200, answer


def rules(directory):
    """The project's rules, with links to the runbooks of this tree."""
    paths = []
    for source in sorted((ROOT / "monitoring" / "rules").glob("*.yml")):
        text = source.read_text(encoding="utf-8").replace(INSTALLED_RUNBOOKS, (ROOT / "docs" / "runbooks").as_uri())
        path = Path(directory) / source.name
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def write_targets(path, hosts):
    """For Prometheus' file_sd_configs."""
    groups = [{"targets": [host.instance], "labels": {"host": host.name}} for host in hosts]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(groups, file, indent=2)


def make_hosts(stack, directory, count, damaged_path):
    """Daemons, started and stopped by the stack. The last one watches damaged_path."""
    xfs = stack.enter_context(loop_mount(directory, "xfs"))
    hosts = []
    for number in range(1, count + 1):
        kind = "damaged" if number == count else "plain" if number == 1 else "xfs"
        state = os.path.join(directory, f"host-{number}")
        os.mkdir(state)
        target = damaged_path if kind == "damaged" else os.path.join(xfs if kind == "xfs" else state, f"data-{number}")
        if kind != "damaged":
            os.mkdir(target)
        profiles = ["append"] if kind == "damaged" else ["append", "nowait-contract"]
        daemon = Daemon(state, [("data", target, {"require_mount": False})], profiles=profiles, every="1m", duration="1s",
                        max_memory_pressure=0.0)
        stack.callback(daemon.stop)
        daemon.start()
        hosts.append(Host(f"host-{number}", daemon, kind))
    return hosts


@contextlib.contextmanager
def running_fleet(directory, count):
    """Yields once everything is up and every host has been scraped. Nothing is left in the end."""
    assert count >= 3, "one host on a damaged filesystem, one that cannot be exposed, and one that is well"
    with contextlib.ExitStack() as stack:
        damage = stack.enter_context(damage_mount(directory))
        damage.set_rule(kind="duplicate", at=5, file="file-")
        hosts = make_hosts(stack, directory, count, damage.mount_point)
        targets = os.path.join(directory, "targets.json")
        write_targets(targets, hosts)
        receiver = stack.enter_context(running_receiver())
        alertmanager = stack.enter_context(running_alertmanager(directory, f"{receiver.url}/alerts"))
        scrape = [{"job_name": "writecanary", "file_sd_configs": [{"files": [targets]}]}]
        prometheus = stack.enter_context(
            running_prometheus(directory, scrape, rules(directory), alertmanager.port))
        wait_until(lambda: len(prometheus.samples("writecanary_build_info")) == count, 60, "a scrape of every host")
        yield Fleet(hosts, damage, prometheus, alertmanager, receiver)
