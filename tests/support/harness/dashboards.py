"""The Grafana dashboards as a test asks them: every panel's queries, with the variables filled in."""

import dataclasses
import json
import re
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parents[3] / "monitoring" / "grafana"


@dataclasses.dataclass
class Query:
    dashboard: str
    panel: str
    expression: str


def dashboards():
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(DIRECTORY.glob("*.json"))]


def fill(text, variables):
    """Replaces $name and ${name}. A variable without a value is an error."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: variables[match.group(1) or match.group(2)], text)


def queries(variables):
    return [Query(board["uid"], fill(panel["title"], variables), fill(target["expr"], variables))
            for board in dashboards() for panel in board["panels"] for target in panel["targets"]]
