#!/usr/bin/env python3
"""The parts of the harness that need no guest: a harness that lets everything pass would prove nothing."""

import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import evidence  # noqa: E402
import expectations  # noqa: E402
import guest  # noqa: E402
import initramfs  # noqa: E402
import report  # noqa: E402
from evidence import Duplicate  # noqa: E402

PAGE = evidence.PAGE_BYTES


def run_document(**changes):
    document = {"verdict": "clean", "reason": "", "writes": 200, "disarmed": 0, "exposures": 200, "finding_counts": {},
                "first_finding_seconds": None}
    return document | changes


def problems(kernel, filesystem, profile, exit_code=0, **changes):
    return expectations.problems(expectations.expected(kernel, filesystem, profile), run_document(**changes), exit_code)


class Expectations(unittest.TestCase):
    def test_a_fixed_kernel_is_clean_and_exposed(self):
        self.assertEqual(problems("6.1.192", "xfs", "append"), [])
        self.assertIn("exposed", problems("6.1.192", "xfs", "append", exposures=189)[0])
        self.assertIn("duplicate", problems("6.1.192", "xfs", "append", finding_counts={"duplicate": 1})[0])

    def test_an_affected_kernel_must_be_caught_soon_and_often(self):
        caught = {"verdict": "corrupt", "exit_code": 2, "first_finding_seconds": 0.5}
        self.assertEqual(problems("6.1.170", "xfs", "append", **caught, finding_counts={"duplicate": 196}), [])
        self.assertIn("195 of 200", problems("6.1.170", "xfs", "append", **caught, finding_counts={"duplicate": 195})[0])
        late = caught | {"first_finding_seconds": 2.1}
        self.assertIn("2.1 s", problems("6.1.170", "xfs", "append", **late, finding_counts={"duplicate": 200})[0])
        self.assertEqual(len(problems("6.1.170", "xfs", "append")), 3, "clean there: verdict, duplicates, first finding")

    def test_only_duplicates_are_counted_against_the_armed_writes(self):
        caught = {"verdict": "corrupt", "exit_code": 2, "first_finding_seconds": 0.5, "disarmed": 20}
        self.assertEqual(problems("6.1.170", "xfs", "append", **caught, finding_counts={"duplicate": 177}), [])
        self.assertIn("176 of 180 armed",
                      problems("6.1.170", "xfs", "append", **caught, finding_counts={"duplicate": 176})[0])
        many = caught | {"disarmed": 31}
        self.assertIn("only 169 of 200",
                      problems("6.1.170", "xfs", "append", **many, finding_counts={"duplicate": 169})[0])
        self.assertIn("179 of 200 writes",
                      problems("6.1.170", "xfs", "nowait-contract", **caught | {"verdict": "violation", "exit_code": 6},
                               finding_counts={"nowait_contract": 179})[0])
        self.assertEqual(problems("6.1.170", "xfs", "append-async", disarmed=40), [])

    def test_classes_are_told_apart(self):
        both = {"verdict": "corrupt", "exit_code": 2}
        self.assertEqual(problems("6.1.170", "xfs", "append-concurrent", **both,
                                  finding_counts={"duplicate": 3, "torn": 1}), [])
        self.assertTrue(problems("6.1.170", "xfs", "append-concurrent", **both, finding_counts={"duplicate": 3}))
        self.assertTrue(problems("6.1.170", "xfs", "append-concurrent", **both,
                                 finding_counts={"duplicate": 3, "torn": 1, "misplaced": 1}))

    def test_torn_appends_alone_are_no_corruption(self):
        torn = {"finding_counts": {"torn": 200}}
        self.assertEqual(problems("6.1.192", "xfs", "append-interposed", verdict="violation", exit_code=6, **torn), [])
        self.assertTrue(problems("6.1.192", "xfs", "append-interposed", verdict="corrupt", exit_code=2, **torn))
        self.assertIn("exit code 2", problems("6.1.192", "xfs", "append-interposed", verdict="violation", exit_code=2, **torn)[0])

    def test_what_cannot_be_exposed_is_never_clean(self):
        for profile in expectations.PROFILES:
            self.assertTrue(problems("6.12.117", "ext4", profile), profile)
            self.assertEqual(problems("6.12.117", "ext4", profile, exit_code=3, verdict="unexposed"), [])

    def test_held_calls_find_what_is_wrong_before_the_validity_checks(self):
        def of(kernel, filesystem, profile, exit_code, **changes):
            return expectations.problems(expectations.expected_held(kernel, filesystem, profile), run_document(**changes), exit_code)

        caught = {"verdict": "corrupt", "finding_counts": {"zeroed": 1}}
        for profile in ("shared-blocks", "held-source"):
            self.assertEqual(of("5.10.223", "xfs", profile, 2, **caught), [])
            self.assertTrue(of("5.10.223", "xfs", profile, 0))
            self.assertTrue(of("5.10.223", "ext4", profile, 2, **caught))
            self.assertTrue(of("6.1.192", "xfs", profile, 2, **caught))
        self.assertTrue(of("5.10.223", "xfs", "held-tail", 2, **caught))
        self.assertTrue(of("6.1.192", "tmpfs", "shared-blocks", 0))
        self.assertEqual(of("6.1.192", "xfs", "shared-blocks", 0), [])
        self.assertEqual(problems("5.10.223", "xfs", "append", exit_code=3, verdict="unexposed"), [])
        self.assertTrue(problems("5.10.223", "xfs", "append"))

    def test_a_tolerated_kind_is_not_due_and_others_are_not_tolerated(self):
        torn = {"verdict": "violation", "exit_code": 6}
        self.assertEqual(problems("6.12.117", "btrfs-nocow", "append-interposed", **torn, finding_counts={"torn": 5}), [])
        self.assertEqual(problems("6.12.117", "btrfs-nocow", "append-interposed", verdict="error", exit_code=5), [])
        self.assertTrue(problems("6.12.117", "btrfs-nocow", "append-interposed", **torn, finding_counts={"duplicate": 5}))
        self.assertTrue(problems("6.12.117", "btrfs-nocow", "append", **torn, finding_counts={"torn": 5}))

    def test_the_exit_code_must_mean_the_verdict(self):
        self.assertIn("exit code 2", problems("6.1.192", "xfs", "append", exit_code=2)[0])


