"""What counts as exposed: where the path that a profile watches cannot have run, no run of it is called clean."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import unittest

from harness import run
from harness.kernel import kernel_at_least
from harness.check import check
from harness.mounts import damage_mount, loop_mount, temporary_directory, tmpfs_mount
from harness.waiting import wait_until


class WhereThePathCannotRun(unittest.TestCase):
    def mounted(self, fstype, **how):
        return self.enterContext(loop_mount(self.enterContext(temporary_directory()), fstype, **how))

    def run_profile(self, path, profile, *arguments):
        done = check(path, "--profile", profile, "--seed", "7", *arguments).run
        self.assertEqual(done["finding_counts"], {}, done["findings"])
        return done

    def test_what_was_written_does_not_stay_dirty_on_a_sync_mount(self):
        done = self.run_profile(self.mounted("ext4", options="loop,sync"), "copy-after-write", "--duration", "60s",
                                "--option", "copies=25")
        self.assertEqual(done["verdict"], "unexposed", done["reason"])
        self.assertLessEqual(done["exposures"], 5, "what was stored through a mapping, a fifth, waits for writeback all the same")

    def test_the_same_without_sync_is_exposed(self):
        done = self.run_profile(self.mounted("ext4"), "copy-after-write", "--duration", "60s",
                                "--option", "copies=40")
        self.assertEqual(done["verdict"], "clean", done["reason"])

    @unittest.skipUnless(kernel_at_least(6, 15), "older kernels write directly to files with checksums")
    def test_direct_writes_to_a_btrfs_file_with_checksums_are_none(self):
        done = self.run_profile(self.mounted("btrfs"), "direct-append")
        self.assertEqual((done["verdict"], done["exposures"]), ("unexposed", 0), done["reason"])
        self.assertIn("page cache all the same", done["reason"])

    def test_direct_writes_to_a_btrfs_file_without_checksums_are_direct(self):
        done = self.run_profile(self.mounted("btrfs", options="loop,nodatasum"), "direct-append")
        self.assertEqual(done["verdict"], "clean", done["reason"])

    def test_what_was_huge_already_is_not_collapsed(self):
        # XFS makes large folios of its own since 5.18. Where the kernel can collapse (CONFIG_READ_ONLY_THP_FOR_FS), nothing
        # is exposed then; else it is unsupported. Only a filesystem with small pages is exposed.
        done = self.run_profile(self.mounted("xfs"), "collapse", "--option", "files=4")
        if done["verdict"] == "unexposed":
            self.assertRegex(done["reason"], "huge already|known to be huge|MADV_COLLAPSE of a file on xfs")
        else:
            self.assertEqual((done["verdict"], done["exposures"]), ("unsupported", 0), done["reason"])

    def test_an_eviction_that_takes_nothing_away_is_none(self):
        # Every change of this seed but the truncations and holes leaves a tmpfs as it is.
        run.require_root("a tmpfs mount")
        mount_point = os.path.join(self.enterContext(temporary_directory()), "memory")
        os.mkdir(mount_point)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256M", "none", mount_point], check=True)
        self.addCleanup(subprocess.run, ["umount", mount_point], check=True)
        memory = self.run_profile(mount_point, "large-folio", "--option", "files=1")
        disk = self.run_profile(self.mounted("xfs"), "large-folio", "--option", "files=1")
        self.assertLess(memory["exposures"], disk["exposures"])

    def test_files_are_forgotten_where_they_can_be(self):
        for fstype in ("xfs", "ext4"):
            with self.subTest(fstype):
                done = self.run_profile(self.mounted(fstype), "forgotten-inode", "--option", "files=30")
                self.assertEqual((done["verdict"], done["exposures"]), ("clean", 30), done["reason"])

    def test_a_file_that_stays_in_memory_is_not_forgotten(self):
        done = self.run_profile(self.mounted("ext4", options="loop,dax=never"), "forgotten-inode")
        self.assertEqual((done["verdict"], done["exposures"]), ("unexposed", 0), done["reason"])
        memory = self.enterContext(tmpfs_mount(self.enterContext(temporary_directory())))
        for path in (memory, self.mounted("btrfs")):
            done = self.run_profile(path, "forgotten-inode")
            self.assertEqual((done["verdict"], done["exposures"]), ("unsupported", 0), done["reason"])

    def test_a_model_says_what_a_filesystem_refuses(self):
        # What a filesystem refuses is left out, and said.
        done = self.run_profile(self.mounted("ext4"), "mixed-model", "--option", "files=1")
        self.assertEqual(done["verdict"], "clean", done["reason"])
        self.assertRegex(done["reason"], r"without FICLONE, FICLONERANGE\b.*refused here")
        memory = self.enterContext(tmpfs_mount(self.enterContext(temporary_directory())))
        done = self.run_profile(memory, "mixed-model", "--option", "files=1")
        self.assertRegex(done["reason"], "without .*stores behind the end that are written back")
        done = self.run_profile(self.mounted("xfs"), "mixed-model", "--option", "files=1")
        self.assertEqual(done["verdict"], "clean", done["reason"])
        self.assertNotIn("FI", done["reason"].partition("without")[2])


class RequestsThatAreDoneAtOnce(unittest.TestCase):
    """ring-io: a request that is complete when the submitting call returns went no way on which it could be taken up wrongly."""

    def run_part(self, path, part, *arguments):
        done = check(path, "--profile", "ring-io", "--seed", "7", "--option", f"part={part}", *arguments).run
        self.assertEqual(done["finding_counts"], {}, done["findings"])
        return done

    def xfs(self):
        return self.enterContext(loop_mount(self.enterContext(temporary_directory()), "xfs"))

    def memory(self):
        return self.enterContext(tmpfs_mount(self.enterContext(temporary_directory())))

    def test_writes_with_memory_to_spare(self):
        done = self.run_part(self.xfs(), 1, "--option", "headroom_bytes=0", "--option", "files=12")
        self.assertEqual(done["verdict"], "unexposed", done["reason"])
        self.assertGreater(done["inline"], done["writes"] / 2, "XFS makes buffered writes inline")

    def test_writes_without(self):
        done = self.run_part(self.xfs(), 1, "--option", "files=12")
        self.assertEqual(done["verdict"], "clean", done["reason"])
        if done["pressure"]["backend"] != "none":
            self.assertGreater(done["partial"], done["writes"] / 3, done["reason"])

    def test_reads_of_what_stays_in_memory(self):
        done = self.run_part(self.memory(), 2)
        self.assertEqual((done["verdict"], done["exposures"]), ("unexposed", 0), done["reason"])
        self.assertIn("no page leaves the page cache", done["reason"])

    def test_reads_of_what_is_partly_cached(self):
        done = self.run_part(self.xfs(), 2)
        self.assertEqual(done["verdict"], "clean", done["reason"])

    def test_direct_writes_that_are_none(self):
        done = self.run_part(self.memory(), 4)
        self.assertEqual((done["verdict"], done["exposures"]), ("unsupported", 0), done["reason"])
        self.assertIn("go through the page cache", done["reason"])

    def test_positions_where_every_request_goes_to_a_server(self):
        mount = self.enterContext(damage_mount(self.enterContext(temporary_directory())))
        done = self.run_part(mount.mount_point, 1, "--option", "files=12")
        self.assertEqual(done["verdict"], "clean", done["reason"])
        self.assertIn("positions, for nothing goes through the page cache here", done["reason"])

    def test_direct_writes_over_blocks_that_are_half_allocated(self):
        done = self.run_part(self.xfs(), 4)
        self.assertEqual(done["verdict"], "clean", done["reason"])

    def test_where_no_write_is_made_inline_the_verdict_says_so(self):
        path = self.enterContext(loop_mount(self.enterContext(temporary_directory()), "ext4"))
        done = self.run_part(path, 1, "--option", "files=12")
        self.assertEqual((done["verdict"], done["partial"]), ("clean", 0), done["reason"])
        self.assertIn("without writes that are stopped part-way", done["reason"])


class PlacesThatCannotBe(unittest.TestCase):
    def test_files_that_may_not_be_so_long(self):
        path = self.enterContext(loop_mount(self.enterContext(temporary_directory()), "xfs"))
        done = check(path, "--profile", "far-offset", "--seed", "7",
                     prefix=("prlimit", f"--fsize={1 << 30}")).run
        self.assertEqual((done["verdict"], done["exposures"]), ("unexposed", 0), done["reason"])
        self.assertIn("places at 4 GiB", done["reason"])

    def test_files_that_may(self):
        path = self.enterContext(loop_mount(self.enterContext(temporary_directory()), "xfs"))
        done = check(path, "--profile", "far-offset", "--seed", "7").run
        self.assertEqual(done["verdict"], "clean", done["reason"])


class BlocksLargerThanPages(unittest.TestCase):
    @unittest.skipUnless(kernel_at_least(6, 12), "blocks larger than pages came with Linux 6.12")
    def test_nowait_calls_are_stopped_part_way(self):
        path = self.enterContext(loop_mount(self.enterContext(temporary_directory()), "xfs",
                                            mkfs=("-b", "size=64k")))
        done = check(path, "--profile", "nowait-contract", "--writes", "100", "--seed", "7").run
        self.assertEqual(done["finding_counts"], {}, done["findings"])
        if done["pressure"]["backend"] == "none":
            self.skipTest("no memory cgroup: " + done["reason"])
        self.assertGreaterEqual(done["exposures"], 90, done["reason"])


class ThreadsThatDoNotMeet(unittest.TestCase):
    """side-by-side: advice that takes nothing away, nothing to write back, no direct writes."""

    def run_race(self, path, race):
        done = check(path, "--profile", "side-by-side", "--seed", "7", "--option", f"race={race}", "--option", "rounds=8").run
        self.assertEqual(done["finding_counts"], {}, done["findings"])
        return done

    def test_in_memory(self):
        path = self.enterContext(tmpfs_mount(self.enterContext(temporary_directory())))
        for race in range(1, 7):
            with self.subTest(race):
                done = self.run_race(path, race)
                self.assertEqual((done["verdict"], done["exposures"]), ("unexposed", 0), done["reason"])

    def test_direct_writes_where_a_block_is_what_can_be_written(self):
        path = self.enterContext(loop_mount(self.enterContext(temporary_directory()), "btrfs", options="loop,nodatasum"))
        done = self.run_race(path, 6)
        self.assertEqual((done["verdict"], done["exposures"]), ("unexposed", 0), done["reason"])

    def test_on_storage(self):
        path = self.enterContext(loop_mount(self.enterContext(temporary_directory()), "xfs"))
        for race in range(1, 7):
            with self.subTest(race):
                done = self.run_race(path, race)
                self.assertGreater(done["exposures"], 0, done["reason"])
                self.assertIn(done["verdict"], ("clean", "unexposed"), done["reason"])  # eight looks for holes are few


class AWriterThatDies(unittest.TestCase):
    def test_is_told_and_is_no_finding(self):
        path = self.enterContext(loop_mount(self.enterContext(temporary_directory()), "xfs"))
        command = [run.program("writecanary"), "check", path, "--json", "--profile", "append-concurrent", "--duration", "60s",
                   "--option", "records_per_file=256"]
        with tempfile.TemporaryFile("w+") as document, subprocess.Popen(command, stdout=document) as checking:

            def killed_one():
                writer = self.a_writer(checking.pid)
                if writer:
                    with contextlib.suppress(ProcessLookupError):  # it ended just now; then the next one
                        os.kill(writer, signal.SIGKILL)
                return checking.poll() is not None

            wait_until(killed_one, 90, "the run to end with its writer")
            document.seek(0)
            text = document.read()
        [done] = json.loads(text)["runs"]
        self.assertIn("killed by signal 9", done["reason"])
        # What the writers did to each other before is a finding of its own.
        self.assertLessEqual(set(done["finding_counts"]), {"torn"}, done["findings"])
        self.assertIn(done["verdict"], ("error", "violation"), done["reason"])

    @staticmethod
    def a_writer(ancestor):
        """A probe's process whose parent is a probe's as well, below the given one."""
        parents, probes = {}, set()
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8") as stat:
                    head, fields = stat.read().rsplit(")", 1)
            except OSError:
                continue
            parents[int(entry)] = int(fields.split()[1])
            if head.partition("(")[2].startswith("writecanary-pro"):
                probes.add(int(entry))

        def is_below(pid):
            while pid in parents and pid != ancestor:
                pid = parents[pid]
            return pid == ancestor

        return next((pid for pid in probes if parents[pid] in probes and is_below(pid)), None)


if __name__ == "__main__":
    run.main()
