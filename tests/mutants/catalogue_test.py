#!/usr/bin/env python3
"""The catalogue, the putting in of edits, the judgement and the table: all that needs no kernel and no guest."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import catalogue  # noqa: E402
import claims  # noqa: E402
import edits  # noqa: E402
import judgement  # noqa: E402
import results  # noqa: E402
import table  # noqa: E402

SOURCE = """#include <linux/fs.h>
static int helper(int a)
{
	return a;
}

int
spread_out(
	int		a,
	int		b)
{
	if (a)
		b = helper(a);
	return b;
}
EXPORT_SYMBOL(spread_out);

#ifdef CONFIG_ONE
static int twice(void)
{
	return one();
}
#else
static int twice(void)
{
	return two();
}
#endif
const struct operations table = {
	.run	= helper,
};
"""
ENTRY = """
[[mutant]]
number = 7
name = "a-name"
class = "size"
stands_for = "x"
filesystems = ["xfs"]
claimed_by = ["append"]
lasts = "lasting"
visible = "x"
[[mutant.edit]]
file = "fs/one.c"
function = "spread_out"
anchor = "return b;"
before = "if (mutant == 7) b = 0;"
"""


def edit(anchor="return b;", function="spread_out", where="before", text="if (mutant == 7) b++;", kernels=()):
    return catalogue.Edit("fs/one.c", function, anchor, where, text, tuple(kernels))


def mutant(number=7, kind="size", claimed_by=("append",), edits_=None, name=None):
    return catalogue.Mutant(number, name or f"name-{number}", "area", kind, "x", ("xfs",), claimed_by, "lasting", "x",
                            tuple(edits_ or [edit()]))


class RealCatalogue(unittest.TestCase):
    def test_it_is_valid_and_claims_only_profiles_that_exist(self):
        program = Path(os.environ["WRITECANARY_BIN"]) / "writecanary"
        listed = subprocess.run([program, "profiles", "--json"], capture_output=True, check=True)
        profiles = {item["name"] for item in json.loads(listed.stdout)["items"]}
        self.assertIn("append", profiles)
        mutants = catalogue.load(profiles=profiles)
        self.assertGreaterEqual(len(mutants), 35)

    def test_it_holds_no_more_of_the_kernel_than_lines_of_anchor(self):
        for one in catalogue.load():
            for of_one in one.edits:
                self.assertLessEqual(len(of_one.anchor), 130, f"mutant {one.number}")


class Rules(unittest.TestCase):
    def load(self, text, profiles=("append",)):
        with tempfile.TemporaryDirectory() as directory:
            for name, contents in (text if isinstance(text, dict) else {"one": text}).items():
                (Path(directory) / f"{name}.toml").write_text(contents)
            return catalogue.load(Path(directory), profiles)

    def wrong(self, text):
        with self.assertRaises(catalogue.CatalogueError) as caught:
            self.load(text)
        return str(caught.exception)

    def test_a_right_entry(self):
        (one,) = self.load(ENTRY)
        self.assertEqual((one.number, one.area, one.kind, one.edits[0].where), (7, "one", "size", "before"))

    def test_each_mistake_is_named_with_its_place(self):
        for old, new, text in (
                ('name = "a-name"', 'name = "a name"', "one.toml: mutant 7: name 'a name' is not in kebab-case"),
                ('lasts = "lasting"', 'lasts = "long"', "lasts 'long'"),
                ('visible = "x"', 'visible = ""', "visible is empty"),
                ('visible = "x"', "", "visible is missing"),
                ('visible = "x"', 'visible = "x"\nvisble = "x"', "unknown field visble"),
                ('["xfs"]', '["zfs"]', "filesystem 'zfs'"), ('["xfs"]', "[]", "filesystems is empty"),
                ('["append"]', '["apend"]', "claimed by 'apend'"),
                ('before = "if (mutant == 7) b = 0;"', "", "exactly one of before, after, instead is needed, not none"),
                ('function = "spread_out"', 'function = "spread_out"\nafter = "mutant == 7"', "not before and after"),
                ("mutant == 7", "mutant == 8", "must ask for `mutant == 7`"), ("mutant == 7", "true", "must ask for"),
                ("number = 7", "number = 0", "numbers begin with 1")):
            self.assertIn(text, self.wrong(ENTRY.replace(old, new)))

    def test_numbers_names_and_hundreds_have_one_owner(self):
        other = ENTRY.replace("a-name", "other-name")
        self.assertIn("number 7 stands in one.toml and again in two.toml", self.wrong({"one": ENTRY, "two": other}))
        self.assertIn("name a-name stands", self.wrong(ENTRY + ENTRY.replace("7", "8")))
        self.assertIn("this hundred belongs to one.toml", self.wrong({"one": ENTRY, "two": other.replace("7", "8")}))


class Edits(unittest.TestCase):
    def text(self, *given):
        return edits.mutate(SOURCE, [(number, one) for number, one in given])

    def wrong(self, *given):
        with self.assertRaises(edits.EditError) as caught:
            self.text(*given)
        return str(caught.exception)

    def test_before_after_instead(self):
        self.assertIn("if (mutant == 7) b++;\nreturn b;", self.text((7, edit())))
        self.assertIn("return b;\nif (mutant == 7) b++;", self.text((7, edit(where="after"))))
        text = self.text((7, edit("helper(a)", where="instead", text="mutant == 7 ? 0 : helper(a)")))
        self.assertIn("b = mutant == 7 ? 0 : helper(a);", text)
        self.assertTrue(text.startswith(edits.INCLUDE))

    def test_white_space_of_an_anchor_does_not_matter(self):
        self.assertIn("if (mutant == 7) b++;\nif (a)\n\t\tb = helper(a);", self.text((7, edit("if (a) b = helper(a);"))))

    def test_a_missing_or_ambiguous_anchor_names_mutant_file_and_anchor(self):
        missing = self.wrong((7, edit("return c;")))
        for part in ("mutant 7", "fs/one.c", "spread_out", "'return c;'", "0 times"):
            self.assertIn(part, missing)
        self.assertIn("2 times", self.wrong((7, edit("a)"))))
        self.assertIn("0 times", self.wrong((7, edit("return a;"))), "it stands in another function")
        self.assertIn("mutant 7: fs/one.c has no function gone", self.wrong((7, edit(function="gone"))))

    def test_an_anchor_in_one_of_two_definitions_and_in_a_table(self):
        self.assertIn("mutant == 7", self.text((7, edit("return two();", "twice", text="if (mutant == 7) return 3;"))))
        text = self.text((7, edit(".run = helper,", "table", "after", "/* mutant == 7 */")))
        self.assertIn(".run\t= helper,\n/* mutant == 7 */", text)

    def test_several_at_one_anchor_and_a_condition_stands_next_to_it(self):
        text = self.text((7, edit(text="if (mutant != 7)")), (9, edit(text="if (mutant == 9) b = 1;")),
                         (8, edit(text="if (mutant != 8)")))
        self.assertIn("if (mutant == 9) b = 1;\nif (mutant != 7)\nif (mutant != 8)\nreturn b;", text)

    def test_edits_in_each_others_way(self):
        inside = edit("helper(a)", where="instead", text="mutant == 8 ? 0 : helper(a)")
        around = edit("b = helper(a);", where="instead", text="b = mutant == 7 ? 0 : helper(a);")
        self.assertIn("mutant 8", self.wrong((7, around), (8, inside)))


class InATree(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.root = Path(self.directory.name) / "tree"
        for file, text in (("fs/one.c", SOURCE), ("init/main.c", "int main;\n"), ("include/linux/fs.h", "")):
            (self.root / file).parent.mkdir(parents=True, exist_ok=True)
            (self.root / file).write_text(text)
        self.tree = edits.Tree(self.root, Path(self.directory.name) / "originals")

    def test_a_second_time_writes_nothing_and_a_change_only_its_file(self):
        self.assertEqual(sorted(self.tree.apply([mutant()], "6.1")), ["fs/one.c", edits.HEADER, edits.HOME])
        self.assertIn("__setup(\"mutant=\"", (self.root / edits.HOME).read_text())
        before = {path: path.stat().st_mtime_ns for path in self.root.rglob("*.c")}
        time.sleep(0.01)
        self.assertEqual(self.tree.apply([mutant()], "6.1"), [])
        self.assertEqual(before, {path: path.stat().st_mtime_ns for path in self.root.rglob("*.c")})
        self.assertEqual(self.tree.apply([mutant(), mutant(8, edits_=[edit(text="if (mutant == 8) b--;")])], "6.1"),
                         ["fs/one.c"])

    def test_without_mutants_the_tree_is_as_it_was(self):
        self.tree.apply([mutant()], "6.1")
        self.assertEqual(sorted(self.tree.apply([], "6.1")), ["fs/one.c", edits.HOME])
        self.assertEqual((self.root / "fs/one.c").read_text(), SOURCE)
        self.assertEqual((self.root / edits.HOME).read_text(), "int main;\n")

    def test_edits_of_other_kernels_are_left_out(self):
        self.assertEqual(self.tree.apply([mutant(edits_=[edit(kernels=["6.12"])])], "6.1"), [])

    def test_what_does_not_fit_writes_nothing(self):
        for bad in (edit("return c;"), catalogue.Edit("fs/two.c", "f", "x", "before", "mutant == 7;", ())):
            with self.assertRaises(edits.EditError):
                self.tree.apply([mutant(edits_=[edit(), bad])], "6.1")
            self.assertEqual((self.root / "fs/one.c").read_text(), SOURCE)


def line(number, profile="append", kinds=("lost",), **changes):
    run = {"profile": profile, "verdict": "corrupt" if kinds else "clean", "writes": 1, "exposures": 5,
           "bytes_written": 1000000, "finding_counts": {kind: 1 for kind in kinds},
           "first_finding_seconds": 0.5 if kinds else None}
    return {"version": "v", "variant": str(number), "mutant": number, "fs": "xfs", "tool": "canary", "program": "p",
            "settings": "all 4s", "seed": 1, "ended": "done", "runs": [run]} | changes


class Judgement(unittest.TestCase):
    def test_what_the_unmutated_kernel_does_counts_for_no_mutant(self):
        zero = judgement.unmutated([line(0, kinds=("torn",)), line(0, "offset", ())])
        self.assertEqual(judgement.discoveries(line(7, kinds=("torn",)), zero), [])
        self.assertEqual(judgement.discoveries(line(7, kinds=("torn", "lost")), zero)[0].kinds, ("lost",))
        self.assertEqual(judgement.discoveries(line(7, "offset", ("torn",)), zero)[0].by, "offset")

    def test_where_the_unmutated_kernel_was_not_tried_nothing_counts(self):
        zero = judgement.unmutated([line(0, kinds=())])
        self.assertEqual(judgement.discoveries(line(7, "offset"), zero), [])
        self.assertEqual(judgement.discoveries(line(7), judgement.Unmutated()), [])

    def test_claims(self):
        torn = line(0, kinds=("torn",))
        self.assertEqual(claims.broken([torn, line(7)], [mutant()]), [])
        self.assertIn("not found by append, only by offset", claims.broken(
            [torn, line(0, "offset", ()), line(7, "offset")], [mutant()])[0])
        self.assertIn("not found by append", claims.broken([torn, line(7, kinds=())], [mutant()])[0])
        self.assertEqual(claims.broken([torn, line(7, kinds=())], [mutant(claimed_by=())]), [])
        self.assertIn("mutant 0 on xfs, seed 1: append finds lost", claims.broken([line(0)], [])[0])
        self.assertIn("died", claims.broken([line(0, kinds=(), ended="died")], [])[0])

    def test_the_table_counts_tools_classes_and_who_is_alone(self):
        mutants = [mutant(7), mutant(8, "append", ("offset",))]
        way = {"way": "psync", "status": 1, "seconds": 3.0, "found": True, "said": ""}
        fio = line(8, tool="fio", runs=[], ways=[way])
        lines = [line(0, kinds=()), line(0, tool="fio", runs=[], ways=[way | {"found": False}]),
                 line(7), line(7, seed=2, kinds=()), line(8, kinds=()), fio]
        text = table.markdown(table.collect(lines, mutants), mutants)
        self.assertIn("| canary | 1 of 2 |  |", text)
        self.assertIn("| fio | 1 of 1 | 8 |", text)
        self.assertIn("| append | 0 of 1 | 1 of 1 |", text)
        self.assertIn("| append | 1 | 7 | 1 of 1 |  |", text)
        self.assertRegex(text, r"\| 7 \| name-7 .* 1 of 2: \*\*append\*\* 0.5 s, 1.0 MB, 5 exposures \(lost\) \|  \|")
        self.assertRegex(text, r"\| 8 \| .* \| no \(tried: append\) \| \*\*psync\*\* 3.0 s \|")

    def test_profiles_that_ran_in_guests_of_their_own_are_one_line(self):
        def of(profile, when, kinds, seed=1, settings="4s"):
            return line(7, profile, kinds, seed=seed) | {"when": when, "settings": f"{profile} {settings}", "version": "v",
                                                         "program": "p"}
        lines = table.joined([of("append", "2", ("lost",)), of("append", "1", ()), of("offset", "1", ()),
                              of("offset", "1", ("lost",), seed=2), of("offset", "3", ("lost",), settings="8s")])
        self.assertEqual([(one["seed"], one["settings"], sorted(run["profile"] for run in one["runs"])) for one in lines],
                         [(1, "4s", ["append", "offset"]), (2, "4s", ["offset"]), (1, "8s", ["offset"])])
        self.assertEqual([one.by for one in judgement.reported(lines[0])], ["append"])


class Kept(unittest.TestCase):
    def test_lines_are_found_again_and_a_broken_last_one_is_not_missed(self):
        place = results.Place("v", "a", 7, "xfs", "canary", "p", "all 4s", 1)
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "results.jsonl"
            results.Results(file).add(place, {"ended": "done"})
            file.write_text(file.read_text() + '{"version": "v", "var')
            kept = results.Results(file)
            self.assertEqual(kept.find(place)["ended"], "done")
            self.assertIsNone(kept.find(results.Place("v", "b", 7, "xfs", "canary", "p", "all 4s", 1)))
            other = results.Place("v", "b", 7, "xfs", "canary", "p", "all 4s", 1)
            kept.add(other, {"ended": "died"})
            self.assertEqual(results.Results(file).find(other)["ended"], "died")
            self.assertTrue(re.fullmatch(r"[0-9a-f]{16}", results.program_hash(file)))


if __name__ == "__main__":
    unittest.main()
