"""A finding says which view was wrong: damage that only the page cache, only the cold file or only O_DIRECT has."""

import os
import unittest

from harness import run
from harness.check import CORRUPT, check
from harness.controls import FILE_PREFIX, VIEW_CONTROLS
from harness.mounts import damage_mount, temporary_directory


class DamageInOneView(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run.require_root("damagefs")
        cls.mount = cls.enterClassContext(damage_mount(cls.enterClassContext(temporary_directory())))

    def test_each_control(self):
        for control in VIEW_CONTROLS:
            with self.subTest(**control.rule):
                if control.kind == "stale":  # of which a file must have been read before
                    check(self.mount.mount_point, "--profile", control.profile, "--writes", "20")
                self.mount.set_rule(file=FILE_PREFIX, **control.rule)
                logged = len(self.mount.log())
                done = check(self.mount.mount_point, "--profile", control.profile, "--writes", "20", "--seed", "3")
                self.mount.set_rule(kind="none")
                self.assertEqual(done.exit_code, CORRUPT, (done.run, done.errors))
                [entry] = self.mount.log()[logged:]
                self.assertEqual(done.run["finding_counts"], {control.kind: 1}, done.run["findings"])
                [finding] = done.run["findings"]
                self.assertEqual(
                    (finding["file"], finding["offset_bytes"], finding["length_bytes"], finding["views"]),
                    (os.path.basename(entry["file"]), entry["offset"], entry["length"], control.views), entry)


if __name__ == "__main__":
    run.main()
