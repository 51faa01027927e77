#!/usr/bin/env python3
"""The kernels' table without a guest: which kernels an index holds, what is concluded of cells, and what is shown of them."""

import json
import subprocess
import shutil
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import guest  # noqa: E402
import kernels  # noqa: E402
from kernel_archive import index, store, versions  # noqa: E402
from kernel_history import brackets, issues, measure, page, picture, plan, summary  # noqa: E402
from kernel_history.cell import Cell, interval, problems, told_apart  # noqa: E402
from kernel_history.results import Results  # noqa: E402

DOCUMENTS = Path(__file__).parents[2] / "docs"
ARCHIVE = "http://archive/debian/"


def stanza(name, version, depends="kmod", source="linux-signed-amd64 (1)", sha256="aa"):
    return (f"Package: {name}\nSource: {source}\nVersion: {version}\nDepends: {depends}\nFilename: pool/{name}_{version}.deb\n"
            f"Size: 1\nSHA256: {sha256}\nDescription: Linux\n")


def split(abi, version):
    return stanza(f"linux-image-{abi}", version, f"kmod, linux-binary-{abi} (= {version}), linux-modules-{abi} (= {version})")


class Versions(unittest.TestCase):
    ASCENDING = ["5.10.218-1", "6.1.172-1~deb11u1", "6.1.172-1", "6.12.43-1~bpo12+1", "6.12.90-1~bpo12+1", "6.12.90-1",
                 "6.12.90-2~bpo12+1", "6.12.90-2", "6.12.100-1", "6.19.6-2~bpo13+1", "7.0.4-1", "7.2~rc1-1~exp1", "7.2-1", "7.2.1-1"]

    def test_order_is_that_of_dpkg(self):
        self.assertEqual(sorted(reversed(self.ASCENDING), key=versions.order), self.ASCENDING)

    @unittest.skipUnless(shutil.which("dpkg"), "needs dpkg")
    def test_dpkg_agrees(self):
        for one, other in zip(self.ASCENDING, self.ASCENDING[1:]):
            self.assertEqual(subprocess.run(["dpkg", "--compare-versions", one, "lt", other]).returncode, 0, (one, other))

    def test_parts(self):
        self.assertEqual(versions.upstream("6.12.90-2~bpo12+1"), "6.12.90")
        self.assertEqual(versions.series("6.12.90-2~bpo12+1"), "6.12")
        self.assertEqual(versions.series("7.2-1"), "7.2")