class IndependentDuplicates(unittest.TestCase):
    @staticmethod
    def words(first, count):
        return struct.pack(f"<{count}Q", *range(first, first + count))

    def test_none_in_a_plain_stream(self):
        self.assertEqual(evidence.duplicates(self.words(1, 4096)), [])

    def test_a_file_that_is_cut_within_a_word(self):
        self.assertEqual(evidence.duplicates(self.words(1, 10) + b"tail"), [])

    def test_head_of_each_of_two_writes_twice(self):
        per_page = PAGE // 8
        contents = (self.words(1, 1000 + per_page) + self.words(1001, 3 * per_page)
                    + self.words(1001 + 3 * per_page, 8) + self.words(1001 + 3 * per_page, 80))
        end = (1000 + per_page) * 8
        self.assertEqual(evidence.duplicates(contents),
                         [Duplicate(end, PAGE, 8000), Duplicate(end + 3 * PAGE + 64, 64, 8000 + 3 * PAGE)])


class KeptFile(unittest.TestCase):
    CONTENTS = IndependentDuplicates.words(1, 512) * 2
    FINDING = {"kind": "duplicate", "file": "f", "offset_bytes": PAGE, "length_bytes": PAGE, "source_offset_bytes": 0,
               "page_aligned": True}
    LOG = {"writers": [[{"result": PAGE}]]}

    def test_the_right_finding(self):
        self.assertEqual(evidence.compare(self.CONTENTS, self.LOG, [self.FINDING]), [])

    def test_any_wrong_figure(self):
        for change in ({"offset_bytes": 0}, {"length_bytes": 8}, {"source_offset_bytes": 8}, {"page_aligned": False}):
            self.assertTrue(evidence.compare(self.CONTENTS, self.LOG, [self.FINDING | change]), change)
        self.assertTrue(evidence.compare(self.CONTENTS, self.LOG, []))
        self.assertTrue(evidence.compare(self.CONTENTS, {"writers": [[{"result": 8}]]}, [self.FINDING]))


class Transport(unittest.TestCase):
    def test_payload_ends_at_the_mark_even_in_pieces(self):
        with tempfile.TemporaryDirectory() as directory:
            channel = guest.Channel(Path(directory) / "socket", b"\0END-1\n", None)
            for piece, payload in ((b"some\0thing", b"some\0thing"), (b"\0END", b"some\0thing"), (b"-1\n", b"some\0thing")):
                channel._received += piece
                self.assertEqual(channel.payload(), payload)
            channel._listener.close()

    @unittest.skipUnless(shutil.which("busybox"), "needs busybox, of the package busybox-static")
    def test_archive_is_what_cpio_expects(self):
        with tempfile.TemporaryDirectory() as directory:
            with initramfs.Archive(Path(directory) / "archive") as archive:
                archive.file("etc/one", b"12345", 0o640)
                archive.symlink("bin/sh", "busybox")
                archive.file("etc/one", b"never twice")
            unpacked = Path(directory) / "unpacked"
            unpacked.mkdir()
            subprocess.run(["busybox", "cpio", "-i", "-d"], input=(Path(directory) / "archive").read_bytes(), cwd=unpacked,
                           check=True, capture_output=True)
            self.assertEqual((unpacked / "etc/one").read_bytes(), b"12345")
            self.assertEqual((unpacked / "bin/sh").readlink(), Path("busybox"))


class Report(unittest.TestCase):
    def test_a_differing_cell_stands_out(self):
        cells = [report.Cell("6.1.170", "xfs", "append", run_document(verdict="corrupt", finding_counts={"duplicate": 9},
                                                                     first_finding_seconds=0.25), []),
                 report.Cell("6.1.170", "xfs", "offset", None, ["the guest died"])]
        self.assertIn("9 duplicate  0.25 s  yes", report.text(cells))
        self.assertRegex(report.text(cells), r"offset +none +NO")
        self.assertIn("| 6.1.170 | xfs | append | corrupt | 200 | 200 | 0 | 9 duplicate | 0.25 s | yes |", report.markdown(cells))
        self.assertIn('"ok": false', report.as_json(cells, 1))


if __name__ == "__main__":
    unittest.main()
