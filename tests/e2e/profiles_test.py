"""The neighbouring profiles find their injected damage at its exact place, and nothing on filesystems that are right."""

import os
import re
import unittest

from harness import run
from harness.check import CORRUPT, check
from harness.controls import FILE_PREFIX, PROFILE_CONTROLS
from harness.kernel import kernel_at_least
from harness.mounts import damage_mount, loop_mount, temporary_directory, tmpfs_mount

PROFILES = ("tail-reader", "shared-blocks", "large-folio", "collapse", "direct-append", "copy-after-write", "mixed-model",
            "ring-io", "far-offset", "archive", "forgotten-inode")
SEED = "7"
# A run of default settings; far from what they take, since the machine may be busy.
SECONDS_MAX = 60
BYTES_MAX = 256 << 20


def new_profiles(path, *arguments):
    return {profile: check(path, "--profile", profile, *arguments).run for profile in PROFILES}


class DamageIsFound(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run.require_root("damagefs")
        cls.mount = cls.enterClassContext(damage_mount(cls.enterClassContext(temporary_directory())))

    def damaged(self, profile, options, rule):
        """The run's document and the log's entries."""
        self.mount.set_rule(**{"file": FILE_PREFIX, **rule})
        logged = len(self.mount.log())
        arguments = [part for option in options for part in ("--option", option)]
        checked = check(self.mount.mount_point, "--profile", profile, "--seed", SEED, *arguments)
        entries = self.mount.log()[logged:]
        self.mount.set_rule(kind="none")
        self.assertEqual(checked.exit_code, CORRUPT, (checked.run, entries))
        return checked.run, entries

    def test_each_control(self):
        for control in PROFILE_CONTROLS:
            with self.subTest(control.profile, **control.rule):
                done, [entry] = self.damaged(control.profile, control.options, control.rule)
                self.assertEqual(done["finding_counts"], {control.kind: 1}, done["findings"])
                [finding] = done["findings"]
                self.assertEqual(
                    (finding["kind"], finding["file"], finding["offset_bytes"], finding["length_bytes"]),
                    (control.kind, os.path.basename(entry["file"]), entry["offset"], entry["length"]),
                    (finding, entry),
                )
                self.assertIn(control.detail, finding["detail"])
                if control.views:
                    self.assertEqual(finding["views"], control.views)

    def test_a_mixed_failure_shrinks_to_what_it_needs(self):
        rule = {"kind": "zero", "place": 100_000, "length": 30_000, "every": 1}
        done, entries = self.damaged("mixed-model", ("operations=5000",), rule)
        self.assertEqual(done["finding_counts"], {"zeroed": 1}, done["findings"])
        [finding] = done["findings"]
        self.assertIn((finding["offset_bytes"], finding["length_bytes"]),
                      {(entry["offset"], entry["length"]) for entry in entries}, finding)
        shrunk = re.search(r"shrunk from (\d+) operations to (\d+) in \d+ replays: (.*)", finding["detail"])
        self.assertIsNotNone(shrunk, finding["detail"])
        self.assertGreater(len(entries), 2)
        self.assertLessEqual(int(shrunk.group(2)), 10, finding["detail"])
        self.assertRegex(shrunk.group(3), "write|append|copy|range")

    def test_replays_stay_within_the_bytes_of_the_run(self):
        rule = {"kind": "zero", "place": 100_000, "length": 30_000, "every": 1}
        self.mount.set_rule(file=FILE_PREFIX, **rule)
        budget = 8 << 20
        done = check(self.mount.mount_point, "--profile", "mixed-model", "--seed", SEED, "--bytes", str(budget)).run
        self.mount.set_rule(kind="none")
        self.assertEqual((done["verdict"], done["finding_counts"]), ("corrupt", {"zeroed": 1}), done["reason"])
        self.assertLess(done["bytes_written"], budget + (1 << 20))

    def test_a_mixed_failure_that_does_not_come_again_is_told_all_the_same(self):
        rule = {"kind": "zero", "at": 700, "offset": 8, "length": 40}
        done, _ = self.damaged("mixed-model", (), rule)
        self.assertEqual(done["verdict"], "corrupt")
        self.assertIn("did not fail when they were replayed", done["findings"][0]["detail"])

    def test_without_damage_nothing_is_found(self):
        for profile, done in new_profiles(self.mount.mount_point).items():
            with self.subTest(profile):
                self.assertEqual((done["finding_counts"], done["findings"]), ({}, []), done)
                self.assertIn(done["verdict"], ("clean", "unexposed", "unsupported"), done["reason"])


class BehindAServer(unittest.TestCase):
    def test_a_size_that_only_the_server_knows_is_no_finding(self):
        run.require_root("damagefs")
        mount = self.enterContext(damage_mount(self.enterContext(temporary_directory()), cached=True))
        done = check(mount.mount_point, "--profile", "tail-reader", "--duration", "5s", "--option", "write_max_bytes=200000",
                     "--option", "files=100").run
        self.assertEqual((done["verdict"], done["finding_counts"]), ("clean", {}), done["reason"])

    def test_what_the_server_damages_is_one(self):
        run.require_root("damagefs")
        mount = self.enterContext(damage_mount(self.enterContext(temporary_directory()), cached=True))
        # A read of less than the offset has nothing to damage, so more than one is asked for.
        mount.set_rule(file=FILE_PREFIX, kind="zero", on="read", every=3, offset=4096, length=512)
        checked = check(mount.mount_point, "--profile", "tail-reader", "--option", "files=100", "--duration", "5s")
        self.assertEqual(checked.exit_code, CORRUPT, checked.run["reason"])


class OnRealFilesystems(unittest.TestCase):
    # What cannot be exposed everywhere, and why.
    NOT_ALWAYS = {"collapse": "needs CONFIG_READ_ONLY_THP_FOR_FS, or tmpfs", "archive": "needs an earlier run",
                  "forgotten-inode": "needs a flag that XFS and ext4 have"}

    def check_clean(self, fstype, unexposed=()):
        path = self.enterContext(loop_mount(self.enterContext(temporary_directory()), fstype))
        for profile, done in new_profiles(path).items():
            with self.subTest(profile):
                self.assertEqual((done["finding_counts"], done["findings"]), ({}, []), done)
                if profile not in self.NOT_ALWAYS:
                    self.assertEqual(done["verdict"], "unexposed" if profile in unexposed else "clean", done["reason"])
                self.assertLess(done["duration_seconds"], SECONDS_MAX)
                self.assertLess(done["bytes_written"], BYTES_MAX)
        self.assertEqual(os.listdir(os.path.join(path, ".writecanary")), ["archive"], "only the archive outlives a run")

    def test_xfs(self):
        self.check_clean("xfs")

    def test_ext4(self):
        self.check_clean("ext4")

    def test_btrfs(self):
        # With checksums, as here, btrfs writes to the page cache whatever O_DIRECT says (since 6.15).
        self.check_clean("btrfs", unexposed=("direct-append",) if kernel_at_least(6, 15) else ())

    def test_memory_has_nothing_below_it(self):
        mount_point = self.enterContext(tmpfs_mount(self.enterContext(temporary_directory())))
        for profile, done in new_profiles(mount_point).items():
            with self.subTest(profile):
                self.assertEqual(done["finding_counts"], {}, done)
                self.assertIn(done["verdict"], ("clean", "unexposed", "unsupported"), done["reason"])
                if profile in ("direct-append", "copy-after-write", "archive", "shared-blocks"):
                    self.assertEqual(done["verdict"], "unexposed", done["reason"])


class Archive(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = cls.enterClassContext(loop_mount(cls.enterClassContext(temporary_directory()), "xfs"))
        cls.archive = os.path.join(cls.path, ".writecanary", "archive")

    def run_archive(self, *options):
        arguments = [part for option in options for part in ("--option", option)]
        return check(self.path, "--profile", "archive", *arguments).run

    def test_rot_is_found_and_said_to_be_old(self):
        self.assertEqual(self.run_archive("files=2")["verdict"], "unexposed", "nothing is old yet")
        self.assertEqual(self.run_archive("files=2")["verdict"], "clean")
        name = sorted(os.listdir(self.archive))[0]
        path = os.path.join(self.archive, name)
        with open(path, "r+b") as file:
            file.seek(70_001)
            wrong = file.read(1)[0] ^ 0x10
            file.seek(70_001)
            file.write(bytes([wrong]))
        done = self.run_archive("files=2")
        self.assertEqual(done["finding_counts"], {"bitflip": 1}, done)
        [finding] = done["findings"]
        self.assertEqual((finding["file"], finding["offset_bytes"], finding["length_bytes"]),
                         (f"archive/{name}", 70_001, 1))
        self.assertIn(f"days ago by {os.uname().release}, read with O_DIRECT", finding["detail"])

        # Two weeks old and to be kept for one: replaced, and what is new is right.
        created = int(name.split("_")[0])
        for entry in os.listdir(self.archive):
            os.rename(os.path.join(self.archive, entry),
                      os.path.join(self.archive, entry.replace(str(created), str(created - 14 * 86400), 1)))
        done = self.run_archive("files=2", "age_days=7")
        self.assertIn("written 14.0 days ago", done["findings"][0]["detail"])
        self.assertEqual(self.run_archive("files=2", "age_days=7")["verdict"], "clean")

    def test_what_is_not_the_archives_own_stays(self):
        self.run_archive("files=2")
        stranger = os.path.join(self.archive, "stranger")
        with open(stranger, "w", encoding="utf-8") as file:
            file.write("kept")
        self.run_archive("files=1")
        self.assertTrue(os.path.exists(stranger))
        self.assertEqual(len(os.listdir(self.archive)), 2)
        os.unlink(stranger)


if __name__ == "__main__":
    run.main()
