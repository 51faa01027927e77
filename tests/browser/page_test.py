"""The page in a real browser, on a real daemon: an XFS on which appends are torn, one that is frozen under a run, and the
filesystem that damages on purpose.

This file makes that world, once; what is tried in the browser stands in the *.test.mjs beside it, one subject each."""

import hashlib
import http.server
import shutil
import threading
import unittest

from browser import drive, require_browser
from harness import kernel, run
from harness.certificates import Authority
from harness.daemon import free_port, running_daemon
from harness.mounts import damage_mount, frozen, loop_mount, temporary_directory
from harness.nginx import NGINX, PLACE, running_nginx
from harness.processes import states_of
from harness.waiting import wait_until

DAMAGE = ("duplicate", "drop", "flip", "zero", "reorder", "stale", "foreign", "truncate", "extend")
SECRETS = {"viewer": "wc-may-look", "operator": "wc-may-change"}
TOKENS = [{"name": name, "role": role, "sha256": hashlib.sha256(SECRETS[role].encode()).hexdigest()}
          for name, role in (("grafana", "viewer"), ("ops", "operator"))]


class Control:
    """What a test in the browser can ask for: POST /stop and /start of the daemon."""

    def __init__(self, daemon):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                {"/stop": daemon.stop, "/start": daemon.start}[self.path]()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run.require_root("the daemon")
        kernel.require_memory_cgroup()
        cls.browser = require_browser()
        cls.directory = cls.enterClassContext(temporary_directory())
        cls.xfs = cls.enterClassContext(loop_mount(cls.directory, "xfs"))
        cls.mount = cls.enterClassContext(damage_mount(cls.directory))
        cls.ice = cls.enterClassContext(loop_mount(cls.directory, "xfs", "ice"))
        targets = [("data", cls.xfs, {}), ("ice", cls.ice, {}), ("sick", cls.mount.mount_point, {})]
        cls.daemon = cls.enterClassContext(running_daemon(cls.directory, targets))
        cls.make_history()
        cls.control = Control(cls.daemon)

    @classmethod
    def make_history(cls):
        cls.daemon.run("data", "append", writes=60)
        cls.daemon.run("data", "append-interposed", writes=60)
        for kind in DAMAGE:
            cls.mount.set_rule(kind=kind, file="file-", at=14, offset=8200, length=5000, bit=5)
            cls.daemon.run("sick", "append-sync", writes=40)
        cls.mount.set_rule(kind="none")
        [foreign] = cls.daemon.api("/findings?kind=foreign")["items"]
        shutil.rmtree(f"{cls.directory}/state/evidence/{foreign['run_id']}")
        cls.daemon.run("sick", "append", writes=40)
        cls.hang()

    @classmethod
    def hang(cls):
        stuck = cls.daemon.start_run("ice", "append-sync", duration_seconds=120)
        wait_until(lambda: cls.daemon.api(f"/runs/{stuck}")["writes"] > 0, 20, "the first write")
        with frozen(cls.ice):
            wait_until(lambda: "D" in states_of(cls.ice), 20, "the probe to hang in the kernel")
            cls.daemon.post(f"/runs/{stuck}/stop")
            cls.daemon.wait_for_state(stuck, "finished")
        wait_until(lambda: cls.daemon.api("/targets/ice")["state"] != "stuck", 30, "the probe to end")

    def in_browser(self, subject):
        drive(self.browser, subject, self.daemon.port, control=self.control.url)

    def test_every_page_in_both_themes_and_widths(self):
        self.in_browser("pages")

    def test_numbers_are_those_of_the_api(self):
        self.in_browser("numbers")

    def test_findings(self):
        self.in_browser("findings")

    def test_what_is_known_is_quiet(self):
        self.in_browser("incidents")

    def test_start_follow_stop_pause(self):
        self.in_browser("runs")

    def test_connection_lost_and_found(self):
        self.in_browser("connection")

    def test_keyboard_alone(self):
        self.in_browser("keyboard")

    def test_token(self):
        with temporary_directory() as directory:
            targets = [("data", self.xfs, {})]
            with running_daemon(directory, targets, tokens=TOKENS) as daemon:
                daemon.headers = {"Authorization": f"Bearer {SECRETS['viewer']}"}
                drive(self.browser, "token", daemon.port, **SECRETS)

    def test_behind_a_proxy_below_a_path(self):
        if not NGINX:
            self.skipTest("nginx is not installed (scripts/setup)")
        with temporary_directory() as directory:
            authority = Authority(directory, "authority")
            certificate = authority.issue("proxy", "127.0.0.1")
            port = free_port()
            url = f"https://127.0.0.1:{port}{PLACE}"
            server = {"public_url": url, "trusted_proxies": ["127.0.0.1"]}
            with running_daemon(directory, [("data", self.xfs, {})], server=server, tokens=TOKENS) as daemon, \
                    running_nginx(directory, port, daemon.port, certificate):
                drive(self.browser, "token", daemon.port, url=url, ca=authority.path, **SECRETS)

    def test_size_and_memory(self):
        self.in_browser("weight")


if __name__ == "__main__":
    run.main()
