"""The neighbouring profiles find nothing on filesystems that are right, within the time and bytes of default settings."""

import os
import unittest

from harness import run
from harness.check import check_each
from harness.controls import NEIGHBOURS
from harness.kernel import kernel_at_least
from harness.mounts import loop_mount, temporary_directory, tmpfs_mount

# Far from what a run of default settings takes, since the machine may be busy.
SECONDS_MAX = 60
BYTES_MAX = 256 << 20


class OnRealFilesystems(unittest.TestCase):
    # What cannot be exposed everywhere, and why.
    NOT_ALWAYS = {"collapse": "needs CONFIG_READ_ONLY_THP_FOR_FS, or tmpfs", "archive": "needs an earlier run",
                  "forgotten-inode": "needs a flag that XFS and ext4 have"}

    def check_clean(self, fstype, unexposed=()):
        path = self.enterContext(loop_mount(self.enterContext(temporary_directory()), fstype))
        for profile, done in check_each(path, NEIGHBOURS).items():
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
        for profile, done in check_each(mount_point, NEIGHBOURS).items():
            with self.subTest(profile):
                self.assertEqual(done["finding_counts"], {}, done)
                self.assertIn(done["verdict"], ("clean", "unexposed", "unsupported"), done["reason"])
                if profile in ("direct-append", "copy-after-write", "archive", "shared-blocks"):
                    self.assertEqual(done["verdict"], "unexposed", done["reason"])


if __name__ == "__main__":
    run.main()
