"""Beyond one Prometheus: the same daemons scraped by one, by two shards whose roll-ups a third federates, and by the shards into a
VictoriaMetrics. What is configured is what docs/scale.md says."""

import contextlib
import dataclasses
import hashlib
import os
import re
from pathlib import Path

import yaml

from harness import markdown
from harness.daemon import Daemon, closed_window, free_port
from harness.fleet import ROOT, rules
from harness.mounts import damage_mount, loop_mount
from harness.prometheus import Prometheus, running_prometheus
from harness.victoria import running_victoria_metrics

SHARDS = 2


@dataclasses.dataclass
class Shards:
    daemons: list
    one: Prometheus
    shards: list
    above: Prometheus
    victoria: Prometheus

    @property
    def all(self):
        return {"one": self.one, "above": self.above, "VictoriaMetrics": self.victoria,
                **{f"shard {number}": shard for number, shard in enumerate(self.shards)}}


def shard_of(address):
    """As hashmod does: the last eight bytes of the MD5 digest, modulo."""
    return int.from_bytes(hashlib.md5(address.encode()).digest()[8:], "big") % SHARDS


def documented(key):
    """The YAML of docs/scale.md that begins with the key."""
    blocks = markdown.split((ROOT / "docs/scale.md").read_text(encoding="utf-8"))[1]
    [text] = [block.text for block in blocks if block.language == "yaml" and re.match(rf"\s*{key}:", block.text)]
    return yaml.safe_load(text)[key]


def relabelling(shard):
    """The document's, which are of shard 3 of 8."""
    hashed, kept = documented("relabel_configs")
    assert (hashed["modulus"], kept["regex"]) == (8, 3)
    return [hashed | {"modulus": SHARDS}, kept | {"regex": str(shard)}]


def port_in(shard):
    while True:
        port = free_port()
        if shard_of(f"127.0.0.1:{port}") == shard:
            return port


def make_daemons(stack, directory, count):
    """Started, spread over the shards; the last one watches a filesystem that damages a write. They run what they are told alone."""
    xfs = stack.enter_context(loop_mount(directory, "xfs"))
    damage = stack.enter_context(damage_mount(directory))
    damage.set_rule(kind="duplicate", at=5, file="file-")
    daemons = []
    for number in range(count):
        state = os.path.join(directory, f"host-{number}")
        os.mkdir(state)
        target = damage.mount_point if number == count - 1 else os.path.join(xfs, f"data-{number}")
        os.makedirs(target, exist_ok=True)
        daemon = Daemon(state, [("data", target, {"require_mount": False})], profiles=["append", "nowait-contract"],
                        window=closed_window())
        daemon.port = port_in(number % SHARDS)
        daemon.write_config([("data", target, {"require_mount": False})], profiles=["append", "nowait-contract"], window=closed_window())
        stack.callback(daemon.stop)
        daemons.append(daemon.start())
    return daemons


@contextlib.contextmanager
def running_shards(directory, count, interval="2s"):
    """Yields when everything is up. Nothing is left in the end."""
    def place(name):
        path = Path(directory, name)
        path.mkdir()
        return str(path)

    with contextlib.ExitStack() as stack:
        daemons = make_daemons(stack, directory, count)
        scraped = {"job_name": "writecanary", "static_configs": [{"targets": [f"127.0.0.1:{daemon.port}" for daemon in daemons]}]}
        files = rules(place("rules"))
        [roll_ups] = [file for file in files if file.name == "recording.yml"]
        victoria = stack.enter_context(running_victoria_metrics(place("victoria"), [roll_ups], interval))
        writing = documented("remote_write")[0] | {"url": f"{victoria.url}/api/v1/write"}
        one = stack.enter_context(running_prometheus(place("one"), [scraped], files, interval=interval))
        shards = [stack.enter_context(running_prometheus(
            place(f"shard-{number}"), [scraped | {"relabel_configs": relabelling(number)}], files, interval=interval,
            external_labels={"shard": str(number)}, remote_write=[writing])) for number in range(SHARDS)]
        [federation] = documented("scrape_configs")
        federation["static_configs"] = [{"targets": [shard.url.removeprefix("http://") for shard in shards]}]
        above = stack.enter_context(running_prometheus(
            place("above"), [federation], [ROOT / "monitoring/federation/recording.yml"], interval=interval))
        yield Shards(daemons, one, shards, above, victoria)
