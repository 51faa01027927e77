"""`writecanary profiles --coverage`: what a run's input covered, counted where it happened; what nothing tried is named."""

import json
import subprocess
import unittest

from harness import run
from harness.kernel import kernel_at_least
from harness.mounts import loop_mount, temporary_directory, tmpfs_mount

# What a random mix meets on a filesystem that shares blocks and tells of them, whatever the seed.
FILLED = ("write, plain, hole", "write, plain, beyond the end", "write, io_uring, beyond the end", "append, plain, beyond the end",
          "write, direct, hole", "write, plain, shared", "read, direct, shared", "punch, plain, shared",
          "read, plain, hole", "read, plain, beyond the end", "write, plain, preallocated", "truncate, plain, beyond the end")
DIRTY_OR_CLEAN = ("read, plain, dirty", "read, plain, clean", "write, direct, dirty", "write, plain, clean")


def coverage(path, *arguments):
    command = [run.program("writecanary"), "profiles", "--coverage", path, "--json", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran
    return json.loads(ran.stdout)


def mixed(path, *options):
    arguments = [part for option in options for part in ("--option", option)]
    return coverage(path, "--profile", "mixed-model", "--seed", "7", "--duration", "60s", *arguments)


class OfARandomMix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = cls.enterClassContext(loop_mount(cls.enterClassContext(temporary_directory()), "xfs"))
        cls.seen = mixed(cls.path)

    def test_it_fills_its_cells(self):
        for cell in (*FILLED, *(DIRTY_OR_CLEAN if kernel_at_least(6, 5) else ())):
            with self.subTest(cell):
                self.assertNotIn(cell, self.seen["empty"])
                operation, way, state = cell.split(", ")
                self.assertGreater(self.seen["coverage"][operation][way][state], 0)

    def test_it_names_what_it_does_not_do(self):
        for cell in ("write, held open, dirty", "splice, io_uring, clean", "append, RWF_NOWAIT, beyond the end"):
            self.assertIn(cell, self.seen["empty"])

    def test_an_operation_that_is_switched_off_leaves_its_cell_empty(self):
        def of_part(part):
            return coverage(self.path, "--profile", "ring-io", "--seed", "7", "--duration", "60s", "--option", "files=2",
                            "--option", f"part={part}")["empty"]

        cell = "write, direct io_uring, preallocated"
        self.assertIn(cell, of_part(1))
        self.assertNotIn(cell, of_part(4))

    def test_the_parts_add_up(self):
        [only] = self.seen["runs"]
        self.assertEqual(only["profile"], "mixed-model")
        self.assertEqual(only["coverage"], self.seen["coverage"])

    def test_for_people(self):
        command = [run.program("writecanary"), "profiles", "--coverage", self.path, "--profile", "ring-io", "--option", "files=1"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(ran.returncode, 0, ran)
        [row] = [line for line in ran.stdout.splitlines() if line.startswith("splice")]
        self.assertGreater(int(row.split()[2]), 0)
        self.assertIn("\n  clone, plain, shared\n", ran.stdout)


class OfAFilesystemThatCannot(unittest.TestCase):
    def test_nothing_is_claimed_of_what_it_refused(self):
        # tmpfs has no clones, no blocks that are collapsed, and tells nothing of extents.
        empty = mixed(self.enterContext(tmpfs_mount(self.enterContext(temporary_directory()))))["empty"]
        for cell in ("clone, plain, dirty", "collapse range, plain, dirty", "write, plain, shared", "write, plain, preallocated"):
            self.assertIn(cell, empty)


if __name__ == "__main__":
    run.main()
