"""A guest with the package or the archive, and what can be asked of it."""

import json
import re
import urllib.request
from typing import Any

from machine import Machine

SERVICE = "writecanary.service"


class Host:
    """The guest as its administrator and its monitoring see it."""

    def __init__(self, machine: Machine, url: str, packages: list[str]) -> None:
        self.run = machine.run
        self.run_as_user = machine.run_as_user
        self.packages = packages
        self._url = url

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self._url + path, timeout=20) as answer:
            return answer.read().decode()

    def api(self, path: str) -> Any:
        return json.loads(self.get(f"/api/v1{path}"))

    def metric(self, name: str, *labels: str) -> float:
        """The sum over all series that carry these labels."""
        pattern = re.compile(rf"^{name}(?:\{{(.*)\}})? (\S+)$", re.MULTILINE)
        found = pattern.findall(self.get("/metrics"))
        return sum(float(value) for series, value in found if all(label in series for label in labels))

    def profiles(self) -> set[str]:
        """Those that the service runs by itself."""
        return {each["profile"] for target in self.api("/targets")["items"] for each in target["profiles"]}

    def duplicates(self) -> float:
        return self.metric("writecanary_findings_total", 'kind="duplicate"')

    def property(self, name: str) -> str:
        return self.run(f"systemctl show -P {name} {SERVICE}").stdout.strip()

    def is_up(self) -> bool:
        return self.property("ActiveState") == "active" and self.get("/readyz") != ""

    def diagnosis(self) -> str:
        return self.run(f"systemctl status --no-pager -l {SERVICE}; journalctl -b --no-pager -n 40 -u {SERVICE}", check=False).stdout
