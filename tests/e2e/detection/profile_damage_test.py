"""The neighbouring profiles find their injected damage at its exact place."""

import os
import re
import unittest

from harness import run
from harness.check import CORRUPT, check, check_each
from harness.controls import FILE_PREFIX, NEIGHBOURS, PROFILE_CONTROLS
from harness.mounts import damage_mount, temporary_directory

SEED = "4"


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
        rule = {"kind": "zero", "at": 900, "offset": 8, "length": 40}
        done, _ = self.damaged("mixed-model", (), rule)
        self.assertEqual(done["verdict"], "corrupt")
        self.assertIn("did not fail when they were replayed", done["findings"][0]["detail"])

    def test_without_damage_nothing_is_found(self):
        for profile, done in check_each(self.mount.mount_point, NEIGHBOURS).items():
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


if __name__ == "__main__":
    run.main()
