"""A Prometheus outside of the guests, with the project's own rules, that scrapes one daemon in them."""

import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Callable

RULES = Path(__file__).parents[2] / "monitoring" / "rules" / "alerts.yml"


class Failed(Exception):
    """What was waited for did not come."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def wait_for(what: str, condition: Callable[[], Any], deadline: float) -> Any:
    """The first true value of `condition`, which may fail to connect until then."""
    last = "it was never true"
    while time.monotonic() < deadline:
        try:
            if value := condition():
                return value
        except (OSError, urllib.error.URLError, json.JSONDecodeError) as error:
            last = str(error)
        time.sleep(0.5)
    raise Failed(f"gave up waiting for {what}: {last}")


class Prometheus:
    """Goes on while the host is booted. A context manager."""

    def __init__(self, daemon_port: int) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="writecanary-prometheus-"))
        self._url = f"http://127.0.0.1:{(port := free_port())}"
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [{"job_name": "writecanary",
                                "static_configs": [{"targets": [f"127.0.0.1:{daemon_port}"]}]}],
        }
        file = self._directory / "prometheus.yml"
        file.write_text(json.dumps(configuration))  # JSON is YAML
        self._log = open(self._directory / "log", "wb")
        self._process = subprocess.Popen(
            ["prometheus", f"--config.file={file}", f"--storage.tsdb.path={self._directory / 'data'}",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=self._log, stderr=self._log)

    def __enter__(self) -> "Prometheus":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def series(self, expression: str) -> list[dict[str, str]]:
        """The labels of each series of an expression."""
        query = urllib.parse.urlencode({"query": expression})
        return [series["metric"] for series in get(f"{self._url}/api/v1/query?{query}")["data"]["result"]]

    def running_release(self) -> str | None:
        """Of the kernel that the daemon says; nothing while it does not answer."""
        series = self.series("writecanary_kernel_info and on (instance) up == 1")
        return series[0]["release"] if series else None

    def alerts(self, *names: str) -> list[dict[str, Any]]:
        """Those that fire, of all rules or of these."""
        return [alert for alert in get(f"{self._url}/api/v1/alerts")["data"]["alerts"]
                if alert["state"] == "firing" and (not names or alert["labels"]["alertname"] in names)]

    def ever_fired(self, matchers: str) -> set[str]:
        """The names of the alerts with such labels that fired at any time."""
        selector = f'ALERTS{{alertstate="firing",{matchers}}}'
        return {labels["alertname"] for labels in self.series(f"group by (alertname) (last_over_time({selector}[1d]))")}

    def evaluate(self, deadline: float) -> None:
        """Until every rule was evaluated once more, of what is scraped now."""
        for _ in range(2):  # one may be under way
            before = self._evaluations()
            wait_for("the rules", lambda: all(now != was for now, was in zip(self._evaluations(), before)), deadline)

    def _evaluations(self) -> list[str]:
        return [group["lastEvaluation"] for group in get(f"{self._url}/api/v1/rules")["data"]["groups"]]
