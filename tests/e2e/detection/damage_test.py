"""Every kind of damage is found out: by the probe, through the daemon, in the API and in /metrics, at its exact place."""

import unittest

from harness import run
from harness.controls import FILE_PREFIX, KINDS, foreign_text
from harness.daemon import running_daemon
from harness.mounts import damage_mount, temporary_directory

# Kinds whose finding names the place in the same file that the content belongs to.
HAVE_SOURCE = {"duplicate", "drop", "reorder", "truncate"}
WRITES = 40


class DamageIsFound(unittest.TestCase):
    cached = False

    @classmethod
    def setUpClass(cls):
        run.require_root("the daemon")
        cls.directory = cls.enterClassContext(temporary_directory())
        cls.mount = cls.enterClassContext(damage_mount(cls.directory, cls.cached))
        cls.daemon = cls.enterClassContext(running_daemon(cls.directory, [("sick", cls.mount.mount_point, {})]))

    def damaged_run(self, kind, profile):
        """One run in which exactly one write is damaged; the run and the log's entry."""
        # The second file, so that stale content has an earlier one to come from. Chunks of whole words: a byte that
        # happens to be right although its neighbours are damaged would shorten the finding.
        self.mount.set_rule(kind=kind, file=FILE_PREFIX, at=14, offset=8200, length=5000, bit=5)
        logged = len(self.mount.log())
        done = self.daemon.run("sick", profile, writes=WRITES)
        [entry] = self.mount.log()[logged:]
        self.mount.set_rule(kind="none")
        return done, entry

    def assert_found(self, done, entry, kind):
        expected = KINDS[kind]
        self.assertEqual((done["verdict"], done["finding_counts"]), ("corrupt", {expected: 1}), done["reason"])
        [finding] = done["findings"]
        self.assertEqual(
            (finding["kind"], finding["file"], finding["offset_bytes"], finding["length_bytes"]),
            (expected, entry["file"].rsplit("/", 1)[-1], entry["offset"], entry["length"]),
            finding,
        )
        if kind in HAVE_SOURCE:
            self.assertEqual(finding["source_offset_bytes"], entry["source_offset"], finding)

    def check_kind(self, kind, profile):
        labels = {"target": "sick", "kind": KINDS[kind]}
        total_before = self.daemon.metric("writecanary_findings_total", profile=profile, **labels)
        done, entry = self.damaged_run(kind, profile)
        self.assert_found(done, entry, kind)
        self.daemon.wait_for_metric(total_before + 1, "writecanary_findings_total", profile=profile, **labels)
        [incident] = self.daemon.api(f"/incidents?kind={KINDS[kind]}&profile={profile}")["items"]
        if incident["state"] == "known":  # another damage of this kind was acknowledged before
            self.assertEqual(incident["last_run_id"], done["id"])
            return
        self.daemon.wait_for_open_incidents(1, profile=profile, **labels)

        [listed] = self.daemon.api(f"/findings?kind={KINDS[kind]}&acknowledged=false&limit=1")["items"]
        self.assertEqual(listed["run_id"], done["id"])
        status, _, acknowledged = self.daemon.post(f"/findings/{listed['id']}/ack", {"note": "damaged on purpose"})
        self.assertEqual((status, acknowledged["acknowledged"]), (200, True))
        self.daemon.wait_for_open_incidents(0, profile=profile, **labels)
        self.assertEqual(self.daemon.api(f"/incidents/{listed['incident_id']}")["state"], "known")
        self.daemon.wait_for_metric(total_before + 1, "writecanary_findings_total", profile=profile, **labels)

    def test_io_uring_appends(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.check_kind(kind, "append")

    def test_plain_appends(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.check_kind(kind, "append-sync")

    def test_without_damage_nothing_is_found(self):
        """FUSE never writes inline: nothing here may look like an exposure."""
        for profile in ("append", "append-sync", "offset"):
            with self.subTest(profile):
                done = self.daemon.run("sick", profile, writes=WRITES)
                self.assertEqual((done["finding_counts"], done["findings"]), ({}, []), done)
                self.assertEqual(done["verdict"], "unexposed", done["reason"])

    def test_damage_in_many_writes_is_counted_exactly(self):
        self.mount.set_rule(kind="zero", file=FILE_PREFIX, every=3, offset=8200, length=5000)
        logged = len(self.mount.log())
        done = self.daemon.run("sick", "append-sync", writes=WRITES)
        entries = self.mount.log()[logged:][: WRITES // 3]  # then come the repetitions, which report nothing
        self.mount.set_rule(kind="none")
        self.assertEqual(done["finding_counts"], {"zeroed": len(entries)})
        self.assertEqual([(rate["variant"], rate["runs_with_findings"]) for rate in done["attribution"]], [("as_is", 3)])
        damaged = {(entry["file"].rsplit("/", 1)[-1], entry["offset"]) for entry in entries}
        kept = {(finding["file"], finding["offset_bytes"]) for finding in done["findings"]}
        self.assertEqual((len(kept), kept - damaged), (min(5, len(damaged)), set()), "the others are counted")
        self.assertGreaterEqual(self.daemon.api(f"/incidents/{done['findings'][0]['incident_id']}")["findings"], len(entries))

    def test_the_report_shows_the_damage(self):
        done, entry = self.damaged_run("foreign", "append-sync")
        [finding] = self.daemon.api("/findings?limit=1")["items"]
        self.assertEqual(finding["run_id"], done["id"])
        status, report = self.daemon.get(f"/api/v1/findings/{finding['id']}/report")
        self.assertEqual(status, 200)
        self.assertIn("foreign", report)
        self.assertIn(str(done["seed"]), report)
        self.assertIn(foreign_text(entry["offset"], 8).hex(" "), report, "the text that damagefs writes is not in the dump")
        self.assertIn(f"{entry['offset']:,}".replace(",", ""), report.replace(",", ""))


if __name__ == "__main__":
    run.main()
