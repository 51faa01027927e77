"""The commands of README, docs and runbooks do what is written beside them: each document in a shell of its own, on a host
that looks as the documents presume, which nobody else sees (a mount and a network namespace)."""

import contextlib
import hashlib
import os
import subprocess
import sys
import unittest
from pathlib import Path

from harness import markdown, run, session
from harness.alertmanager import running_alertmanager
from harness.certificates import Authority
from harness.daemon import Daemon, closed_window
from harness.mounts import damage_mount, loop_mount, temporary_directory
from harness.prometheus import running_prometheus
from harness.waiting import wait_until

ROOT = Path(os.environ["WRITECANARY_SOURCE"])
REMOTE = "192.0.2.7"  # of the range that is for documentation
HOSTS = f"127.0.0.1 localhost prometheus\n{REMOTE} db-7 canary.example\n"
OWN_NAMESPACE = "WRITECANARY_TEST_NAMESPACE"
SECONDS = 150  # for one document


def call(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def scratch_directory(path):
    """An empty directory of this test's at a path of the host; in the end the host is as it was."""
    made = not os.path.isdir(path)
    os.makedirs(path, exist_ok=True)
    call("mount", "-t", "tmpfs", "none", path)
    try:
        yield path
    finally:
        call("umount", "-l", path)
        if made:
            os.rmdir(path)


def work_directory(directory):
    """The tree as one has it after building, in which commands may leave files."""
    work = Path(directory, "work")
    Path(work, "build/release").mkdir(parents=True)
    for entry in ROOT.iterdir():
        if entry.name not in ("build", ".git"):
            (work / entry.name).symlink_to(entry)
    (work / "build/release/bin").symlink_to(os.environ["WRITECANARY_BIN"])
    return work


class Host(unittest.TestCase):
    """XFS on /data, addresses and names, and a shell's surroundings. Nothing runs."""

    @classmethod
    def setUpClass(cls):
        run.require_root("a host of its own")
        cls.directory = cls.enterClassContext(temporary_directory())
        for path in ("/data", "/etc/writecanary", "/var/lib/writecanary", "/run/writecanary"):
            cls.enterClassContext(scratch_directory(path))
        call("ip", "link", "set", "lo", "up")
        call("ip", "address", "replace", f"{REMOTE}/32", "dev", "lo")
        hosts = Path(cls.directory, "hosts")
        hosts.write_text(HOSTS, encoding="ascii")
        call("mount", "--bind", hosts, "/etc/hosts")
        cls.addClassCleanup(call, "umount", "/etc/hosts")
        cls.xfs = cls.enterClassContext(loop_mount(cls.directory, "xfs"))
        call("mount", "--bind", cls.xfs, "/data")
        cls.addClassCleanup(call, "umount", "-l", "/data")
        cls.work = work_directory(cls.directory)
        home = Path(cls.directory, "home")
        Path(home, ".config/amtool").mkdir(parents=True)
        Path(home, ".config/amtool/config.yml").write_text("alertmanager.url: http://127.0.0.1:9093\n", encoding="ascii")
        Path(home, ".curlrc").write_text("fail\nmax-time = 60\n", encoding="ascii")  # what is not 2xx is a mistake here
        os.environ.update(HOME=str(home), USER="reader", CHANGE_ID="4711",
                          PATH=f"{cls.work}/build/release/bin:{os.environ['PATH']}")
        cls.words = {}

    def play(self, name):
        said = session.play(ROOT / name, self.words, self.work, SECONDS)
        if said is not None:
            self.fail(f"{name}: {said}")


class NothingRuns(Host):
    def test_readme(self):
        self.play("README.md")

    def test_evidence(self):
        with contextlib.ExitStack() as stack:
            damage = stack.enter_context(damage_mount(self.directory))
            damage.set_rule(kind="duplicate", at=5, file="file-")
            call("mount", "--bind", damage.mount_point, "/data")
            stack.callback(call, "umount", "/data")
            self.play("docs/evidence.md")


class DaemonsRun(Host):
    """A daemon with a finding, one on another host that asks for tokens, one on a socket; Prometheus and Alertmanager."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        damage = cls.enterClassContext(damage_mount(cls.directory))
        damage.set_rule(kind="duplicate", at=5, file="file-")
        local = cls.start("/etc/writecanary", [("data", "/data", {}), ("damaged", damage.mount_point, {})],
                          {"listen": "127.0.0.1:9743"}, port=9743)
        found = local.run("damaged", "append", writes=40)
        assert found["verdict"] == "corrupt", found
        local.run("data", "append", writes=40)
        cls.start("/run/writecanary", [], {"listen": "unix:/run/writecanary/api.sock"}, port=0)
        cls.start_remote()
        alertmanager = cls.enterClassContext(running_alertmanager(cls.directory, "http://127.0.0.1:9/", port=9093))
        scrape = [{"job_name": "writecanary", "static_configs": [{"targets": ["127.0.0.1:9743"]}]}]
        prometheus = cls.enterClassContext(
            running_prometheus(cls.directory, scrape, alertmanager_port=alertmanager.port, port=9090))
        wait_until(lambda: prometheus.samples("writecanary_build_info"), 60, "a scrape")
        cls.words = {"HOST": "127.0.0.1:9743", "TARGET": "data", "FINDING": str(found["findings"][0]["id"]),
                     "INCIDENT": str(found["findings"][0]["incident_id"]), "PROFILE": "append",
                     "PROMETHEUS": "127.0.0.1:9090", "RELEASE": os.uname().release, "PID": "self"}

    @classmethod
    def start(cls, directory, targets, server, port, **more):
        daemon = Daemon(directory, targets, server=server, window=closed_window(), **more)
        daemon.port = port
        cls.addClassCleanup(daemon.stop)
        return daemon.start()

    @classmethod
    def start_remote(cls):
        authority = Authority(cls.directory, "authority")
        certificate, key = authority.issue("canary.example", REMOTE, names=("canary.example", "db-7"))
        token = "only-for-this-test"
        (cls.work / "operator.token").write_text(token, encoding="ascii")
        (cls.work / "ca.pem").symlink_to(authority.path)
        state = os.path.join(cls.directory, "remote")
        target = os.path.join(cls.xfs, "remote")
        os.mkdir(state)
        os.mkdir(target)
        cls.start(state, [("data", target, {"require_mount": False})],
                  {"listen": f"{REMOTE}:9743", "tls_cert": certificate, "tls_key": key,
                   "allowed_hosts": ["canary.example", "db-7"]}, port=9743,  # not this machine's own name
                  tokens=[{"name": "reader", "role": "operator", "sha256": hashlib.sha256(token.encode()).hexdigest()}],
                  ca=authority.path)

    def test_api(self):
        self.play("docs/api.md")

    def test_fleet(self):
        self.play("docs/fleet.md")

    def test_all_others(self):
        played = {"README.md", "docs/evidence.md", "docs/api.md", "docs/fleet.md"}
        others = [path for path in markdown.documents(ROOT) if str(path.relative_to(ROOT)) not in played]
        some = [path for path in others if session.blocks_to_run(path.read_text(encoding="utf-8"))]
        self.assertGreater(len(some), 10)
        for path in some:
            with self.subTest(path.relative_to(ROOT)):
                self.play(path.relative_to(ROOT))


def enter_namespaces():
    """Begins anew, where mounts and addresses are this test's alone."""
    unshare = ["unshare", "--mount", "--net"]
    if subprocess.run([*unshare, "true"], check=False).returncode != 0:
        print("SKIP: root may make no namespaces here")
        sys.exit(run.SKIPPED)
    os.execvpe(unshare[0], [*unshare, sys.executable, *sys.argv], {**os.environ, OWN_NAMESPACE: "yes"})


if __name__ == "__main__":
    if os.geteuid() == 0 and OWN_NAMESPACE not in os.environ:
        enter_namespaces()
    run.main()
