"""A writecanaryd under test: its configuration, its life, its API and its metrics."""

import contextlib
import datetime
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess

from harness.contract import Contract
from harness.run import program
from harness.waiting import wait_until

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
RELOAD_OUTCOMES = ("configuration reloaded", "the running configuration is kept")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def toml(value):
    """A path may be bytes; a configuration has what is no text in them as \\xNN."""
    if isinstance(value, bytes):
        odd = r"\\(?=x[0-9a-fA-F]{2})|[\x00-\x1f\x7f\udc80-\udcff]"
        value = re.sub(odd, lambda found: f"\\x{os.fsencode(found[0])[0]:02x}", os.fsdecode(value))
    return json.dumps(value)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def closed_window():
    """A window that does not open while a test runs, for daemons that are only to do what they are told."""
    day = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)).strftime("%a")
    return f"{day} 12:00-12:01 UTC"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Daemon:
    """Settings are written as TOML values, `targets` is a list of (name, path, {key: value}).

    `server` and `storage` hold what those tables say beside the usual, with PORT for the port; `tokens` is a list of
    {key: value}. `ca` is the authority of a daemon that speaks TLS, `certificate` the (certificate, key) shown to it.
    `headers` are sent with every request. `environment` is added to that of the daemon."""

    def __init__(self, directory, targets, server=None, storage=None, tokens=(), ca=None, certificate=None, environment=None,
                 **defaults):
        self.directory = directory
        self.port = free_port()
        self.server = {"listen": "127.0.0.1:PORT", **(server or {})}
        self.storage = storage or {}
        self.tokens = tokens
        self.headers = {}
        self.environment = environment or {}
        self._contract = None
        self.tls = self.tls_context(ca, certificate)
        self.config_path = os.path.join(directory, "writecanary.toml")
        self.log_path = os.path.join(directory, "daemon.log")
        self.process = None
        self.write_config(targets, **defaults)

    def write_config(self, targets, **defaults):
        lines = []

        def table(header, values):
            lines.append(header)
            lines.extend(f"{key} = {toml(value)}" for key, value in values.items())

        table("[server]", {**self.server, "listen": self.server["listen"].replace("PORT", str(self.port))})
        table("[storage]", {"path": f"{self.directory}/state/results.db", **self.storage})
        table("[defaults]", defaults)
        for name, path, settings in targets:
            table("[[target]]", {"name": name, "path": path, **settings})
        for token in self.tokens:
            table("[[token]]", token)
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def start(self, **process):
        os.makedirs(os.path.join(self.directory, "state"), exist_ok=True)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([program("writecanaryd"), "--config", self.config_path], stderr=log,
                                            env={**os.environ, **self.environment}, **process)
        wait_until(self.is_ready, 20, f"readiness; the daemon's log:\n{self.log()}")
        return self

    def is_ready(self):
        assert self.process.poll() is None, f"the daemon ended with {self.process.returncode}:\n{self.log()}"
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def stop(self, signal_number=signal.SIGTERM, seconds=10):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal_number)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"the daemon did not end within {seconds} s:\n{self.log()}") from None
        return self.process.returncode

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def request(self, method, path, body=None, headers=None):
        """(status, headers, text)"""
        connection = self.connection()
        try:
            payload = None if body is None else json.dumps(body)
            content = {"Content-Type": "application/json"} if method == "POST" else {}
            headers = {**content, **self.headers, **(headers or {})}
            connection.request(method, path, payload if method != "POST" else payload or "{}", headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        self.compare(method, path, response, text)
        return response.status, response.headers, text

    def compare(self, method, path, response, text):
        """Every answer to every test is held against the daemon's own description of it."""
        if self._contract is None:
            connection = self.connection()
            try:
                connection.request("GET", "/api/v1/openapi.json")
                self._contract = Contract(json.loads(connection.getresponse().read()))
            finally:
                connection.close()
        self._contract.check(method, path, response.status, response.headers, text)

    def connection(self):
        if self.server["listen"].startswith("unix:"):
            return UnixConnection(self.server["listen"].removeprefix("unix:"))
        address = self.server["listen"].rpartition(":")[0]
        if self.tls:
            return http.client.HTTPSConnection(address, self.port, timeout=10, context=self.tls)
        return http.client.HTTPConnection(address, self.port, timeout=10)

    @staticmethod
    def tls_context(ca, certificate=None):
        if not ca:
            return None
        context = ssl.create_default_context(cafile=ca)
        if certificate:
            context.load_cert_chain(*certificate)
        return context

    def reload(self):
        """Sends SIGHUP and waits until the log says what came of it; True when the configuration was taken over."""
        before = len(self.log())
        self.process.send_signal(signal.SIGHUP)

        def outcome():
            since = self.log()[before:]
            return next((text for text in RELOAD_OUTCOMES if text in since), None)

        return wait_until(outcome, 10, "the reload") == RELOAD_OUTCOMES[0]

    def get(self, path):
        status, _, text = self.request("GET", path)
        return status, text

    def api(self, path):
        """The document at /api/v1PATH, which must be there."""
        status, text = self.get("/api/v1" + path)
        assert status == 200, f"GET {path}: {status} {text}"
        return json.loads(text)

    def post(self, path, body=None):
        """(status, headers, document)"""
        status, headers, text = self.request("POST", "/api/v1" + path, body)
        return status, headers, json.loads(text)

    def start_run(self, target, profile, **fields):
        status, headers, run = self.post("/runs", {"target": target, "profile": profile, **fields})
        assert status == 202, f"POST /runs: {status} {run}"
        assert headers["Location"] == f"/api/v1/runs/{run['id']}"
        return run["id"]

    def wait_for_state(self, run_id, state, seconds=60):
        def reached():
            run = self.api(f"/runs/{run_id}")
            return run if run["state"] == state else None

        return wait_until(reached, seconds, f"run {run_id} to be {state}")

    def run(self, target, profile, **fields):
        """Starts a run and waits for its end; the run's document."""
        return self.wait_for_state(self.start_run(target, profile, **fields), "finished")

    def metrics(self):
        """{(name, ((label, value), ...)): number}, labels sorted."""
        status, text = self.get("/metrics")
        assert status == 200, text
        samples = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                samples[name, tuple(sorted(LABEL.findall(labels or "")))] = float(value)
        return samples

    def metric(self, name, **labels):
        return self.metrics()[name, tuple(sorted(labels.items()))]

    def open_incidents(self, **labels):
        """How many incidents with these labels are open on the running kernel."""
        wanted = set(labels.items())
        return sum(value for (name, found), value in self.metrics().items()
                   if name == "writecanary_open_incidents" and wanted <= set(found))

    def wait_for_open_incidents(self, number, **labels):
        wait_until(lambda: self.open_incidents(**labels) == number, 5, f"{number} open incidents with {labels}")

    def wait_for_metric(self, value, name, **labels):
        """Metrics follow the commit that the API shows, a moment later."""
        wait_until(lambda: self.metric(name, **labels) == value, 5, f"{name}{labels} to be {value}")


@contextlib.contextmanager
def running_daemon(directory, targets, **defaults):
    """A started daemon that is stopped in the end. Without `window` it starts no run by itself. Arguments are those of
    Daemon."""
    defaults.setdefault("window", closed_window())
    daemon = Daemon(directory, targets, **defaults)
    try:
        yield daemon.start()
    finally:
        daemon.stop()