class Index(unittest.TestCase):
    def builds(self, *texts):
        return index.builds((f"suite{number}", ARCHIVE, "\n".join(text)) for number, text in enumerate(texts))

    def test_a_kernel_of_one_package_in_two_suites(self):
        text = [stanza("linux-image-6.1.0-50-cloud-amd64", "6.1.176-1"), stanza("linux-image-cloud-amd64", "6.1.176-1"),
                stanza("linux-image-6.1.0-50-cloud-amd64-unsigned", "6.1.176-1"), stanza("linux-image-6.1-cloud-amd64", "6.1.176-1"),
                stanza("linux-image-6.1.0-50-cloud-amd64-dbg", "6.1.176-1"), stanza("linux-image-6.1.0-50-amd64", "6.1.176-1")]
        found = self.builds(text, text)
        self.assertEqual([build.name for build in found], ["6.1.176-1", "6.1.176-1:amd64"])
        self.assertEqual(found[0].suites, ("suite0", "suite1"))
        self.assertEqual(found[0].parts, (index.Part("linux-image-6.1.0-50-cloud-amd64", "6.1.176-1",
                                                     f"{ARCHIVE}pool/linux-image-6.1.0-50-cloud-amd64_6.1.176-1.deb", "aa"),))
        self.assertTrue(found[0].listed)
        self.assertEqual(index.from_json(json.loads(json.dumps(found[0].as_json()))), found[0])

    def test_a_split_kernel_and_one_whose_modules_have_left(self):
        new, old = "7.2.12+deb13-cloud-amd64", "7.1.13+deb13-cloud-amd64"
        found = self.builds([split(old, "7.1.13-1"), stanza(f"linux-binary-{old}", "7.1.13-1", sha256="b1"), split(new, "7.2.12-1"),
                             stanza(f"linux-binary-{new}", "7.2.12-1", sha256="b2"),
                             stanza(f"linux-modules-{new}", "7.2.12-1", source="linux", sha256="m2")])
        self.assertEqual([(build.version, build.listed) for build in found], [("7.1.13-1", False), ("7.2.12-1", True)])
        self.assertEqual([part.sha256 for part in found[1].parts], ["b2", "m2"])
        modules = found[0].parts[1]
        self.assertEqual((modules.sha256, modules.url),
                         (None, f"{ARCHIVE}pool/main/l/linux/linux-modules-{old}_7.1.13-1_amd64.deb"))

    def test_what_a_user_names(self):
        named = "linux-image-6.12.117+deb12-cloud-amd64"
        found = self.builds([stanza("linux-image-6.12.90+deb13-cloud-amd64", "6.12.90-1"), stanza(named, "6.12.117-1~deb12u1"),
                             stanza("linux-image-6.12.90+deb13.1-cloud-amd64", "6.12.90-2"),
                             stanza("linux-image-6.12.90+deb13.1-amd64", "6.12.90-2"),
                             stanza("linux-image-6.12.117+deb13-cloud-amd64", "6.12.117-1")])
        def name(text):
            chosen = kernels.find(text, found)
            return chosen and chosen.name

        self.assertEqual(name("6.12.90"), "6.12.90-2", "the newest")
        self.assertEqual(name("6.12.90-1"), "6.12.90-1")
        self.assertEqual(name("6.12.90-2:amd64"), "6.12.90-2:amd64")
        self.assertEqual(name("6.12.117"), "6.12.117-1~deb12u1", "the one that every test run boots")
        self.assertIsNone(name("6.12.9"))
        self.assertEqual([build.name for build in plan.builds(found, "cloud-amd64", "6.12.100", None)],
                         ["6.12.117-1~deb12u1", "6.12.117-1"])
        self.assertEqual(len(plan.builds(found, "cloud-amd64", None, ["6.12"])), 4)
        self.assertEqual([build.name for build in plan.builds(found, "cloud-amd64", None, ["6.12.90-2:amd64"])], ["6.12.90-2:amd64"])

    def test_the_ends_of_every_series_come_first(self):
        text = [stanza(f"linux-image-{version.partition('-')[0]}+deb13-cloud-amd64", version)
                for version in ("6.12.1-1", "6.12.2-1", "6.12.3-1", "6.12.4-1", "6.12.5-1", "7.3.4-1", "6.16.3-1", "6.16.12-1")]
        again = stanza("linux-image-6.12.5+deb12-cloud-amd64", "6.12.5-1~bpo12+1")
        order = [build.version for build in plan.in_turn(self.builds([*text, again]))]
        self.assertEqual(order, ["7.3.4-1", "6.16.12-1", "6.12.5-1", "6.16.3-1", "6.12.1-1", "6.12.3-1", "6.12.4-1", "6.12.2-1",
                                 "6.12.5-1~bpo12+1"])

    def test_the_day_of_a_banner(self):
        self.assertEqual(kernels.built_on("6.12.90 (debian-kernel@lists.debian.org) #1 SMP Debian 6.12.90-2 (2026-05-27)"), "2026-05-27")
        self.assertEqual(kernels.built_on("6.12.90 #1"), "")

    @unittest.skipUnless(shutil.which("zstd"), "needs zstd")
    def test_modules_in_each_way_of_packing(self):
        with tempfile.TemporaryDirectory() as directory:
            module = b"\x7fELF\0name=xfs\0depends=libcrc32c,two-words\0"
            plain = Path(directory, "xfs.ko")
            plain.write_bytes(module)
            subprocess.run(["zstd", "-q", plain], check=True)
            subprocess.run(["xz", "-k", plain], check=True)
            for path in Path(directory).iterdir():
                self.assertEqual(kernels._read_module(path), module, path)
                self.assertEqual(kernels._module_name(path), "xfs")
            self.assertEqual(kernels._dependencies(module), ["libcrc32c", "two_words"])


BAD = Cell("corrupt", 100, (("duplicate", 100),))
GOOD = Cell("clean", 98, ())
NOTHING = Cell("unexposed", 0, (), "0 of 100 writes were exposed")
BOTH = Cell("corrupt", 97, (("duplicate", 97), ("torn", 97)))
TORN = Cell("violation", 97, (("torn", 97),))


