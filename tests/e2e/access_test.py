"""Who may do what with a daemon: tokens, TLS, client certificates, the unix socket; and what the audit says of it."""

import collections
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import unittest

from harness import run as script
from harness.certificates import Authority
from harness.daemon import running_daemon
from harness.mounts import temporary_directory
from harness.run import program


def token(name, role, secret):
    return {"name": name, "role": role, "sha256": hashlib.sha256(secret.encode()).hexdigest()}


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def nanoseconds_by_thread(pid):
    """On a CPU, of all threads of a name together."""
    used = collections.Counter()
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as comm, \
                open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as schedstat:
            used[comm.read().strip()] += int(schedstat.read().split()[0])
    return used


TOKENS = [token("grafana", "viewer", "look"), token("ops", "operator", "change")]


class AccessTest(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(temporary_directory())
        self.target = os.path.join(self.directory, "data")
        os.mkdir(self.target)
        self.targets = [("data", self.target, {"require_mount": False})]

    def cli(self, *arguments):
        return subprocess.run([program("writecanary"), *arguments], capture_output=True, text=True, timeout=30,
                              check=False)

    def secret(self, text):
        path = os.path.join(self.directory, f"token-{text}")
        with open(path, "w", encoding="ascii") as file:
            file.write(text + "\n")
        return path

    def test_each_refused_change_is_refused_and_audited(self):
        with running_daemon(self.directory, self.targets, tokens=TOKENS) as daemon:
            start = {"target": "data", "profile": "offset"}
            attempts = [({}, start, 401), (bearer("guess"), start, 401), (bearer("look"), start, 403),
                        ({**bearer("change"), "Host": "evil.example"}, start, 421),
                        ({**bearer("change"), "Origin": "https://evil.example"}, start, 403),
                        (bearer("change"), {**start, "target": "/etc"}, 422),
                        (bearer("change"), {**start, "path": "/etc"}, 422),
                        ({**bearer("change"), "Content-Type": "text/plain"}, start, 415)]
            ids = []
            for headers, body, expected in attempts:
                status, answer, text = daemon.request("POST", "/api/v1/runs", body, headers)
                self.assertEqual(status, expected, (headers, body, text))
                ids.append(answer["X-Request-Id"])
            daemon.headers = bearer("change")
            self.assertEqual(daemon.api("/runs")["items"], [], "nothing was started")
            rows = {row["request_id"]: row for row in daemon.api("/audit")["items"]}
            for request_id, (headers, body, _) in zip(ids, attempts):
                self.assertEqual(rows[request_id]["outcome"], "refused", (headers, body))
                self.assertEqual(rows[request_id]["address"], "127.0.0.1")
                self.assertTrue(rows[request_id]["detail"])
            self.assertEqual(rows[ids[2]]["who"], "grafana")
            run = daemon.run("data", "offset", duration_seconds=0.2)
            self.assertEqual(run["requested_by"], "ops")
            newest = daemon.api("/audit?limit=1")["items"][0]
            self.assertEqual((newest["who"], newest["outcome"], newest["path"]), ("ops", "done", "/api/v1/runs"))
            daemon.stop(signal.SIGKILL)
            daemon.start()
            self.assertEqual(daemon.api("/audit?limit=1")["items"][0], newest, "it outlives the daemon")

    def test_the_command_line_shows_its_token(self):
        with running_daemon(self.directory, self.targets, tokens=TOKENS) as daemon:
            url = f"http://127.0.0.1:{daemon.port}"
            self.assertEqual(self.cli("status", "--url", url).returncode, 1)
            self.assertIn("A token is needed", self.cli("status", "--url", url).stderr)
            self.assertEqual(self.cli("status", "--url", url, "--token-file", self.secret("look")).returncode, 0)
            refused = self.cli("run", "data", "--url", url, "--token-file", self.secret("look"))
            self.assertEqual(refused.returncode, 1)
            self.assertIn("needs the role operator", refused.stderr)

    def test_tokens_change_with_a_reload(self):
        with running_daemon(self.directory, self.targets, tokens=TOKENS) as daemon:
            daemon.tokens = [token("new", "operator", "fresh")]
            daemon.write_config(self.targets)
            self.assertTrue(daemon.reload())
            self.assertEqual(daemon.request("GET", "/api/v1/status", headers=bearer("change"))[0], 401)
            self.assertEqual(daemon.request("GET", "/api/v1/status", headers=bearer("fresh"))[0], 200)

    def test_tls_and_the_reload_of_its_certificate(self):
        authority = Authority(self.directory, "first")
        certificate, key = authority.issue("server", "127.0.0.1")
        with running_daemon(self.directory, self.targets, server={"tls_cert": certificate, "tls_key": key},
                            ca=authority.path) as daemon:
            url = f"https://127.0.0.1:{daemon.port}"
            self.assertEqual(self.cli("status", "--url", url, "--ca-file", authority.path).returncode, 0)
            distrusted = self.cli("status", "--url", url)
            self.assertEqual(distrusted.returncode, 5)
            self.assertIn("not trusted", distrusted.stderr)
            with self.assertRaises((OSError, http.client.HTTPException)):
                plain = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
                plain.request("GET", "/readyz")
                plain.getresponse()
            # A key that does not belong to the certificate: the old pair stays.
            shutil.copy(authority.issue("other")[1], key + ".new")
            os.rename(key, key + ".old")
            os.rename(key + ".new", key)
            self.assertFalse(daemon.reload())
            self.assertEqual(daemon.metric("writecanary_config_reload_successful"), 0)
            # Another authority takes over, in the daemon and then in its clients.
            second = Authority(self.directory, "second")
            for source, destination in zip(second.issue("server", "127.0.0.1"), (certificate, key)):
                shutil.copy(source, destination)
            self.assertTrue(daemon.reload())
            daemon.tls = daemon.tls_context(second.path)
            self.assertEqual(daemon.metric("writecanary_config_reload_successful"), 1)
            self.assertEqual(self.cli("status", "--url", url, "--ca-file", second.path).returncode, 0)
            self.assertEqual(self.cli("status", "--url", url, "--ca-file", authority.path).returncode, 5)

    def test_client_certificates(self):
        authority = Authority(self.directory, "clients")
        certificate, key = authority.issue("server", "127.0.0.1")
        files = {"tls_cert": certificate, "tls_key": key, "client_ca": authority.path}
        mine = authority.issue("laptop")
        with running_daemon(self.directory, self.targets, server=files, ca=authority.path, certificate=mine) as daemon:
            url = f"https://127.0.0.1:{daemon.port}"
            shown = ["--ca-file", authority.path, "--cert-file", mine[0], "--key-file", mine[1]]
            self.assertEqual(self.cli("status", "--url", url, *shown).returncode, 0)
            self.assertEqual(self.cli("status", "--url", url, "--ca-file", authority.path).returncode, 5)
            self.assertEqual(daemon.post("/targets/data/pause")[0], 200)
            self.assertEqual(daemon.api("/audit")["items"][0]["who"], "laptop")

    def test_the_unix_socket_knows_its_caller(self):
        path = os.path.join(self.directory, "api.sock")
        with running_daemon(self.directory, self.targets, server={"listen": f"unix:{path}"},
                            tokens=TOKENS) as daemon:
            self.assertEqual(self.cli("status", "--url", f"unix:{path}").returncode, 0)
            answer = self.cli("run", "data", "--profile", "offset", "--duration", "200ms", "--wait", "--json", "--url",
                              f"unix:{path}")
            self.assertEqual(json.loads(answer.stdout)["requested_by"], f"uid {os.geteuid()}")
            if os.geteuid() == 0:
                os.chmod(self.directory, 0o755)
                os.chmod(path, 0o666)
                stranger = subprocess.run(
                    ["setpriv", "--reuid=65534", "--clear-groups", "curl", "-s", "-o", "/dev/null", "-w",
                     "%{http_code}", "--unix-socket", path, "http://localhost/api/v1/status"],
                    capture_output=True, text=True, check=True, timeout=30)
                self.assertEqual(stranger.stdout, "401")
            self.assertIn(f"listening on unix:{path}", daemon.log())

    def test_handshakes_are_made_beside_the_thread_that_waits_for_all(self):
        authority = Authority(self.directory, "authority")
        certificate, key = authority.issue("server", "127.0.0.1", rsa=True)
        with running_daemon(self.directory, self.targets, server={"tls_cert": certificate, "tls_key": key},
                            ca=authority.path) as daemon:
            for _ in range(100):
                with socket.create_connection(("127.0.0.1", daemon.port), timeout=10) as plain, \
                        daemon.tls.wrap_socket(plain, server_hostname="127.0.0.1"):
                    pass
            used = nanoseconds_by_thread(daemon.process.pid)
            self.assertGreater(used["http-tls"], 3 * used["http-wait"], used)

    def test_a_file_that_is_no_socket_is_not_removed(self):
        path = os.path.join(self.directory, "precious")
        with open(path, "w", encoding="ascii") as file:
            file.write("kept")
        ended = subprocess.run([program("writecanaryd"), "--listen", f"unix:{path}", "--state-dir", self.directory,
                                "--target", f"data={self.target}", "--no-require-mount"],
                               capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("what is there is no socket", ended.stderr)
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read(), "kept")

    def test_an_open_door_is_warned_of(self):
        with running_daemon(self.directory, self.targets, server={"listen": "0.0.0.0:PORT"}) as daemon:
            self.assertIn("can be reached from other hosts and has no tokens: nobody there may read more", daemon.log())
        with running_daemon(self.directory, self.targets,
                            server={"listen": "0.0.0.0:PORT", "anonymous_read": True}) as daemon:
            self.assertIn("everyone may read (server.anonymous_read)", daemon.log())
        with running_daemon(self.directory, self.targets, server={"listen": "0.0.0.0:PORT"}, tokens=TOKENS) as daemon:
            self.assertIn("tokens cross the network in the clear", daemon.log())

    def test_odd_requests_get_the_right_refusal(self):
        with running_daemon(self.directory, self.targets) as daemon:
            for line, expected in [("BREW /api/v1/status HTTP/1.1", 400), ("PUT /api/v1/runs HTTP/1.1", 405),
                                   ("GET /api/v1/../../etc/passwd HTTP/1.1", 404),
                                   ("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1", 404),
                                   ("GET /api/v1/findings/..%2f..%2fetc/evidence HTTP/1.1", 404),
                                   ("GET /api/v1/runs?limit=x HTTP/1.1", 400), ("GET / HTTP/9.9", 400),
                                   ("GET /" + "a" * 9000 + " HTTP/1.1", 414), ("TRACE / HTTP/1.1", 400),
                                   ("CONNECT localhost:1 HTTP/1.1", 400)]:
                with socket.create_connection(("127.0.0.1", daemon.port), timeout=10) as raw:
                    raw.sendall(f"{line}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                    answer = raw.makefile("rb").read().decode()
                self.assertEqual(answer[:12], f"HTTP/1.1 {expected}", line[:60])
                self.assertIn("application/problem+json", answer, line[:60])
            self.assertEqual(daemon.get("/readyz")[0], 200)


if __name__ == "__main__":
    script.main()
