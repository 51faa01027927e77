"""A Prometheus of one's own: real, on a free port, gone at the end."""

import contextlib
import json
import os
import shutil
import subprocess
import unittest
import urllib.error
import urllib.parse
import urllib.request

from harness.daemon import free_port
from harness.waiting import wait_until


class Prometheus:
    def __init__(self, url):
        self.url = url

    def get(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10) as answer:
            return json.load(answer)["data"]

    def samples(self, expression):
        """[(labels, value)] of an expression, now."""
        result = self.get("query", query=expression)["result"]
        return [(sample["metric"], float(sample["value"][1])) for sample in result]

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False


@contextlib.contextmanager
def running_prometheus(directory, scrape_configs=(), rules=(), alertmanager_port=None, interval="2s", port=None,
                       external_labels=None, remote_write=()):
    """Starts one with its data in directory/data, which may hold blocks already."""
    if not shutil.which("prometheus"):
        raise unittest.SkipTest("prometheus is not installed")
    port = port or free_port()
    config = os.path.join(directory, "prometheus.yml")
    with open(config, "w", encoding="utf-8") as file:
        alertmanagers = [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]}] if alertmanager_port else []
        json.dump({"global": {"scrape_interval": interval, "evaluation_interval": interval,  # JSON is YAML
                              "external_labels": external_labels or {}},
                   "remote_write": list(remote_write), "alerting": {"alertmanagers": alertmanagers},
                   "rule_files": [str(rule) for rule in rules], "scrape_configs": list(scrape_configs)}, file)
    with open(os.path.join(directory, "prometheus.log"), "wb") as log:
        server = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
                                   f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        prometheus = Prometheus(f"http://127.0.0.1:{port}")
        wait_until(lambda: prometheus.is_ready() or server.poll() is not None, 60, "Prometheus to be ready")
        if server.poll() is not None:
            with open(os.path.join(directory, "prometheus.log"), encoding="utf-8") as log:
                raise AssertionError(f"prometheus ended with {server.returncode}:\n{log.read()}")
        yield prometheus
    finally:
        server.terminate()
        server.wait()


def backfill(directory, samples):
    """Writes history into directory/data before a Prometheus is started on it.

    `samples` are (metric, {label: value}, [(unix seconds, value), ...]), one for each series.
    """
    families = {}
    for metric, labels, points in samples:
        text = ",".join(f'{name}="{value}"' for name, value in labels.items())
        families.setdefault(metric, []).extend(f"{metric}{{{text}}} {value} {at}" for at, value in points)
    lines = []
    for metric, rows in families.items():
        kind = "counter" if metric.endswith("_total") else "gauge"
        lines += [f"# TYPE {metric.removesuffix('_total')} {kind}", *rows]
    source = os.path.join(directory, "history.txt")
    with open(source, "w", encoding="utf-8") as file:
        file.write("\n".join([*lines, "# EOF", ""]))
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", source, os.path.join(directory, "data")],
                   check=True, capture_output=True)