class Rates(unittest.TestCase):
    def test_intervals_are_those_of_the_tables(self):
        # Garwood's exact limits of 0, 1, 10 and 100 events.
        for count, low, high in ((0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39), (100, 81.36, 121.63)):
            found = interval(count, 1)
            self.assertAlmostEqual(found[0], low, delta=0.02)
            self.assertAlmostEqual(found[1], high, delta=0.02)
        self.assertIsNone(interval(0, 0))

    def test_told_apart(self):
        self.assertTrue(told_apart((100, 100), (0, 98)))
        self.assertFalse(told_apart((1, 12), (0, 12)))
        self.assertFalse(told_apart((100, 100), (0, 0)))


class Brackets(unittest.TestCase):
    ROWS = [("6.12.94-1", GOOD), ("6.12.90-2", BAD), ("6.12.43-1~bpo12+1", BAD), ("5.10.218-1", NOTHING), ("6.1.174-1", BAD),
            ("6.1.176-1", GOOD), ("7.3.4-1", GOOD), ("6.16.12-1", Cell("not booted", 0, (), "panic"))]

    def test_where_the_duplicate_begins_and_ends(self):
        found = [(one.first, one.last, one.outcome) for one in brackets.brackets(self.ROWS)]
        self.assertEqual(found, [("5.10.218-1", "5.10.218-1", "unexposed"), ("6.1.174-1", "6.1.174-1", "duplicate"),
                                 ("6.1.176-1", "6.1.176-1", "clean"), ("6.12.43-1~bpo12+1", "6.12.90-2", "duplicate"),
                                 ("6.12.94-1", "6.12.94-1", "clean"), ("6.16.12-1", "6.16.12-1", "not booted"),
                                 ("7.3.4-1", "7.3.4-1", "clean")])

    def test_a_change_is_said_within_a_series(self):
        found = [brackets.sentence("append", "xfs", change) for change in brackets.changes(self.ROWS)]
        self.assertEqual(found[1], "append on xfs: duplicate up to 6.12.90-2, clean from 6.12.94-1 (100 findings in 100 exposures; "
                                   "0 findings in 98 exposures)")
        self.assertEqual(len(found), 2)

    def test_a_bracket_goes_on_in_the_next_series(self):
        self.assertEqual([(one.first, one.last) for one in brackets.brackets([("6.12.94-1", GOOD), ("6.16.3-1", GOOD)])],
                         [("6.12.94-1", "6.16.3-1")])

    def test_one_that_could_not_be_judged_ends_nothing_and_is_named(self):
        rows = [("6.12.90-1", BAD), ("6.12.90-2", NOTHING), ("6.12.91-1", BAD)]
        self.assertEqual([one.last for one in brackets.brackets(rows)], ["6.12.91-1"])
        self.assertEqual(brackets.silent(rows), [("6.12.90-2", NOTHING)])
        self.assertEqual(brackets.changes(rows), [])

    def test_a_change_that_may_be_chance_says_so(self):
        few = [("5.10.218-1", Cell("corrupt", 12, (("zeroed", 1),))), ("5.10.223-1", Cell("clean", 12, ()))]
        change, = brackets.changes(few)
        self.assertFalse(change.certain)
        self.assertIn("by chance as well", brackets.sentence("shared-blocks", "xfs", change))

    def test_one_kind_less_is_a_change(self):
        change, = brackets.changes([("6.1.174-1", BOTH), ("6.1.176-1", TORN)])
        self.assertTrue(change.certain)
        self.assertEqual((change.before.outcome, change.after.outcome), ("duplicate and torn", "torn"))

    def test_a_rate_that_fell_is_a_drift(self):
        seldom = Cell("corrupt", 100, (("duplicate", 10),))
        self.assertEqual(brackets.drifts([("6.12.1-1", BAD), ("6.12.2-1", seldom)]), [(("6.12.1-1", BAD), ("6.12.2-1", seldom))])
        self.assertEqual(brackets.drifts([("6.12.1-1", BAD), ("6.12.2-1", BAD), ("6.16.1-1", seldom)]), [])

    def test_a_fresh_kernel_is_compared_with_the_one_before_it(self):
        rows = [*self.ROWS, ("6.12.95-1", BAD)]
        self.assertEqual(brackets.news(rows, {"6.12.95-1"}), [(("6.12.94-1", GOOD), ("6.12.95-1", BAD))])
        self.assertEqual(brackets.news(rows, {"6.12.90-2"}), [])
        self.assertEqual(brackets.news([("6.12.94-1", GOOD), ("6.12.95-1", NOTHING)], {"6.12.95-1"}),
                         [(("6.12.94-1", GOOD), ("6.12.95-1", NOTHING))])

    def test_rates_have_bounds(self):
        self.assertEqual(brackets.rate(brackets.brackets([("6.12.90-2", BAD)])[0]), "0.81 to 1.22")
        self.assertEqual(brackets.rate(brackets.brackets([("6.12.94-1", GOOD)])[0]), "below 0.03")
        self.assertEqual(brackets.rate(brackets.brackets([("5.10.218-1", NOTHING)])[0]), "")

    def test_what_a_table_may_never_say(self):
        self.assertEqual([problems(cell) for cell in (GOOD, BAD, NOTHING, TORN)], [[]] * 4)
        self.assertTrue(problems(Cell("clean", 0, ())))
        self.assertTrue(problems(Cell("clean", 10, (("torn", 1),))))
        self.assertTrue(problems(Cell("corrupt", 10, ())))
        self.assertTrue(problems(Cell("not booted", 0, ())))


