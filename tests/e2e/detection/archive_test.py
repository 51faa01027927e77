"""The archive: files of earlier runs, read again."""

import os
import unittest

from harness import run
from harness.check import check
from harness.mounts import loop_mount, temporary_directory


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
