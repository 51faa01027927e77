"""What a hostile client does to a daemon: requests made to cost much, and texts made to say what is not so."""

import os
import re
import socket
import threading
import unittest

from harness import run
from harness.daemon import running_daemon
from harness.latency import ask
from harness.mounts import temporary_directory

# A line of the log as it always begins.
LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning|error|debug|critical|trace) \S")
INSTRUMENTED = "WRITECANARY_INSTRUMENTED" in os.environ


def form(n):
    """A part header that makes a backtracking matcher go back and forth."""
    header = 'Content-Disposition: form-data; name="' + '";filename="' * n + '";filename*=' * (2 * n) + " x"
    return f"--b\r\n{header}\r\n\r\nx\r\n--b--\r\n"


def request(method, path, headers, body=""):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")


def answer_to(port, text):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class HostileTest(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(temporary_directory())
        self.target = self.enterContext(temporary_directory())
        self.targets = [("data", self.target, {"require_mount": False})]

    def test_as_many_costly_requests_as_there_are_workers(self):
        costly = [request("POST", "/api/v1/runs", ["Content-Type: multipart/form-data; boundary=b"], form(n))
                  for n in [120] * 48 + [240] * 4]
        costly += [request("GET", "/api/v1/status", ["Range: bytes=" + "0-0," * 7000 + "0-"])] * 4
        costly += [request("GET", "/api/v1/runs?" + "%61%62=%63&" * 700, [])] * 4
        costly += [request("POST", "/api/v1/runs", ["Content-Type: application/json"],
                           '{"target":[' + "{}," * 21000 + "{}]}")] * 4
        with running_daemon(self.directory, self.targets) as daemon:
            before = cpu_seconds(daemon.process.pid)
            answers = []
            threads = [threading.Thread(target=lambda text=text: answers.append(answer_to(daemon.port, text)))
                       for text in costly]
            for thread in threads:
                thread.start()
            ask(daemon.port, "/api/v1/status", timeout=30)
            for thread in threads:
                thread.join()
            used = cpu_seconds(daemon.process.pid) - before
            self.assertEqual(len(answers), len(costly))
            self.assertLessEqual({answer[:12] for answer in answers},
                                 {b"HTTP/1.1 200", b"HTTP/1.1 400", b"HTTP/1.1 415", b"HTTP/1.1 422", b"HTTP/1.1 429"})
            self.assertLess(used, 20 if INSTRUMENTED else 2, "one form alone used to take more")

    def test_nobody_writes_lines_of_the_log(self):
        texts = [request("POST", "/api/v1/runs", ["Content-Type: application/json"],
                         '{"target": "a\\nforged \\u001b[2J", "profile": "append"}'),
                 request("POST", "/api/v1/targets/a%0aforged%1b[2J/pause", ["Content-Type: application/json"], "{}"),
                 b"POST /api/v1/targets/data/pause HTTP/1.1\r\nHost: x%0d%0aforged\r\nConnection: close\r\n\r\n",
                 b"POST /api/v1/targets/data/pause HTTP/1.1\r\nHost: x\xc2\x9b2Jforged\r\nConnection: close\r\n\r\n",
                 b"POST /api/v1/targets/data/pause HTTP/1.1\r\nHost: x\x1b[2Jforged\r\nConnection: close\r\n\r\n"]
        with running_daemon(self.directory, self.targets) as daemon:
            for text in texts:
                self.assertRegex(answer_to(daemon.port, text)[:12], rb"^HTTP/1\.1 4")
            daemon.stop()
            with open(daemon.log_path, "rb") as file:
                log = file.read()
        self.assertIn(b"forged", log, "the refusals are logged")
        for line in log.decode().splitlines():
            self.assertRegex(line, LOG_LINE)
        self.assertEqual(re.findall(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", log), [])


if __name__ == "__main__":
    run.main()
