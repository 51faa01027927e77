"""The rules for Prometheus: valid, each alert tested in all three ways, each with a runbook, none about a metric that
does not exist."""

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

import yaml

from harness import run

ROOT = Path(os.environ["WRITECANARY_SOURCE"])
RULES = sorted((ROOT / "monitoring" / "rules").glob("*.yml"))
TESTS = ROOT / "monitoring" / "tests"
RUNBOOKS = ROOT / "docs" / "runbooks"
GOLDEN = ROOT / "tests" / "unit" / "api" / "golden_scrape.txt"
SECTIONS = ["How to look", "What to do", "Silence it with a reason"]


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules():
    return [rule for path in RULES for group in load(path)["groups"] for rule in group["rules"]]


def alerts():
    return [rule for rule in rules() if "alert" in rule]


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
        self.promtool("check", "rules", *RULES)

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
        # The golden scrape leaves out what differs from build to build.
        exposed = set(re.findall(r"^# TYPE (\w+)", GOLDEN.read_text(encoding="utf-8"), re.MULTILINE))
        for rule in rules():
            used = set(re.findall(r"(?<!:)\bwritecanary_\w+", rule["expr"]))
            self.assertEqual(used - exposed, set(), rule.get("alert", rule.get("record")))


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


if __name__ == "__main__":
    run.main()
