"""The C file that shows a finding by itself: it builds with a plain gcc, needs root and a directory, and says what it saw."""

import json
import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import kernel, run
from harness.check import check
from harness.daemon import closed_window, running_daemon
from harness.mounts import damage_mount, loop_mount, temporary_directory

TEMPLATES = Path(os.environ["WRITECANARY_SOURCE"], "core/report/reproducer/templates")
PROGRAMS = ("append", "append_interposed", "append_concurrent", "nowait_contract", "direct_append", "mixed_model")
NOTHING, SEEN, COULD_NOT = 0, 1, 2
STARTS = 10


def build(source, program, *options):
    """gcc as a kernel developer types it; what it said."""
    if not shutil.which("gcc"):
        raise unittest.SkipTest("gcc is not installed")
    built = subprocess.run(["gcc", *options, source, "-o", program, "-luring"], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return built.stderr


def start(program, directory):
    """(exit code, the two lines)"""
    ran = subprocess.run([program, directory], capture_output=True, text=True, timeout=60, check=False)
    lines = ran.stdout.splitlines()
    assert len(lines) == 2, (ran.returncode, ran.stdout, ran.stderr)
    return ran.returncode, lines


def cgroups():
    return {path for path, _, _ in os.walk("/sys/fs/cgroup") if os.path.basename(path).startswith("repro-")}


class Templates(unittest.TestCase):
    def test_each_is_a_program_that_gcc_has_nothing_to_say_about(self):
        with temporary_directory() as directory:
            for name in PROGRAMS:
                with self.subTest(name):
                    said = build(TEMPLATES / f"{name}.c", f"{directory}/{name}", "-Wall", "-Wextra", "-O2")
                    self.assertEqual(said, "")

    def test_without_a_directory_they_say_how(self):
        with temporary_directory() as directory:
            program = f"{directory}/append"
            build(TEMPLATES / "append.c", program)
            usage = subprocess.run([program], capture_output=True, text=True, check=False)
            self.assertEqual(usage.returncode, COULD_NOT)
            self.assertIn("usage: ", usage.stderr)
            self.assertEqual(start(program, "/proc/none")[0], COULD_NOT)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run.require_root("a memory cgroup of its own, and mounts")
        cls.directory = cls.enterClassContext(temporary_directory())

    def program(self, name, source):
        """Built from this text."""
        path = os.path.join(self.directory, name)
        Path(path + ".c").write_text(source, encoding="ascii")
        build(path + ".c", path)
        return path


class OnXfs(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        kernel.require_memory_cgroup()
        cls.xfs = cls.enterClassContext(loop_mount(cls.directory, "xfs"))
        cls.state = cls.enterClassContext(temporary_directory())
        cls.daemon = cls.enterClassContext(running_daemon(cls.state, [("data", cls.xfs, {})], window=closed_window()))

    def finding(self, profile, **options):
        """One torn append of that profile, from the daemon."""
        done = self.daemon.run("data", profile, writes=40, **options)
        self.assertGreater(done["finding_counts"]["torn"], 0, done)
        return next(finding for finding in done["findings"] if finding["kind"] == "torn")

    def source(self, finding):
        """What the command line prints, which is what the API says."""
        command = [run.program("writecanary"), "reproducer", str(finding), "--url", f"http://127.0.0.1:{self.daemon.port}"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        status, text = self.daemon.get(f"/api/v1/findings/{finding}/reproducer")[:2]
        self.assertEqual((status, text), (200, said))
        return said

    def assert_shown_in_nine_of_ten(self, program):
        before, seen = cgroups(), []
        for _ in range(STARTS):
            code, lines = start(program, self.xfs)
            self.assertIn(code, (SEEN, COULD_NOT), lines)
            seen.append(code == SEEN)
        self.assertGreaterEqual(sum(seen), STARTS - 1, lines)
        self.assertRegex(lines[0], r"^seen: .* torn [1-9]")
        self.assertIn(os.uname().release, lines[1])
        self.assertEqual(cgroups(), before)
        self.assertEqual([name for name in os.listdir(self.xfs) if name.startswith("repro-")], [])

    def test_an_append_inside_an_append(self):
        source = self.source(self.finding("append-interposed")["id"])
        self.assertIn(os.uname().release, source[: source.index("*/")])
        self.assert_shown_in_nine_of_ten(self.program("interposed", source))

    def test_a_size_change_inside_an_append(self):
        source = self.source(self.finding("append-interposed", options={"between": 1})["id"])
        self.assertIn("#define BETWEEN 1", source)
        self.assertEqual(start(self.program("between", source), self.xfs)[0], SEEN)

    def test_appends_of_several_processes(self):
        self.assert_shown_in_nine_of_ten(
            self.program("concurrent", self.source(self.finding("append-concurrent")["id"])))

    def test_from_kept_evidence(self):
        kept = os.path.join(self.directory, "kept")
        check(self.xfs, "--profile", "append-interposed", "--writes", "20", "--keep-evidence", kept)
        [document] = list(Path(kept).glob("*/file-1.evidence.json"))
        made = subprocess.run([run.program("writecanary"), "reproducer", document], capture_output=True, text=True, check=True)
        self.assertEqual(start(self.program("from-kept", made.stdout), self.xfs)[0], SEEN)

    def test_a_fixed_kernel_shows_no_duplicate_and_keeps_the_contract(self):
        kernel.require_fixed()
        for name in ("append", "nowait_contract", "direct_append", "mixed_model"):
            with self.subTest(name):
                program = os.path.join(self.directory, name)
                build(TEMPLATES / f"{name}.c", program)
                code, lines = start(program, self.xfs)
                self.assertEqual(code, NOTHING, lines)

    def test_every_operation_of_mixed_model_is_done(self):
        source = (TEMPLATES / "mixed_model.c").read_text(encoding="ascii")
        kinds = re.findall(r"\w+", source[source.index("enum kind {") + len("enum kind {") : source.index("};")])
        self.assertIn("DEDUPLICATE", kinds)
        # Stock kernels of old hand that one out when the file grows, and what is cut off the others cannot reach.
        kinds = [kind for kind in kinds if kind not in ("STORE_BEHIND_END", "TRUNCATE")] + ["TRUNCATE"]
        rows = "".join(f"\t{{ APPEND, 0, 4997, 0, 0 }},\n\t{{ {kind}, 8192, 5000, 65536, 0 }},\n" for kind in kinds)
        begin, end = source.index("\t/* operations */\n"), source.index("\t/* end of operations */\n")
        source = re.sub(r'#include "(\w+\.c)"', lambda name: (TEMPLATES / name[1]).read_text(encoding="ascii"),
                        source[:begin] + rows + source[end:])
        code, lines = start(self.program("every-operation", source), self.xfs)
        self.assertEqual(code, NOTHING, lines)
        self.assertIn(f"{2 * len(kinds)} operations on each of 20 files, 0 refused", lines[1])

    def test_torn_appends_are_not_what_a_duplicate_is_about(self):
        kernel.require_fixed()
        source = self.source(self.finding("append-interposed")["id"]).replace("#define TORN_COUNTS 1", "#define TORN_COUNTS 0")
        code, lines = start(self.program("other", source), self.xfs)
        self.assertEqual(code, NOTHING, lines)
        self.assertIn("but for torn appends", lines[0])

    def test_a_finding_that_is_not_there(self):
        status, text = self.daemon.get("/api/v1/findings/999999/reproducer")[:2]
        self.assertEqual((status, json.loads(text)["type"]), (404, "/problems/unknown-finding"))
        command = [run.program("writecanary"), "reproducer", "999999", "--url", f"http://127.0.0.1:{self.daemon.port}"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual((ran.returncode, ran.stdout), (1, ""))
        self.assertIn("999999", ran.stderr)
        ran = subprocess.run([*command[:2], "/none"], capture_output=True, text=True, check=False)
        self.assertEqual((ran.returncode, ran.stdout), (1, ""))

    def test_where_the_kernel_goes_another_way_it_could_not(self):
        ext4 = self.enterContext(loop_mount(self.directory, "ext4"))
        for name in ("append", "append_interposed", "append_concurrent", "nowait_contract"):
            with self.subTest(name):
                program = os.path.join(self.directory, name + "-ext4")
                build(TEMPLATES / f"{name}.c", program)
                code, lines = start(program, ext4)
                self.assertEqual(code, COULD_NOT, lines)


class OnDamage(Case):
    """What a filesystem that damages on purpose does is seen by the reproducer of the finding, too."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        kernel.require_memory_cgroup()

    def setUp(self):
        self.damage = self.enterContext(damage_mount(self.enterContext(temporary_directory())))
        self.state = self.enterContext(temporary_directory())

    def finding(self, profile, **order):
        with running_daemon(self.state, [("damaged", self.damage.mount_point, {})], window=closed_window()) as daemon:
            done = daemon.run("damaged", profile, **order)
            self.assertTrue(done["findings"], done)
            finding = done["findings"][-1]
            return (*daemon.get(f"/api/v1/findings/{finding['id']}/reproducer")[:2], finding)

    def test_a_direct_append(self):
        self.damage.set_rule(kind="zero", at=3, offset=4104, length=800, file="file-")
        status, source, _ = self.finding("direct-append", options={"files": 2})
        self.assertEqual(status, 200, source)
        program = self.program("direct", source)
        self.damage.set_rule(kind="zero", at=3, offset=4104, length=800, file="file-")
        code, lines = start(program, self.damage.mount_point)
        self.assertEqual(code, SEEN, lines)

    def test_an_append_that_stands_twice(self):
        for name in ("append", "append_interposed", "append_concurrent"):
            with self.subTest(name):
                program = os.path.join(self.directory, name)
                build(TEMPLATES / f"{name}.c", program)
                self.damage.set_rule(kind="none")
                self.assertEqual(start(program, self.damage.mount_point)[0], COULD_NOT)  # nothing is tried inline here
                self.damage.set_rule(kind="duplicate", at=5, file="file-")
                code, lines = start(program, self.damage.mount_point)
                self.assertEqual(code, SEEN, lines)
                self.assertRegex(lines[0], r"^seen: duplicate 1, torn 0, missing 0, other 0 ")

    def test_operations_of_mixed_model(self):
        self.damage.set_rule(kind="zero", on="read", place=65536, length=400, file="file-")
        status, source, finding = self.finding("mixed-model", options={"files": 1})
        self.assertEqual(status, 200, source)
        self.assertGreater(len(finding["operations"]), 0)
        self.assertLess(len(finding["operations"]), 50)
        program = self.program("mixed", source)
        code, lines = start(program, self.damage.mount_point)
        self.assertEqual(code, SEEN, lines)
        with temporary_directory() as right:
            self.assertNotEqual(start(program, right)[0], SEEN)

    def test_a_profile_that_has_none_says_so(self):
        self.damage.set_rule(kind="zero", at=5, offset=800, length=800, file="file-")
        status, text, _ = self.finding("append-sync", writes=40)
        problem = json.loads(text)
        self.assertEqual((status, problem["type"]), (422, "/problems/no-reproducer"))
        self.assertIn("there is one for append, append-interposed", problem["detail"])


if __name__ == "__main__":
    run.main()
