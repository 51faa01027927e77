"""The archive itself: what is in it, whose it is, and under which licences."""

import json
import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "kernel")]
import archive_tree as archive  # noqa: E402
from harness import run  # noqa: E402
from kernels import Unavailable  # noqa: E402

PROGRAMS = ("writecanary", "writecanaryd", "writecanary-probe")


class Contents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.members = archive.members(archive.newest_archive())
        cls.names = {member.name for member in cls.members}

    def test_everything_is_below_one_directory_and_of_root(self):
        for member in self.members:
            self.assertTrue(member.name == "opt" or (member.name + "/").startswith(f"{archive.PREFIX}/"), member.name)
            mode = 0 if member.issym() else member.mode & 0o7022  # of a link nobody asks
            self.assertEqual((member.uid, member.gid, mode), (0, 0, 0), member.name)

    def test_what_is_in_it(self):
        wanted = {*(f"bin/{program}" for program in PROGRAMS), "setup", "etc/writecanary.toml", "lib/libc.so.6",
                  "lib/systemd/system/writecanary.service", "lib/sysusers.d/writecanary.conf", "share/zoneinfo/Europe/London",
                  "share/man/man1/writecanary.1.gz", "share/writecanary/monitoring/rules/alerts.yml",
                  "share/doc/writecanary/LICENSE", "share/doc/writecanary/licences/libc6/copyright",
                  "share/doc/writecanary/licences/nlohmann-json3-dev/copyright", "share/doc/writecanary/licences/preact/LICENSE",
                  "share/doc/writecanary/licences/common-licenses/LGPL-2.1"}
        self.assertEqual({f"{archive.PREFIX}/{name}" for name in wanted} - self.names, set())

    def test_a_licence_for_each_library(self):
        bill = json.loads(Path(f"{archive.newest_archive()}.spdx.json").read_text())
        told = {package["name"] for package in bill["packages"]} - {"writecanary"}
        self.assertLess({"libc6", "libssl3", "tzdata", "nlohmann-json3-dev", "preact"}, {name.removesuffix("t64") for name in told})
        licences = f"{archive.PREFIX}/share/doc/writecanary/licences/"
        self.assertEqual({name for name in told if licences + name.replace("/", "-") not in self.names}, set())


if __name__ == "__main__":
    try:
        archive.newest_archive()
    except Unavailable as reason:
        print(f"archive_contents: skipped: {reason}")
        sys.exit(77)
    run.main()
