"""An Alertmanager of one's own: real, on a free port, telling one webhook receiver what it knows."""

import contextlib
import json
import os
import shutil
import subprocess
import unittest
import urllib.error
import urllib.request

from harness.daemon import free_port
from harness.waiting import wait_until


class Alertmanager:
    def __init__(self, port):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def alerts(self):
        """Those that fire, as the API gives them."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts?active=true", timeout=10) as answer:
            return json.load(answer)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False


@contextlib.contextmanager
def running_alertmanager(directory, webhook_url, port=None):
    if not shutil.which("prometheus-alertmanager"):
        raise unittest.SkipTest("prometheus-alertmanager is not installed")
    port = port or free_port()
    config = os.path.join(directory, "alertmanager.yml")
    with open(config, "w", encoding="utf-8") as file:
        json.dump({"route": {"receiver": "webhook", "group_by": ["alertname", "instance"], "group_wait": "1s",
                             "group_interval": "2s", "repeat_interval": "1h"},
                   "receivers": [{"name": "webhook",
                                  "webhook_configs": [{"url": webhook_url, "send_resolved": True}]}]}, file)
    with open(os.path.join(directory, "alertmanager.log"), "wb") as log:
        server = subprocess.Popen(
            ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={directory}/alertmanager",
             f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="], stdout=log, stderr=log)
    try:
        alertmanager = Alertmanager(port)
        wait_until(lambda: alertmanager.is_ready() or server.poll() is not None, 60, "Alertmanager to be ready")
        assert server.poll() is None, f"alertmanager ended with {server.returncode}; see {directory}/alertmanager.log"
        yield alertmanager
    finally:
        server.terminate()
        server.wait()
