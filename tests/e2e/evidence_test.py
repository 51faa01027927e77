"""Evidence: kept by `check` and by the daemon, valid against its schema, judged again by `explain`, run again by `replay`,
and told as a report; and the self-test that says whether the detectors see."""

import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import tarfile
import unittest
from pathlib import Path

from harness import kernel, run
from harness.check import CLEAN, CORRUPT, TORN, check
from harness.controls import FILE_PREFIX
from harness.daemon import running_daemon
from harness.mounts import damage_mount, loop_mount, temporary_directory

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMA = Path(os.environ.get("WRITECANARY_SOURCE", Path(__file__).parents[2])) / "docs" / "evidence.schema.json"
CLAIMS = ("kind", "offset_bytes", "length_bytes")


def writecanary(*arguments, seconds=120):
    return subprocess.run([run.program("writecanary"), *arguments], capture_output=True, text=True, timeout=seconds,
                          check=False)


def claims(findings):
    return [tuple(finding[name] for name in CLAIMS) for finding in findings]


def canonical(part):
    return json.dumps(part, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Evidence(unittest.TestCase):
    """What every piece of evidence must be, wherever it comes from."""

    def assert_valid(self, document):
        if jsonschema is None:
            self.skipTest("python3-jsonschema is not installed")
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        errors = [f"{list(error.path)}: {error.message}" for error in
                  jsonschema.Draft202012Validator(schema).iter_errors(document)]
        self.assertEqual(errors, [])

    def assert_whole(self, path):
        """The document of the kept file at path: valid, and the file and each part hash to what it says."""
        with open(f"{path}.evidence.json", encoding="utf-8") as file:
            document = json.load(file)
        self.assert_valid(document)
        self.assertEqual(hashlib.sha256(Path(path).read_bytes()).hexdigest(), document["file"]["sha256"])
        for name, part in document["parts"].items():
            self.assertEqual(hashlib.sha256(canonical(part)).hexdigest(), document["sha256"][name], name)
        return document


class TornOnXfs(Evidence):
    @classmethod
    def setUpClass(cls):
        kernel.require_memory_cgroup()
        cls.directory = cls.enterClassContext(temporary_directory())
        cls.path = cls.enterClassContext(loop_mount(cls.directory, "xfs", size="1G"))
        cls.checked = check(cls.path, "--profile", "append-interposed", "--writes", "60", "--seed", "11",
                            "--keep-evidence", os.path.join(cls.directory, "kept"))
        [cls.kept] = Path(cls.directory, "kept").iterdir()
        cls.file = str(cls.kept / "file-1")

    def reported(self, name):
        return [finding for finding in self.checked.run["findings"] if finding["file"] == name]

    def test_everything_is_there(self):
        document = self.assert_whole(self.file)
        self.assertEqual(document["missing"], [], "on XFS on a loop device every part can be had")
        parts = document["parts"]
        self.assertEqual(claims(parts["findings"]), claims(self.reported("file-1")))
        self.assertEqual(parts["xfs_geometry"]["data_blocks"] * parts["xfs_geometry"]["block_bytes"], 1 << 30)
        self.assertEqual(parts["devices"][0]["backing_file"], os.path.join(self.directory, "xfs.img"))
        times = [write["at_us"] for write in parts["log"]["writers"][0]]
        self.assertEqual(times, sorted(times))
        self.assertGreater(times[0], 0)

    def test_explain_names_the_same_findings(self):
        for name in ("file-1", "file-2"):
            explained = writecanary("explain", str(self.kept / name), "--json")
            self.assertEqual(explained.returncode, TORN, explained.stderr)
            document = json.loads(explained.stdout)
            self.assertEqual(claims(document["findings"]), claims(self.reported(name)))
            self.assertEqual((document["same_as_reported"], document["tampered"]), (True, []))

    def test_explain_in_words(self):
        explained = writecanary("explain", self.file + ".evidence.json")
        self.assertEqual(explained.returncode, TORN, explained.stderr)
        self.assertIn("The same findings as the run reported.", explained.stdout)
        self.assertEqual(explained.stdout.count("\n  torn  "), len(self.reported("file-1")))

    def test_explain_of_a_file_set_right_is_clean(self):
        """The segments say where the intruders stand: moved behind the writes that they tore, nothing is wrong."""
        with open(self.file + ".evidence.json", encoding="utf-8") as file:
            document = json.load(file)
        content = Path(self.file).read_bytes()
        pieces = {0: b"", 1: b""}
        for segment in document["parts"]["segments"]["items"]:
            begin = segment["offset_bytes"]
            pieces[segment["writer"]] += content[begin:begin + segment["length_bytes"]]
        mended = os.path.join(self.directory, "mended")
        Path(mended).write_bytes(pieces[0] + pieces[1])
        Path(mended + ".evidence.json").write_text(json.dumps(document), encoding="utf-8")
        explained = writecanary("explain", mended, "--json")
        self.assertEqual(explained.returncode, CLEAN, explained.stdout)
        self.assertEqual(json.loads(explained.stdout)["tampered"], ["file"])

    def test_explain_needs_evidence(self):
        refused = writecanary("explain", os.path.join(self.directory, "nothing"))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("nothing.evidence.json", refused.stderr)

    def test_replay_reproduces(self):
        replayed = writecanary("replay", self.file, self.path, "--json")
        self.assertEqual(replayed.returncode, TORN, replayed.stderr)
        document = json.loads(replayed.stdout)
        self.assertEqual((document["reproduced"], document["wanted_kinds"]), (True, ["torn"]))
        self.assertEqual(document["runs"][0]["seed"], "11")
        self.assertEqual(document["runs"][0]["writes"], 60)

    def test_the_report_can_be_acted_on(self):
        report = (self.kept / "report.txt").read_text(encoding="utf-8")
        for part in ("torn on xfs, Linux ", "What stands where:", "Around the first wrong byte:", "\nTaint: ", "\nDevices: ",
                     self.assert_whole(self.file)["file"]["sha256"]):
            self.assertIn(part, report)
        for line in report.splitlines()[1:]:  # the first one is the subject
            self.assertLessEqual(len(line), 120 if line.startswith("  writecanary") else 78, line)
        command = shlex.split(re.search(r"^  (writecanary check .*)$", report, re.MULTILINE).group(1))
        again = writecanary(*command[1:], "--json")
        self.assertEqual(again.returncode, TORN, again.stderr)
        self.assertGreater(json.loads(again.stdout)["runs"][0]["finding_counts"]["torn"], 0)

    def test_a_clean_run_keeps_nothing(self):
        kept = os.path.join(self.directory, "nothing-kept")
        done = check(self.path, "--profile", "append-sync", "--writes", "30", "--keep-evidence", kept)
        self.assertEqual(done.run["findings"], [])
        self.assertFalse(os.path.exists(kept))


class OfKnownContent(Evidence):
    """Profiles that know every byte keep the right content beside the damaged file."""

    cached = False

    @classmethod
    def setUpClass(cls):
        run.require_root("damagefs")
        cls.directory = cls.enterClassContext(temporary_directory())
        cls.mount = cls.enterClassContext(damage_mount(cls.directory, cls.cached))

    def kept(self, name, profile, options, **rule):
        """The damaged run and the paths of what it kept."""
        directory = os.path.join(self.directory, name)
        self.mount.set_rule(**{"file": FILE_PREFIX, **rule})
        arguments = [part for option in options for part in ("--option", option)]
        done = check(self.mount.mount_point, "--profile", profile, "--seed", "7", *arguments, "--keep-evidence", directory)
        self.mount.set_rule(kind="none")
        self.assertEqual(done.exit_code, CORRUPT, done.run)
        return done, sorted(str(path).removesuffix(".evidence.json") for path in Path(directory).rglob("*.evidence.json"))

    def assert_explained(self, path):
        document = self.assert_whole(path)
        explained = writecanary("explain", path, "--json")
        self.assertEqual(explained.returncode, CORRUPT, explained.stderr)
        judged = json.loads(explained.stdout)
        self.assertEqual((judged["same_as_reported"], judged["tampered"]), (True, []), judged)
        return document

    def test_each_profile(self):
        zeros = {"kind": "zero", "offset": 104, "length": 200}
        for profile, options, rule in (
                ("large-folio", ("files=1", "changes=1"), zeros | {"at": 2}),
                ("copy-after-write", ("copies=2",), zeros | {"at": 2, "file": "file-1-copy"}),
                ("collapse", ("files=1",), zeros | {"at": 1}),
                ("mixed-model", (), {"kind": "zero", "offset": 8, "length": 40, "at": 700})):
            with self.subTest(profile):
                done, [path] = self.kept(profile, profile, options, **rule)
                document = self.assert_explained(path)
                self.assertEqual(claims(document["parts"]["findings"]), claims(done.run["findings"]))
                wrong, right = Path(path).read_bytes(), Path(path + ".expected").read_bytes()
                self.assertEqual(hashlib.sha256(right).hexdigest(), document["expected"]["sha256"])
                self.assertNotEqual(wrong, right)

    def test_rot_in_the_archive(self):
        check(self.mount.mount_point, "--profile", "archive", "--option", "files=1")
        archive = Path(self.mount.backing, ".writecanary", "archive")
        [name] = os.listdir(archive)
        content = bytearray((archive / name).read_bytes())
        content[70_001] ^= 0x10
        (archive / name).write_bytes(content)
        directory = os.path.join(self.directory, "rot")
        done = check(self.mount.mount_point, "--profile", "archive", "--option", "files=1", "--keep-evidence", directory)
        self.assertEqual(done.run["finding_counts"], {"bitflip": 1})
        [kept] = Path(directory).rglob("*.expected")
        self.assert_explained(str(kept).removesuffix(".expected"))


class OfThePageCache(OfKnownContent):
    """The kept file is the one that was seen: as the page cache had it, although eviction set it right."""

    cached = True
    test_each_profile = test_rot_in_the_archive = None

    def test_what_only_the_page_cache_had_wrong_is_kept_wrong(self):
        done, [path] = self.kept("hot", "append-sync", (), kind="zero", on="read", at=1, place=65536, length=5000)
        [finding] = done.run["findings"]
        self.assertEqual((finding["views"]["hot"], finding["views"]["cold"]), ("wrong", "right"))
        self.assert_explained(path)


class FromTheDaemon(Evidence):
    @classmethod
    def setUpClass(cls):
        run.require_root("the daemon")
        cls.directory = cls.enterClassContext(temporary_directory())
        cls.mount = cls.enterClassContext(damage_mount(cls.directory))
        cls.daemon = cls.enterClassContext(running_daemon(cls.directory, [("sick", cls.mount.mount_point, {})]))

    def test_the_archive_holds_it_and_says_what_it_does_not(self):
        self.mount.set_rule(kind="zero", file="file-", at=4, offset=8192, length=4096)
        done = self.daemon.run("sick", "append-sync", writes=20)
        self.mount.set_rule(kind="none")
        self.assertEqual(done["finding_counts"], {"zeroed": 1})
        [finding] = self.daemon.api("/findings?limit=1")["items"]
        archive = os.path.join(self.directory, "evidence.tar")
        subprocess.run(["curl", "-sSf", "-o", archive, f"http://127.0.0.1:{self.daemon.port}/api/v1/findings/"
                        f"{finding['id']}/evidence"], check=True)
        with tarfile.open(fileobj=io.BytesIO(Path(archive).read_bytes())) as tar:
            tar.extractall(self.directory)
        [root] = Path(self.directory).glob("writecanary-finding-*")
        path = str(root / "evidence" / finding["file"])
        document = self.assert_whole(path)
        # FUSE is no XFS, and stands on no block device.
        self.assertLessEqual({"xfs_geometry", "devices"}, {item["part"] for item in document["missing"]})
        explained = json.loads(writecanary("explain", path, "--json").stdout)
        self.assertEqual(claims(explained["findings"]), claims([finding]))
        status, report = self.daemon.get(f"/api/v1/findings/{finding['id']}/report")
        self.assertEqual(status, 200)
        self.assertRegex(report, r"(?m)^  0x\w+ +4096  0 +zeros$")
        self.assertIn(document["file"]["sha256"], report)

    def test_the_self_test_is_in_the_status_and_remembered(self):
        first = self.daemon.api("/status")["self_test"]
        self.assertTrue(first["ok"], first)
        self.assertEqual(len(first["detectors"]), 10)
        self.assertEqual(self.daemon.metric("writecanary_self_test_ok"), 1)
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.daemon.api("/status")["self_test"]["at"], first["at"], "once for each build")


class SelfTest(unittest.TestCase):
    def test_every_detector_sees(self):
        tested = writecanary("self-test", "--json")
        self.assertEqual(tested.returncode, 0, tested.stdout + tested.stderr)
        document = json.loads(tested.stdout)
        self.assertTrue(document["ok"])
        self.assertEqual(len({detector["kind"] for detector in document["detectors"]}), 10)
        self.assertIn("Every detector sees.", writecanary("self-test").stdout)


if __name__ == "__main__":
    run.main()
