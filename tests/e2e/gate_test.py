"""`writecanary gate` against a real Prometheus with the history of a small fleet in it.

One history for all cases: what differs is the kernel that is asked about. Times are hours before now.
"""

import json
import os
import shutil
import subprocess
import time
import unittest

from harness import run, test_reports
from harness.daemon import free_port
from harness.mounts import temporary_directory
from harness.prometheus import backfill, running_prometheus

HOUR = 3600
STEP = 300
NOW = int(time.time())


def points(begin, end, value):
    """Samples from `begin` to `end` hours ago, of value(whole hours ago). What lasts until now goes on for an hour as it
    is, so that it does not matter when within that hour a question is asked."""
    last = NOW - int(end * HOUR) if end else NOW + HOUR
    return [(at, value(max(0, -((at - NOW) // HOUR)))) for at in range(NOW - begin * HOUR, last + 1, STEP)]


class Fleet:
    """Collects the series of hosts as their daemons expose them."""

    def __init__(self):
        self.samples = []

    def host(self, name, release, begin, end=0, exposures=lambda _: 0, self_test_ok=1, job="writecanary", **findings):
        labels = {"job": job, "instance": name}

        def add(metric, extra, value):
            self.samples.append((metric, {**labels, **extra}, points(begin, end, value)))

        add("writecanary_kernel_info", {"release": release}, lambda _: 1)
        add("writecanary_self_test_ok", {}, lambda _: self_test_ok)
        self.detector(name, release, "append", begin, end, exposures, job, **findings)

    def detector(self, name, release, profile, begin, end=0, exposures=lambda _: 0, job="writecanary", runs=None, **findings):
        """What one profile saw on a host."""
        of_profile = {"job": job, "instance": name, "target": "data", "release": release, "profile": profile}

        def add(metric, extra, value):
            self.samples.append((metric, {**of_profile, **extra}, points(begin, end, value)))

        add("writecanary_kernel_exposures_total", {}, exposures)
        for kind in ("duplicate", "torn", "missing", "stuck", "nowait_contract"):
            add("writecanary_kernel_findings_total", {"kind": kind}, findings.get(kind, lambda _: 0))
        for verdict, number in (runs or {}).items():
            add("writecanary_kernel_runs_total", {"verdict": verdict}, lambda _, number=number: number)


def small_fleet():
    fleet = Fleet()
    # Two hosts, three days. 100 exposures an hour each.
    for name in ("clean-a", "clean-b"):
        fleet.host(name, "6.12.94", 72, exposures=lambda ago: (72 - ago) * 100)
    fleet.host("torn", "6.12.95", 72, exposures=lambda _: 9000, torn=lambda _: 14)
    fleet.host("contract", "6.12.96", 72, exposures=lambda _: 9000, nowait_contract=lambda _: 3)
    # The same hosts as before their reboot, when they duplicated.
    fleet.host("clean-a", "6.1.170", 100, 73, exposures=lambda _: 5000, duplicate=lambda _: 12, torn=lambda _: 5)
    # First scraped when it had the finding already: the counter never increases.
    fleet.host("first", "6.6.100", 2, exposures=lambda _: 900, duplicate=lambda _: 1)
    # Duplicated ten days ago, nothing since.
    fleet.host("old", "6.6.143", 260, exposures=lambda ago: (260 - ago) * 50, duplicate=lambda _: 3)
    fleet.host("idle", "6.18.0-ext4", 48)
    fleet.host("few", "6.18.1", 48, exposures=lambda _: 40)
    fleet.host("blind", "6.18.2", 48, exposures=lambda _: 9000, self_test_ok=0)
    # Lost its database a day ago: the counter began again.
    fleet.host("reset", "6.18.3", 300, exposures=lambda ago: 5000 if ago > 24 else 1200)
    # Crashed three days ago, with a finding, and never came back.
    fleet.host("gone", "6.19.0", 120, 72, exposures=lambda _: 2000, missing=lambda ago: 1 if ago < 100 else 0)
    rollout(fleet)
    return fleet.samples


def rollout(fleet):
    """Another fleet: 6.1.170 four days ago, then two candidates on one host each. The filesystem of one is not the old one's,
    so that appends were never exposed there, while a reader was, a hundred thousand times."""
    job = "rollout"
    for name in ("r-a", "r-b"):
        fleet.host(name, "6.1.170", 120, 72, exposures=lambda _: 4000, job=job, duplicate=lambda _: 100)
        fleet.detector(name, "6.1.170", "append-interposed", 120, 72, lambda _: 4000, job, torn=lambda _: 2000)
    fleet.host("r-a", "6.12.94", 70, exposures=lambda _: 6000, job=job)
    fleet.detector("r-a", "6.12.94", "append-interposed", 70, 0, lambda _: 6000, job, torn=lambda _: 3000)
    fleet.host("r-b", "6.18.9", 70, exposures=lambda _: 0, job=job)
    fleet.detector("r-b", "6.18.9", "append-interposed", 70, 0, lambda _: 0, job, runs={"unsupported": 12, "unexposed": 3})
    fleet.detector("r-b", "6.18.9", "tail-reader", 70, 0, lambda _: 100_000, job)


class Gate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("promtool"):
            raise unittest.SkipTest("promtool is not installed")
        directory = cls.enterClassContext(temporary_directory())
        backfill(directory, small_fleet())
        cls.prometheus = cls.enterClassContext(running_prometheus(directory))

    def ask(self, kernel, *arguments, url=None):
        """(exit code, document or None, stderr)"""
        command = [run.program("writecanary"), "gate", "--prometheus", url or self.prometheus.url, "--kernel", kernel,
                   *arguments]
        if "--match" not in arguments:
            command += ["--match", 'job="writecanary"']
        ran = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False, timeout=60,
                             env={**os.environ, "NO_COLOR": "1"})
        return ran.returncode, json.loads(ran.stdout) if ran.stdout else None, ran.stderr

    def test_enough_evidence_and_no_corruption_is_0(self):
        code, document, _ = self.ask("6[.]12[.]94")
        self.assertEqual(code, 0, document)
        self.assertEqual(document["verdict"], "clean")
        self.assertEqual((document["hosts"], document["exposed_hosts"], document["exposures"]), (2, 2, 14400))
        self.assertEqual((document["duplicates"], document["torn"]), (0, 0))
        self.assertAlmostEqual(document["rate_upper_bound_95"], 2.9957 / 14400, places=7)

    def test_a_broken_promise_is_6_unless_only_corruption_is_asked_for(self):
        for kernel, counts in (("6[.]12[.]95", {"torn": 14}), ("6[.]12[.]96", {"nowait_contract": 3})):
            with self.subTest(kernel):
                code, document, _ = self.ask(kernel)
                self.assertEqual((code, document["verdict"], document["exit_code"]), (6, "violation", 6))
                self.assertEqual({kind: n for kind, n in document["finding_counts"].items() if n}, counts)
                code, document, _ = self.ask(kernel, "--fail-on", "corrupt")
                self.assertEqual((code, document["verdict"]), (0, "clean"), document)
        self.assertEqual(self.ask("6[.]12[.]95", "--max-torn", "14")[0], 0)
        self.assertEqual(self.ask("6[.]12[.]95", "--max-torn", "13")[0], 6)
        self.assertEqual(self.ask("6[.]12[.]95", "--fail-on", "corrupt", "--min-hosts", "2")[0], 3)

    def test_what_a_host_did_before_its_reboot_is_held_against_the_other_kernel(self):
        code, document, _ = self.ask("6[.]1[.]170")
        self.assertEqual((code, document["verdict"]), (2, "corrupt"))
        self.assertEqual((document["duplicates"], document["exposures"], document["hosts"]), (12, 5000, 1))

    def test_a_counter_that_begins_at_its_first_finding_counts(self):
        code, document, _ = self.ask("6[.]6[.]100")
        self.assertEqual((code, document["duplicates"], document["exposures"]), (2, 1, 900))

    def test_what_was_there_before_the_window_does_not_count(self):
        code, document, _ = self.ask("6[.]6[.]143", "--window", "24h")
        self.assertEqual((code, document["duplicates"], document["exposures"]), (0, 0, 1200))
        code, document, _ = self.ask("6[.]6[.]143", "--window", "20d")
        self.assertEqual((code, document["duplicates"], document["exposures"]), (2, 3, 13000))

    def test_without_exposures_it_is_3_whatever_is_asked_for(self):
        for limits in ([], ["--min-exposures", "0", "--min-hosts", "0"]):
            code, document, _ = self.ask("6[.]18[.]0-ext4", *limits)
            self.assertEqual((code, document["verdict"], document["exposures"]), (3, "unexposed", 0))
            self.assertIsNone(document["rate_upper_bound_95"])

    def test_a_kernel_that_nobody_runs_is_3(self):
        code, document, _ = self.ask("7[.].*", "--min-exposures", "0", "--min-hosts", "0")
        self.assertEqual((code, document["releases"]), (3, []))

    def test_too_few_exposures_or_hosts_are_3(self):
        code, document, _ = self.ask("6[.]18[.]1")
        self.assertEqual((code, document["exposures"]), (3, 40))
        self.assertEqual(self.ask("6[.]18[.]1", "--min-exposures", "40")[0], 0)
        self.assertEqual(self.ask("6[.]18[.]1", "--min-exposures", "40", "--min-hosts", "2")[0], 3)

    def test_blind_detectors_are_3(self):
        code, document, _ = self.ask("6[.]18[.]2")
        self.assertEqual((code, document["blind_hosts"]), (3, 1))

    def test_a_lost_database_does_not_lose_the_evidence_since(self):
        code, document, _ = self.ask("6[.]18[.]3")
        self.assertEqual((code, document["exposures"]), (0, 1200))

    def test_a_host_that_is_gone_is_not_forgotten(self):
        code, document, _ = self.ask("6[.]19[.]0")
        self.assertEqual((code, document["finding_counts"]["missing"], document["corrupt_hosts"]), (2, 1, 1))

    def test_further_matchers_narrow_it_down(self):
        code, document, _ = self.ask("6[.]12[.]94", "--match", 'instance="clean-b"')
        self.assertEqual((code, document["hosts"], document["exposures"]), (0, 1, 7200))

    def roll_out(self, kernel, *arguments):
        return self.ask(kernel, "--match", 'job="rollout"', *arguments)

    def test_exposures_of_another_detector_do_not_let_it_pass(self):
        code, document, _ = self.roll_out("6[.]18[.]9")
        self.assertEqual((code, document["verdict"], document["exposures"]), (3, "unexposed", 100_000), document)
        self.assertEqual(document["required"], ["append", "append-interposed", "tail-reader"])
        self.assertIn("append-interposed: not exposed on 1 host: 3 runs were unexposed, 12 unsupported.", document["reasons"])
        self.assertIsNone(document["rate_upper_bound_95"])
        # Who asks for the reader alone gets what he asks for.
        self.assertEqual(self.roll_out("6[.]18[.]9", "--require", "tail-reader")[0], 0)
        self.assertEqual(self.roll_out("6[.]18[.]9", "--require", "append,tail-reader")[0], 3)

    def test_what_was_exposed_on_the_old_kernel_has_to_be_on_the_new_one(self):
        code, document, _ = self.roll_out("6[.]18[.]9", "--compare", "6[.]1[.]170")
        self.assertEqual((code, document["required"]), (3, ["append", "append-interposed"]), document)
        self.assertIn("append-interposed: not exposed on 1 host: 3 runs were unexposed, 12 unsupported. It had 8,000 exposures on "
                      "the kernel to compare with; what it found there it cannot find here.", document["reasons"])
        code, document, _ = self.roll_out("6[.]18[.]9", "--compare", "5[.]4[.].*", "--require", "tail-reader")
        self.assertEqual(code, 3)
        self.assertIn("No host ran the kernel to compare with", document["reasons"][0])

    def test_rates_are_compared_with_those_of_the_old_kernel(self):
        code, document, _ = self.roll_out("6[.]12[.]94", "--compare", "6[.]1[.]170", "--fail-on", "corrupt")
        self.assertEqual((code, document["compare"]["exposures"]), (0, 16_000), document)
        found = {(detector["profile"], kind["kind"]): kind for detector in document["detectors"] for kind in detector["findings"]}
        gone, same = found["append", "duplicate"], found["append-interposed", "torn"]
        self.assertEqual((gone["count"], gone["count_before"], gone["ratio"], gone["ratio_low_95"]), (0, 200, 0, 0))
        self.assertLess(gone["ratio_high_95"], 0.05)
        self.assertEqual((same["count"], same["count_before"], same["hosts"], same["rate"], same["ratio"]), (3000, 4000, 1, 0.5, 1))
        self.assertTrue(0.9 < same["ratio_low_95"] < 1 < same["ratio_high_95"] < 1.1, same)
        self.assertEqual(self.roll_out("6[.]12[.]94", "--compare", "6[.]1[.]170")[0], 6)

    def test_a_report_of_tests_has_a_case_for_each_detector(self):
        command = [run.program("writecanary"), "gate", "--prometheus", self.prometheus.url, "--kernel", "6[.]18[.]9",
                   "--match", 'job="rollout"', "--compare", "6[.]1[.]170", "--format", "junit"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(ran.returncode, 3, ran.stderr)
        cases = test_reports.read_junit(ran.stdout)
        self.assertEqual({name: case.result for name, case in cases.items()},
                         {"fleet": "passed", "append": "error", "append-interposed": "error", "tail-reader": "passed"})
        self.assertIn("12 unsupported", cases["append-interposed"].message)

    def test_it_tells_a_person_why(self):
        ran = subprocess.run([run.program("writecanary"), "gate", "--prometheus", self.prometheus.url, "--kernel", "6[.]1[.].*",
                              "--match", 'job="writecanary"'],
                             capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(ran.returncode, 2)
        self.assertIn("REFUSED", ran.stdout)
        self.assertIn("12 duplicates; at most 0 tolerated (--max-duplicates).", ran.stdout)
        self.assertIn("6.1.170", ran.stdout)

    def test_mistakes_are_1_and_unreachable_is_5(self):
        code, document, errors = self.ask("6[.")
        self.assertEqual((code, document), (1, None))
        self.assertIn("Prometheus refuses the query", errors)
        self.assertEqual(self.ask("")[0], 1)
        self.assertEqual(self.ask("6.*", url="ftp://x")[0], 1)
        self.assertEqual(self.ask("6.*", "--window", "0s")[0], 1)
        self.assertEqual(self.ask("6.*", "--require", "append,")[0], 1)
        code, _, errors = self.ask("6.*", url=f"http://127.0.0.1:{free_port()}")
        self.assertEqual(code, 5)
        self.assertIn("cannot reach Prometheus", errors)


if __name__ == "__main__":
    run.main()
