"""The rules for Prometheus: valid, each alert tested in all three ways, each with a runbook, none about a metric that
does not exist."""

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

import yaml

from harness import dashboards, run

ROOT = Path(os.environ["WRITECANARY_SOURCE"])
RULES = sorted((ROOT / "monitoring" / "rules").glob("*.yml"))
FEDERATION = ROOT / "monitoring" / "federation" / "recording.yml"
TESTS = ROOT / "monitoring" / "tests"
RUNBOOKS = ROOT / "docs" / "runbooks"
GOLDEN = ROOT / "tests" / "unit" / "api" / "metrics" / "golden_scrape.txt"
SECTIONS = ["How to look", "What to do", "Silence it with a reason"]


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules():
    return [rule for path in RULES for group in load(path)["groups"] for rule in group["rules"]]


def alerts():
    return [rule for rule in rules() if "alert" in rule]


def exposed_metrics():
    """Names from the golden scrape, which leaves out those of the process."""
    golden = set(re.findall(r"^# TYPE (\w+)", GOLDEN.read_text(encoding="utf-8"), re.MULTILINE))
    return golden | {"process_resident_memory_bytes", "process_cpu_seconds_total"}


def minutes(text):
    """Of a time in a promtool test, such as 1d2h30m."""
    factors = {"m": 1, "h": 60, "d": 1440}
    return sum(int(number) * factors[unit] for number, unit in re.findall(r"(\d+)([mhd])", text))


def looks(alert):
    """Per case of an alert's test: [fires, ...] in the order of time."""
    return [
        [bool(look["exp_alerts"]) for look in sorted(case["alert_rule_test"], key=lambda look: minutes(look["eval_time"]))]
        for case in load(TESTS / f"{alert}.yml")["tests"]
    ]


class Rules(unittest.TestCase):
    def promtool(self, *arguments):
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed (package prometheus)")
        ran = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)

    def test_they_are_valid(self):
        self.promtool("check", "rules", *RULES, FEDERATION)

    def test_they_do_what_their_tests_say(self):
        tests = sorted(TESTS.glob("*.yml"))
        self.assertEqual(len(tests), len(alerts()) + 1)  # and one for the recording rules
        self.promtool("test", "rules", *tests)

    def test_every_alert_fires_does_not_fire_and_resolves(self):
        for alert in alerts():
            with self.subTest(alert["alert"]):
                cases = looks(alert["alert"])
                self.assertTrue(any(case[-1] is False and True in case for case in cases), "none resolves")
                self.assertTrue(any(True not in case for case in cases), "there is no case in which it stays quiet")

    def test_every_recording_rule_is_tested(self):
        tested = {expr["expr"] for case in load(TESTS / "recording.yml")["tests"] for expr in case["promql_expr_test"]}
        for rule in rules():
            if "record" in rule:
                self.assertTrue(any(rule["record"] in expr for expr in tested), rule["record"])

    def test_every_alert_says_what_a_person_needs(self):
        for alert in alerts():
            with self.subTest(alert["alert"]):
                self.assertIn(alert["labels"]["severity"], ("critical", "warning"))
                self.assertTrue(alert["annotations"]["summary"])
                self.assertTrue(alert["annotations"]["description"])
                self.assertTrue(alert["annotations"]["runbook_url"].endswith(f"/{alert['alert']}.md"))

    def test_every_metric_in_a_rule_exists(self):
        exposed = exposed_metrics()
        for rule in rules():
            used = set(re.findall(r"(?<!:)\bwritecanary_\w+", rule["expr"]))
            self.assertEqual(used - exposed, set(), rule.get("alert", rule.get("record")))


class Federation(unittest.TestCase):
    """That what it records is the sum of what shards say is seen in e2e_shards."""

    def test_it_sums_up_each_roll_up(self):
        above = {rule["record"]: " ".join(rule["expr"].split()) for group in load(FEDERATION)["groups"] for rule in group["rules"]}
        below = {rule["record"]: " ".join(rule["expr"].split()) for rule in rules() if "record" in rule}
        self.assertEqual(set(above), set(below))
        for name, expression in above.items():
            # A bound of all is no sum of bounds.
            expected = below[name] if name.endswith(":upper_bound95") else f"sum without (shard, job) (shard:{name})"
            self.assertEqual(expression, expected, name)


class Runbooks(unittest.TestCase):
    def test_there_is_one_for_each_alert_and_no_other(self):
        pages = {path.stem for path in RUNBOOKS.glob("Writecanary*.md")}
        self.assertEqual(pages, {alert["alert"] for alert in alerts()})

    def test_each_says_how_to_look_what_to_do_and_how_to_silence(self):
        for page in RUNBOOKS.glob("Writecanary*.md"):
            with self.subTest(page.name):
                text = page.read_text(encoding="utf-8")
                self.assertEqual(re.findall(r"^## (.*)", text, re.MULTILINE), SECTIONS)
                self.assertIn(f"amtool silence add alertname={page.stem} ", text)
                self.assertIn("--comment", text)

    def test_the_index_lists_all_with_their_severity(self):
        listed = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \|", (RUNBOOKS / "README.md").read_text(), re.MULTILINE)
        self.assertEqual(sorted(listed), sorted((a["alert"], a["alert"], a["labels"]["severity"]) for a in alerts()))


class Dashboards(unittest.TestCase):
    def test_each_is_stable_and_asks_the_prometheus_that_is_chosen(self):
        boards = dashboards.dashboards()
        self.assertEqual({board["uid"] for board in boards},
                         {"writecanary-fleet", "writecanary-host", "writecanary-rollout"})
        for board in boards:
            variables = {variable["name"]: variable for variable in board["templating"]["list"]}
            self.assertEqual((variables["datasource"]["type"], variables["datasource"]["query"]),
                             ("datasource", "prometheus"))
            self.assertEqual(len({panel["id"] for panel in board["panels"]}), len(board["panels"]))
            for panel in board["panels"]:
                with self.subTest(board["uid"], panel=panel["title"]):
                    for source in [panel["datasource"], *(target["datasource"] for target in panel["targets"])]:
                        self.assertEqual(source, {"type": "prometheus", "uid": "${datasource}"})

    def test_their_queries_are_about_what_exists(self):
        known = exposed_metrics() | {rule["record"] for rule in rules() if "record" in rule} | {"up"}
        for query in dashboards.queries({"instance": "a", "kind": "torn", "release": ".*"}):
            used = set(re.findall(r"[\w:]*(?:writecanary|process)_[\w:]+", query.expression))
            used = {re.sub(r"_bucket$", "", name) for name in used}
            self.assertEqual(used - known, set(), f"{query.dashboard}: {query.panel}")

    def test_they_lead_to_the_daemons_page_and_to_each_other(self):
        text = "".join(path.read_text(encoding="utf-8") for path in dashboards.DIRECTORY.glob("*.json"))
        self.assertIn("http://${__data.fields.instance}/", text)
        for uid in re.findall(r"/d/([\w-]+)", text):
            self.assertIn(uid, {board["uid"] for board in dashboards.dashboards()})


if __name__ == "__main__":
    run.main()