def line(kernel="6.12.90-2", verdict="corrupt", exposures=100, counts=None, **changes):
    return {"kernel": kernel, "key": kernel, "package": f"linux-image-{kernel}", "suites": ["trixie"], "built": "2026-05-27",
            "machine": "KVM", "probe": "p", "fs": "xfs", "profile": "append", "settings": measure.settings("append"),
            "verdict": verdict, "reason": "why", "writes": 100, "exposures": exposures,
            "finding_counts": {"duplicate": 100} if counts is None else counts} | changes


class Kept(unittest.TestCase):
    def test_a_second_call_runs_what_is_new(self):
        build = index.builds([("s", ARCHIVE, stanza("linux-image-6.12.90+deb13.1-cloud-amd64", "6.12.90-2"))])[0]
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory, "new", "results.jsonl")
            results = Results(file)
            profiles = ["append", "held-append"]
            def missing(probe="p", retry=False):
                return plan.missing(build, "xfs", profiles, probe, Results(file), retry)

            self.assertEqual(missing(), ("append", "held-append"))
            results.add(line(key=build.key))
            results.add(line(key=build.key, profile="held-append", verdict="not booted", settings=measure.settings("held-append")))
            self.assertEqual(missing(), ())
            self.assertEqual(missing(retry=True), ("held-append",))
            self.assertEqual(missing(probe="another"), ("append", "held-append"))
            results.add(line(key=build.key, verdict="error"))
            self.assertEqual(missing(), ("append",))
            results.add(line(key=build.key))
            self.assertEqual(missing(), ())
            with open(file, "a", encoding="utf-8") as broken_off:
                broken_off.write('{"kernel": "6.')
            again = Results(file)
            self.assertEqual(len(again.all()), 2)
            again.add(line(key="another"))
            self.assertEqual(len(Results(file).all()), 3, "a line that was broken off takes none with it")

    def test_the_last_measurement_stands(self):
        document = summary.of_results([line(exposures=1), line(verdict="clean", exposures=98, counts={})])
        self.assertEqual(summary.cells(document)["xfs", "append"]["6.12.90-2"], Cell("clean", 98, ()))
        merged = summary.merged(document, summary.of_results([line(), line(fs="ext4", verdict="unexposed", exposures=0, counts={})]))
        self.assertEqual(summary.cells(merged)["xfs", "append"]["6.12.90-2"], BAD)
        self.assertEqual(summary.cells(merged)["ext4", "append"]["6.12.90-2"], Cell("unexposed", 0, (), "why"))
        self.assertEqual(json.loads(summary.text(merged)), merged)


