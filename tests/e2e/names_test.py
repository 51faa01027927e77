"""Names that are no text: mount points, sources, directories and a host whose bytes no document can hold as they are."""

import ctypes
import json
import os
import re
import shutil
import socket
import subprocess
import unittest

from harness import kernel, run
from harness.check import FAILED, TORN, check
from harness.daemon import Daemon, closed_window, running_daemon
from harness.mounts import loop_mount, temporary_directory, unmount

# A byte that is not UTF-8, quotes, blanks, a line break, a backslash, an escape as we write it, letters of Europe.
ODD = os.fsdecode(b"cass\xe9 \"x\" 'y'\nnl back\\slash \\xe9 gar\xc3\xa7on")
ODD_TEXT = "cass\\xe9 \"x\" 'y'\\x0anl back\\slash \\x5cxe9 garçon"
CLONE_NEWUTS = 0x04000000


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def series_of(text):
    """name{labels} of every sample."""
    return [line.rpartition(" ")[0] for line in text.splitlines() if line and not line.startswith("#")]


class OddNames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run.require_root("mounting")
        cls.directory = cls.enterClassContext(temporary_directory())
        cls.path = cls.enterClassContext(loop_mount(cls.directory, "xfs", name=ODD))
        cls.text = f"{cls.directory}/{ODD_TEXT}"

    def tmpfs(self, name, source):
        """A small tmpfs with this source; its mount point."""
        path = os.path.join(self.directory, name)
        os.mkdir(path)
        mount("-t", "tmpfs", "-o", "size=16m", source, path)
        self.addCleanup(unmount, path)
        return path

    def assert_scrape_is_well_formed(self, daemon):
        text = daemon.get("/metrics")[1]
        names = series_of(text)
        self.assertEqual(len(names), len(set(names)), "two series have one name")
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_check_runs_there_and_says_where(self):
        checked = check(self.path, "--profile", "append-sync", "--writes", "20")
        self.assertNotEqual(checked.exit_code, FAILED, checked.run)
        self.assertEqual((checked.run["writes"], checked.document["path"]), (20, self.text))
        self.assertEqual(checked.run["filesystem"]["mount_point"], self.text)
        self.assertEqual(os.listdir(self.path), [])

    def test_what_people_read_is_text_too(self):
        command = [run.program("writecanary"), "check", self.path, "--profile", "append-sync", "--writes", "20"]
        said = subprocess.run(command, capture_output=True, check=False)
        self.assertTrue(said.stdout.decode().startswith(f"{self.text}: xfs on "), said.stdout)
        missing = subprocess.run([*command[:2], self.path + "/none"], capture_output=True, check=False)
        self.assertEqual(missing.returncode, 1)
        [line] = missing.stderr.decode().splitlines()
        self.assertIn("back\\slash \\xe9 garçon/none: No such file", line)

    def test_a_daemon_watches_it(self):
        with temporary_directory() as state:
            targets = [("odd", os.fsencode(self.path), {})]
            with running_daemon(state, targets, profiles=["append-sync"]) as daemon:
                done = daemon.run("odd", "append-sync", writes=20)
                self.assertNotEqual(done["verdict"], "error", done)
                self.assertEqual(done["filesystem"]["mount_point"], self.text)
                self.assertEqual(done["spec"]["path"], self.text)
                [target] = daemon.api("/targets")["items"]
                self.assertEqual((target["path"], target["mounted"]), (self.text, True))
                self.assert_scrape_is_well_formed(daemon)
                dumped = subprocess.run([run.program("writecanaryd"), "--config", daemon.config_path, "--dump-config"],
                                        capture_output=True, text=True, check=True).stdout
                with open(daemon.config_path, "w", encoding="utf-8") as file:
                    file.write(dumped)
                self.assertTrue(daemon.reload())
                self.assertEqual(daemon.run("odd", "append-sync", writes=5)["spec"]["path"], self.text)

    def test_sources_that_are_no_text_stay_apart_in_a_scrape(self):
        # Replaced by one and the same character, the first two would be one.
        sources = [os.fsdecode(b"so\xe9 \"q\"\n\\"), os.fsdecode(b"so\xe8 \"q\"\n\\"), "so\\xe9 \"q\"\n\\"]
        targets = [(f"t{i}", self.tmpfs(f"source-{i}", source), {}) for i, source in enumerate(sources)]
        with temporary_directory() as state, running_daemon(state, targets, profiles=["append-sync"]) as daemon:
            shown = {target["name"]: target["filesystem"]["source"] for target in daemon.api("/targets")["items"]}
            self.assertEqual(shown, {"t0": "so\\xe9 \"q\"\\x0a\\", "t1": "so\\xe8 \"q\"\\x0a\\", "t2": "so\\x5cxe9 \"q\"\\x0a\\"})
            for name, source in shown.items():
                self.assertEqual(daemon.metric("writecanary_target_info", target=name, fstype="tmpfs",
                                               source=source.replace("\\", "\\\\").replace('"', '\\"')), 1)
            self.assert_scrape_is_well_formed(daemon)
            self.assertNotEqual(daemon.run("t0", "append-sync", writes=5)["verdict"], "error")

    def test_a_state_directory_and_an_error_that_names_it(self):
        with temporary_directory() as state:
            odd_state = os.path.join(state, ODD)
            os.mkdir(odd_state)
            daemon = Daemon(state, [("data", self.tmpfs("plain", "none"), {})],
                            storage={"path": os.fsencode(odd_state) + b"/results.db"}, profiles=["append-sync"],
                            window=closed_window())
            try:
                daemon.start()
                self.assertNotEqual(daemon.run("data", "append-sync", writes=5)["verdict"], "error")
                self.assertEqual(daemon.api("/status")["database"]["path"], f"{state}/{ODD_TEXT}/results.db")
            finally:
                daemon.stop()
            self.assertTrue(os.path.exists(os.path.join(odd_state, "results.db")))
            with open(daemon.log_path, "rb") as log:
                for line in log.read().decode().splitlines():
                    self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\S+Z (info|warning) ", "a name broke a line of the log")

    def test_a_host_whose_name_is_no_text(self):
        def rename_host():
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUTS) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            socket.sethostname(b"h\xe9\n\"st")

        with temporary_directory() as state:
            targets = [("data", self.tmpfs("host", "none"), {})]
            daemon = Daemon(state, targets, profiles=["append-sync"], window=closed_window())
            try:
                daemon.start(preexec_fn=rename_host)
                self.assertEqual(daemon.api("/status")["hostname"], 'h\\xe9\\x0a"st')
                self.assert_scrape_is_well_formed(daemon)
            finally:
                daemon.stop()

    def test_evidence_from_there_is_judged_and_repeated_by_what_it_says(self):
        kernel.require_memory_cgroup()
        kept = os.path.join(self.directory, os.fsdecode(b"kept\xff\n"))
        checked = check(self.path, "--profile", "append-interposed", "--writes", "40", "--keep-evidence", kept)
        self.assertEqual(checked.exit_code, TORN, checked.run)
        [directory] = [os.path.join(kept, name) for name in os.listdir(kept)]
        with open(os.path.join(directory, "file-1.evidence.json"), encoding="utf-8") as file:
            document = json.load(file)
        self.assertEqual(document["parts"]["run"]["spec"]["path"], self.text)
        self.assertEqual(document["parts"]["mount"]["mount_point"], self.text)
        with open(os.path.join(directory, "report.txt"), encoding="utf-8") as file:
            self.assertIn(document["parts"]["run"]["replay"], file.read())
        for command in (["explain", os.path.join(directory, "file-1")], ["replay", os.path.join(directory, "file-1")]):
            with self.subTest(command[0]):
                ran = subprocess.run([run.program("writecanary"), *command, "--json"], capture_output=True, check=False)
                self.assertEqual(ran.returncode, TORN, ran.stderr)
                json.loads(ran.stdout.decode())
        with self.subTest("as it is typed"):
            typed = re.sub("^writecanary", run.program("writecanary"), document["parts"]["run"]["replay"])
            ran = subprocess.run(["bash", "-c", typed + " --json"], capture_output=True, check=False)
            self.assertEqual(ran.returncode, TORN, ran.stderr)
            self.assertEqual(json.loads(ran.stdout.decode())["path"], self.text)


if __name__ == "__main__":
    run.main()
