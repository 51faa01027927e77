"""The archive on hosts that have nothing for it: no library at all, or those of an old Debian. It runs there as it does here,
and uses nothing of the host but the kernel."""

import contextlib
import gzip
import json
import os
import re
import shutil
import ssl
import sys
import tempfile
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "kernel")]
import archive_tree as archive  # noqa: E402
import roots  # noqa: E402
from debian_package import free_port  # noqa: E402
from document import commands  # noqa: E402
from harness import kernel, run  # noqa: E402
from harness.certificates import Authority  # noqa: E402
from harness.mounts import loop_mount  # noqa: E402
from harness.waiting import wait_until  # noqa: E402
from kernels import Unavailable  # noqa: E402

VERSION = (archive.ROOT / "VERSION").read_text().strip()
PREFIX = f"/{archive.PREFIX}"
PROGRAMS = ("writecanary", "writecanaryd", "writecanary-probe")
CONFIG = """\
[server]
listen = "localhost:{port}"
{tls}
[storage]
path = "/var/lib/writecanary/results.db"
[defaults]
window = "00:00-00:01 Europe/London"
[[target]]
name = "local"
path = "/var/lib/writecanary/canary"
require_mount = false
"""


class Somewhere:
    """What must hold on any host; `root` is one that has the archive unpacked."""

    @classmethod
    def setUpClass(cls):
        run.require_root("a root of its own")
        try:
            cls.root = cls.enterClassContext(cls.host())
        except Unavailable as reason:
            raise unittest.SkipTest(str(reason)) from None
        cls.root.unpack(archive.newest_archive())
        # A name service that is a library of the host's, where the host has one.
        cls.root.write("etc/nsswitch.conf", "passwd: hesiod files\nhosts: hesiod files dns\n")
        (cls.root.path / "var/lib/writecanary/canary").mkdir(parents=True)
        (cls.root.path / "etc/writecanary").mkdir()

    def test_programs_start(self):
        for program in PROGRAMS:
            done = self.root.run(f"{PREFIX}/bin/{program}", "--version")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(VERSION, done.stdout)

    def test_a_check_is_exposed(self):
        kernel.require_memory_cgroup()
        with loop_mount(self.root.path, "xfs"):
            done = self.root.run(f"{PREFIX}/bin/writecanary", "check", "/xfs", "--profile", "append", "--writes", "100", "--json")
        [made] = json.loads(done.stdout)["runs"]
        self.assertEqual(made["verdict"], "corrupt" if kernel.duplicates_appends() else "clean", made["reason"])
        self.assertGreaterEqual(made["exposures"], 90)

    @contextlib.contextmanager
    def daemon(self, tls=""):
        port = free_port()
        self.root.write("etc/writecanary/writecanary.toml", CONFIG.format(port=port, tls=tls))
        daemon = self.root.start(f"{PREFIX}/bin/writecanaryd", "--config", "/etc/writecanary/writecanary.toml")
        try:
            yield daemon, port
        finally:
            daemon.terminate()
            said = daemon.communicate(timeout=60)
            self.assertEqual(daemon.returncode, 0, said)

    def answer(self, daemon, url, **options):
        def ask():
            self.assertIsNone(daemon.poll(), "the daemon has ended")
            try:
                with urllib.request.urlopen(url, timeout=10, **options) as answer:
                    return answer.read().decode()
            except urllib.error.URLError:
                return None
        return wait_until(ask, 60, f"an answer of {url}")

    def test_the_daemon_answers_and_has_nothing_of_the_host_loaded(self):
        """Its listener has a name and its window a zone of time, which are looked up in libraries and files of the host."""
        with self.daemon() as (daemon, port):
            status = json.loads(self.answer(daemon, f"http://127.0.0.1:{port}/api/v1/status"))
            self.assertEqual(status["version"], VERSION)
            self.assertIn("writecanary_build_info", self.answer(daemon, f"http://127.0.0.1:{port}/metrics"))
            maps = Path(f"/proc/{daemon.pid}/maps").read_text()
        loaded = set(re.findall(r" r-xp .* (/\S+)$", maps, re.MULTILINE))
        self.assertGreater(len(loaded), 10)
        self.assertEqual({path for path in loaded if f"{PREFIX}/" not in path}, set())

    def test_the_authorities_of_the_host_are_trusted(self):
        """Where Fedora and its kin have them; the host's OpenSSL would be told by its own configuration."""
        with tempfile.TemporaryDirectory() as directory:
            authority = Authority(directory, "authority")
            certificate, key = authority.issue("localhost", "127.0.0.1", names=("localhost",))
            trusted = self.root.path / "etc/pki/tls/certs/ca-bundle.crt"
            trusted.parent.mkdir(parents=True)
            for source, name in ((certificate, "server.pem"), (key, "server.key")):
                shutil.copy(source, self.root.path / "etc/writecanary" / name)
            with self.daemon('tls_cert = "/etc/writecanary/server.pem"\ntls_key = "/etc/writecanary/server.key"') as (daemon, port):
                self.answer(daemon, f"https://localhost:{port}/readyz", context=ssl.create_default_context(cafile=authority.path))
                status = (f"{PREFIX}/bin/writecanary", "status", "--url", f"https://localhost:{port}")
                refused = self.root.run(*status)
                self.assertNotEqual(refused.returncode, 0, "an authority that nobody knows was trusted")
                shutil.copy(authority.path, trusted)
                done = self.root.run(*status)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(VERSION, done.stdout)
            trusted.unlink()

    def test_setup(self):
        for _ in range(2):  # the second time is an upgrade
            done = self.root.run(f"{PREFIX}/setup")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("systemd does not run here", done.stdout)
            user = re.search(r"^writecanary:[^:]*:(\d+):(\d+):", (self.root.path / "etc/passwd").read_text(), re.MULTILINE)
            state = (self.root.path / "var/lib/writecanary").stat()
            self.assertEqual((state.st_uid, state.st_gid, state.st_mode & 0o777), (int(user[1]), int(user[2]), 0o750))
            self.assertTrue((self.root.path / "etc/writecanary/writecanary.toml").exists())
        self.assertIn(VERSION, self.root.run("writecanary", "--version").stdout)
        page = self.root.path / "usr/local/share/man/man1/writecanary.1.gz"
        target = self.root.path / os.readlink(page).lstrip("/")
        self.assertIn(b"writecanary", gzip.decompress(target.read_bytes()))
        done = self.root.run(f"{PREFIX}/setup", "--remove")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(page.is_symlink())
        self.assertTrue((self.root.path / "etc/writecanary/writecanary.toml").exists())


