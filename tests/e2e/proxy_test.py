"""Behind a real nginx that speaks TLS and shows the daemon below a path, with the lines of docs/proxy.md."""

import contextlib
import hashlib
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import unittest

from harness import run
from harness.certificates import Authority
from harness.daemon import free_port, running_daemon
from harness.mounts import temporary_directory
from harness.nginx import NGINX, PLACE, running_nginx

NAME = "canary.example"
TOKEN = {"name": "ops", "role": "operator", "sha256": hashlib.sha256(b"change").hexdigest()}
BEARER = {"Authorization": "Bearer change"}
# Whom nginx sees; another address than nginx's own.
CLIENT = "127.0.0.2"
# As short as a configuration can be: nginx then speaks HTTP/1.0 and passes its own name for the daemon on.
SHORTEST = """
location /short/ {
  proxy_pass http://127.0.0.1:9743/;
  proxy_set_header X-Forwarded-For $remote_addr;
}
"""


class ThroughNginx(http.client.HTTPSConnection):
    """Connects to this machine, whatever the name."""

    def __init__(self, port, context):
        super().__init__(NAME, port, timeout=30, context=context)
        self._tls = context

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout, (CLIENT, 0))
        self.sock = self._tls.wrap_socket(plain, server_hostname=NAME)


@unittest.skipUnless(NGINX, "nginx is not installed (scripts/setup)")
class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(temporary_directory())
        self.target = self.enterContext(temporary_directory())
        authority = Authority(self.directory, "authority")
        self.certificate = authority.issue("proxy", names=(NAME, "localhost"))
        self.tls = ssl.create_default_context(cafile=authority.path)
        self.port = free_port()

    @contextlib.contextmanager
    def daemon(self, **server):
        server = {"public_url": f"https://{NAME}:{self.port}{PLACE}", "trusted_proxies": ["127.0.0.1"], **server}
        targets = [("data", self.target, {"require_mount": False})]
        with running_daemon(self.directory, targets, server=server, tokens=[TOKEN]) as daemon, \
                running_nginx(self.directory, self.port, daemon.port, self.certificate, SHORTEST):
            yield daemon

    def ask(self, method, path, body=None, headers=None):
        """(status, headers, text)"""
        connection = ThroughNginx(self.port, self.tls)
        try:
            content = {"Content-Type": "application/json"} if method == "POST" else {}
            connection.request(method, path, json.dumps(body or {}) if method == "POST" else None,
                               {**content, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def command(self, place, *arguments):
        token = os.path.join(self.directory, "token")
        with open(token, "w", encoding="utf-8") as file:
            file.write("change\n")
        return subprocess.run([run.program("writecanary"), *arguments, "--url", f"https://localhost:{self.port}{place}",
                               "--token-file", token, "--ca-file", os.path.join(self.directory, "authority/ca.pem")],
                              capture_output=True, text=True, check=False, timeout=120)

    def test_the_command_line_works_below_the_path(self):
        with self.daemon():
            for place in (PLACE, PLACE + "/"):
                told = self.command(place, "status", "--json")
                self.assertEqual(told.returncode, 0, told.stderr)
                self.assertIn("data", told.stdout)
            made = self.command(PLACE, "run", "data", "--profile", "append-sync", "--wait", "--json")  # follows events
            self.assertIn(made.returncode, (0, 3), made.stdout + made.stderr)
            self.assertIn("append-sync", made.stdout)
            self.assertNotEqual(self.command("/elsewhere", "status").returncode, 0)

    def test_the_page_and_its_files(self):
        with self.daemon():
            for path, to_top in [("/db-7/", "./"), ("/db-7/runs", "./"), ("/db-7/runs/1", "../"), ("/short/", "./"),
                                 ("/short/targets/data", "../")]:
                status, headers, page = self.ask("GET", path)
                self.assertEqual((status, headers.get_content_type()), (200, "text/html"), path)
                addresses = re.findall(r'(?:href|src)="([^"]*)"', page)
                self.assertGreater(len(addresses), 3)
                for address in addresses:
                    self.assertTrue(address.startswith(to_top), (path, address))
            for name in ("app.js", "app.css", "favicon.svg"):
                self.assertEqual(self.ask("GET", f"/db-7/{name}")[0], 200)

    def test_a_run_by_a_page_of_the_public_address(self):
        start = {"target": "data", "profile": "offset", "duration_seconds": 0.2}
        origin = {"Origin": f"https://{NAME}:{self.port}"}
        with self.daemon() as daemon:
            self.assertEqual(self.ask("POST", "/db-7/api/v1/runs", start, origin)[0], 401, "it comes from loopback")
            self.assertEqual(self.ask("POST", "/short/api/v1/runs", start)[0], 401)
            foreign = {**BEARER, "Origin": "https://evil.example"}
            self.assertEqual(self.ask("POST", "/db-7/api/v1/runs", start, foreign)[0], 403)
            status, headers, text = self.ask("POST", "/db-7/api/v1/runs", start, {**BEARER, **origin})
            self.assertEqual(status, 202, text)
            self.assertEqual(headers["Location"], f"/db-7/api/v1/runs/{json.loads(text)['id']}")
            self.assertEqual(self.ask("GET", headers["Location"], headers=BEARER)[0], 200)
            forged = {**BEARER, "X-Forwarded-For": "203.0.113.7"}
            self.assertEqual(self.ask("POST", "/db-7/api/v1/targets/data/pause", {}, forged)[0], 200)
            daemon.headers = BEARER
            for row in daemon.api("/audit")["items"]:
                self.assertEqual(row["address"], CLIENT, row)

    def test_reading_wants_a_token_unless_that_is_said(self):
        with self.daemon():
            self.assertEqual(self.ask("GET", "/db-7/api/v1/status")[0], 401)
            self.assertEqual(self.ask("GET", "/db-7/api/v1/status", headers={"Host": "evil.example"})[0], 421)
            self.assertEqual(self.ask("GET", "/db-7/api/v1/status", headers=BEARER)[0], 200)
        with self.daemon(anonymous_read=True):
            self.assertEqual(self.ask("GET", "/db-7/api/v1/status")[0], 200)
            self.assertEqual(self.ask("GET", "/db-7/api/v1/audit")[0], 403)

    def test_ten_events_of_ten_arrive_as_they_happen(self):
        with self.daemon():
            for place in ("/db-7", "/short"):
                stream = ThroughNginx(self.port, self.tls)
                self.addCleanup(stream.close)
                stream.request("GET", f"{place}/api/v1/events", headers=BEARER)
                answer = stream.getresponse()
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.readline(), b"retry: 2000\n")
                for number in range(10):
                    change, event = (("pause", "target.paused"), ("resume", "target.resumed"))[number % 2]
                    status, _, text = self.ask("POST", f"{place}/api/v1/targets/data/{change}", {}, BEARER)
                    self.assertEqual(status, 200, text)
                    # Reads no further than this event: one that is held back is a time-out.
                    line = answer.readline()
                    while not line.startswith(b"event: target."):
                        self.assertTrue(line, "the stream ended")
                        line = answer.readline()
                    self.assertEqual(line.decode().strip(), f"event: {event}", f"event {number} of {place}")
                stream.close()


if __name__ == "__main__":
    run.main()