class Issues(unittest.TestCase):
    ISSUE = {"id": "iomap-nowait-duplicate", "filesystems": ["xfs"], "profiles": ["append", "append-interposed"], "kinds": ["duplicate"]}

    def test_bad_is_what_did_it_and_good_what_would_have(self):
        cells = {("xfs", "append"): {"6.12.90-2": BAD, "6.12.94-1": GOOD, "7.3.4-1": Cell("clean", 2, ()), "5.10.218-1": NOTHING},
                 ("xfs", "append-interposed"): {"6.12.90-1": BOTH, "6.12.95-1": TORN}, ("ext4", "append"): {"6.1.170-3": BAD}}
        self.assertEqual(issues.measured(self.ISSUE, cells), {"bad": ["6.12.90"], "good": ["6.12.94", "6.12.95"]})

    def test_without_a_bad_kernel_nothing_is_said(self):
        self.assertEqual(issues.measured(self.ISSUE, {("xfs", "append"): {"6.12.94-1": GOOD}}), {"bad": [], "good": []})

    def test_a_version_that_did_it_once_is_not_good(self):
        cells = {("xfs", "append"): {"6.12.90-1": BAD, "6.12.90-2": GOOD}}
        self.assertEqual(issues.measured(self.ISSUE, cells), {"bad": ["6.12.90"], "good": []})

    def test_the_file_is_renewed_and_keeps_the_rest(self):
        text = issues.FILE.read_text(encoding="utf-8")
        without = issues.renewed(text, {})
        self.assertNotIn("measured", without)
        cells = {("xfs", "append"): {f"6.12.{patch}-1": BAD for patch in range(40, 80)}}
        with_some = issues.renewed(without, cells)
        entry = json.loads(with_some)[0]
        self.assertEqual(len(entry.pop("measured")["bad"]), 40)
        self.assertEqual(entry, json.loads(without)[0])
        self.assertEqual(issues.renewed(with_some, {}), without)


class Machines(unittest.TestCase):
    def test_the_last_resort_is_another_machine(self):
        self.assertIn(guest.EMULATED, guest.machines())
        self.assertGreater(len({(machine.cpu, machine.board) for machine in guest.machines()}), 3)


class Measured(unittest.TestCase):
    """tests/kernel/measured.json, and that the documents are made of it."""

    @classmethod
    def setUpClass(cls):
        cls.document = summary.read()
        cls.cells = summary.cells(cls.document)

    def test_nothing_is_clean_without_exposures(self):
        found = [(row, name, problem) for row, of in self.cells.items() for name, cell in of.items() for problem in problems(cell)]
        self.assertEqual(found, [])

    def test_every_kernel_was_exposed_on_xfs_or_says_why_not(self):
        for name in self.document["kernels"]:
            cells = [of[name] for (filesystem, _), of in self.cells.items() if filesystem == "xfs" and name in of]
            self.assertTrue(any(cell.exposures if cell.judged else cell.reason for cell in cells), name)

    def test_the_duplicate_is_where_the_changelogs_say(self):
        fixes = {"6.1": "6.1.176", "6.12": "6.12.94"}
        for name, cell in self.cells["xfs", "append"].items():
            series = versions.series(name)
            before = series in fixes and versions.order(versions.upstream(name)) < versions.order(fixes[series])
            if cell.judged:
                self.assertEqual(cell.outcome, "duplicate" if before else "clean", name)

    def test_the_documents_are_made_of_it(self):
        again = "run tests/kernel/history --report"
        self.assertEqual((DOCUMENTS / "kernels.md").read_text(encoding="utf-8"), page.page(self.document), again)
        self.assertEqual((DOCUMENTS / "img/kernels.svg").read_text(encoding="utf-8"), picture.picture(self.document), again)
        self.assertEqual(summary.FILE.read_text(encoding="utf-8"), summary.text(self.document), again)

    def test_the_known_issues_say_it(self):
        text = issues.FILE.read_text(encoding="utf-8")
        self.assertEqual(text, issues.renewed(text, self.cells), "run tests/kernel/history --report")

    def test_the_picture_has_each_cell(self):
        svg = xml.etree.ElementTree.fromstring(picture.picture(self.document))
        titles = [group for group in svg.iter("{http://www.w3.org/2000/svg}g") if len(group) and group[0].tag.endswith("title")]
        self.assertEqual(len(titles), sum(len(of) for of in self.cells.values()))


if __name__ == "__main__":
    unittest.main()