class NothingButBusybox(Somewhere, unittest.TestCase):
    host = staticmethod(roots.bare)

    def test_there_is_no_library(self):
        found = [path for path in self.root.path.rglob("*.so*") if archive.PREFIX not in str(path)]
        self.assertEqual(found, [])


    def test_the_commands_of_the_document(self):
        """As docs/install.md has them, but for the unpacking: busybox's tar knows no zstd. Where systemd does not run, what `setup`
        says is typed between."""
        unpack, setup, status = commands("types it on a Debian 11")
        self.assertIn("tar", unpack)
        config = self.root.path / "etc/writecanary/writecanary.toml"
        config.unlink(missing_ok=True)
        done = self.root.run("unshare", "-n", "sh", "-c", f"""set -e; ip link set lo up; {setup} >/tmp/said
          start=$(grep -o '{PREFIX}/bin/writecanaryd .*' /tmp/said)
          exec $start >/tmp/log 2>&1 & daemon=$!
          until {PREFIX}/bin/writecanary health >/dev/null 2>&1; do kill -0 $daemon; sleep 0.2; done
          {status}
          kill $daemon; wait $daemon""")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "(?m)^ *local ", done.stderr)


class Debian11(Somewhere, unittest.TestCase):
    @staticmethod
    def host():
        return roots.debian("bullseye")

    def test_its_libraries_are_too_old(self):
        """Else this would prove nothing: the programs of the Debian package do not start there."""
        self.assertIn("2.31", self.root.run("ldd", "--version").stdout)


if __name__ == "__main__":
    try:
        archive.newest_archive()
    except Unavailable as reason:
        print(f"archive: skipped: {reason}")
        sys.exit(77)
    run.main()
