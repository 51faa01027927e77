"""What docs/scale.md says of sharding, federation and remote storage, with real daemons, Prometheis and a VictoriaMetrics: whoever is
asked gives the answers of one Prometheus that scrapes all. Cases are about one fleet and run in the order of their names."""

import contextlib
import json
import math
import re
import subprocess
import unittest

from harness import dashboards, kernel, run
from harness.mounts import temporary_directory
from harness.shards import SHARDS, running_shards, shard_of
from harness.waiting import Timeout, wait_until

HOSTS = 4
WRITES = 60
SECONDS = 120
# What only a Prometheus that scrapes the host has: docs/scale.md says to ask the shard.
OF_THE_HOST = re.compile(r"writecanary_build_info|writecanary_runs_total|writecanary_last_|\bup\{|writecanary_target_|process_")
# Extrapolated differently, or of the time of asking.
APPROXIMATE = ("rate(", "rate1h", "time()", "histogram_quantile")


def comparable(samples):
    """{labels: value}, without what says where a series is kept; VictoriaMetrics keeps 13 digits or so of a number."""
    return {tuple(sorted((name, value) for name, value in labels.items() if name not in ("shard", "__name__"))): float(f"{value:.9g}")
            for labels, value in samples if not math.isnan(value)}


class Shards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kernel.require_memory_cgroup()
        directory = cls.enterClassContext(temporary_directory())
        cls.fleet = cls.enterClassContext(running_shards(directory, HOSTS))
        for asked in (*cls.fleet.shards, cls.fleet.one, cls.fleet.victoria):  # what happens before the first scrape has no rate
            count = HOSTS / SHARDS if asked in cls.fleet.shards else HOSTS
            wait_until(lambda asked=asked, count=count: len(asked.samples("writecanary_build_info")) == count, SECONDS, "a scrape of each")
        cls.runs = [daemon.run("data", profile, writes=WRITES) for daemon in cls.fleet.daemons
                    for profile in ("append", "nowait-contract")]
        cls.exposures = sum(finished["exposures"] for finished in cls.runs)
        for name, asked in cls.fleet.all.items():
            if not name.startswith("shard"):
                wait_until(lambda asked=asked: cls.total(asked) == cls.exposures, SECONDS, f"all exposures in {name}")

    @staticmethod
    def total(asked):
        [(_, value)] = asked.samples("sum(release:writecanary_kernel_exposures:sum)") or [({}, -1)]
        return value

    def queries(self):
        """Of every panel, for the host that is damaged."""
        return dashboards.queries({"instance": f"127.0.0.1:{self.fleet.daemons[-1].port}", "kind": "duplicate", "release": ".*"})

    def same(self, asked, expression):
        return comparable(asked.samples(expression)) == comparable(self.fleet.one.samples(expression))

    def assert_same(self, asked, expression):
        """Soon: what asks and what is asked evaluate their rules at times of their own."""
        with contextlib.suppress(Timeout):
            wait_until(lambda: self.same(asked, expression), 30, "the same answer")
        self.assertEqual(comparable(asked.samples(expression)), comparable(self.fleet.one.samples(expression)))

    def gate(self, asked):
        command = [run.program("writecanary"), "gate", "--prometheus", asked.url, "--kernel", ".*", "--match", 'job="writecanary"',
                   "--window", "1h", "--json"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        document = json.loads(ran.stdout)
        del document["at"]  # when it was asked
        return ran.returncode, document

    def test_1_each_host_is_in_one_shard(self):
        self.assertGreater(self.exposures, 0)
        seen = [{labels["instance"] for labels, _ in shard.samples('up{job="writecanary"} == 1')} for shard in self.fleet.shards]
        addresses = [f"127.0.0.1:{daemon.port}" for daemon in self.fleet.daemons]
        self.assertEqual(seen, [{each for each in addresses if shard_of(each) == number} for number in range(SHARDS)])
        self.assertTrue(all(seen))

    def test_2_the_roll_ups_are_those_of_one(self):
        [group] = [group for group in self.fleet.one.get("rules")["groups"] if group["name"] == "writecanary.rollup"]
        names = [rule["name"] for rule in group["rules"] if "rate1h" not in rule["name"]]
        self.assertGreater(len(names), 5)
        for name in names:
            self.assertTrue(self.fleet.one.samples(name), name)
            for where in (self.fleet.above, self.fleet.victoria):
                with self.subTest(name, url=where.url):
                    self.assert_same(where, name)

    def test_3_the_shards_sum_up_to_one(self):
        for name in ("release:writecanary_hosts:count", "release:writecanary_kernel_exposures:sum",
                     "release:writecanary_kernel_corruption:sum", "release:writecanary_corrupt_hosts:count"):
            with self.subTest(name):
                parts = [shard.samples(f"sum({name})")[0][1] for shard in self.fleet.shards]
                self.assertEqual(sum(parts), self.fleet.one.samples(f"sum({name})")[0][1], parts)

    def test_4_every_dashboard_query_answers_the_same(self):
        above = 0
        for query in self.queries():
            exact = not any(part in query.expression for part in APPROXIMATE)
            asked = [self.fleet.victoria]
            if query.dashboard != "writecanary-host" and not OF_THE_HOST.search(query.expression):
                asked.append(self.fleet.above)
                above += 1
            for where in asked:
                with self.subTest(f"{query.dashboard}: {query.panel}", expr=query.expression, url=where.url):
                    if exact:
                        self.assert_same(where, query.expression)
                    else:
                        labels = set(comparable(self.fleet.one.samples(query.expression)))
                        wait_until(lambda: set(comparable(where.samples(query.expression))) == labels, 30, f"series {labels}")
        self.assertGreater(above, 12)

    def test_5_the_gate_decides_the_same(self):
        code, document = self.gate(self.fleet.one)
        self.assertEqual((code, document["exposures"], document["hosts"]), (2, self.exposures, HOSTS), document)
        self.assertGreaterEqual(document["duplicates"], 1)
        for where in (self.fleet.above, self.fleet.victoria):
            with self.subTest(where.url):
                self.assertEqual(self.gate(where), (code, document))
        parts = [self.gate(shard)[1] for shard in self.fleet.shards]
        for field in ("exposures", "hosts", "duplicates", "corrupt_hosts"):
            self.assertEqual(sum(part[field] for part in parts), document[field], field)

    def test_6_the_alert_fires_in_the_shard_of_its_host(self):
        damaged = f"127.0.0.1:{self.fleet.daemons[-1].port}"

        def firing(asked):
            return [alert["labels"]["instance"] for alert in asked.get("alerts")["alerts"]
                    if alert["labels"]["alertname"] == "WritecanaryCorruption" and alert["labels"]["kind"] == "duplicate"]

        expected = [[damaged] if shard_of(damaged) == number else [] for number in range(SHARDS)]
        if kernel.duplicates_appends():
            self.skipTest("this kernel duplicates on every host")
        wait_until(lambda: [firing(shard) for shard in self.fleet.shards] == expected, 60, f"the alerts {expected}")

    def test_7_the_bound_is_that_of_the_sums(self):
        [(_, corruption)] = self.fleet.one.samples("sum(release:writecanary_kernel_corruption:sum)")
        [(_, bound)] = self.fleet.above.samples("sum(release:writecanary_corruption_rate:upper_bound95)")
        events = corruption + 1
        expected = events * (1 - 1 / (9 * events) + 1.6449 / (3 * math.sqrt(events))) ** 3 / self.exposures
        self.assertAlmostEqual(bound, expected, places=9)

    def test_8_above_there_is_no_more_than_is_said(self):
        """docs/scale.md has these numbers."""
        roll_ups = self.fleet.above.samples('count({__name__=~"shard:.*"})')[0][1] / SHARDS
        of_hosts = self.fleet.above.samples('count({__name__=~"writecanary_.*"})')[0][1] / HOSTS
        scraped = self.fleet.one.samples('sum(scrape_samples_scraped{job="writecanary"})')[0][1] / HOSTS
        print(f"above the shards: {roll_ups:.1f} series of roll-ups for each shard, {of_hosts:.1f} for each host, of {scraped:.1f} scraped")
        self.assertLess(of_hosts, scraped / 2)


if __name__ == "__main__":
    run.main()
