"""A VictoriaMetrics of one's own, which Prometheis write to, with a vmalert that evaluates rules in it; gone at the end."""

import contextlib
import os
import shutil
import subprocess
import unittest
import urllib.request

from harness.daemon import free_port
from harness.prometheus import Prometheus
from harness.waiting import wait_until

LATENCY = "1s"  # how long answers wait for samples that may still come; 30 s unless told


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def start(stack, directory, name, port, *arguments):
    """Runs the program until the stack is left; returns when it answers on the port."""
    if not shutil.which(name):
        raise unittest.SkipTest(f"{name} is not installed")
    log_path = os.path.join(directory, f"{name}.log")
    log = stack.enter_context(open(log_path, "wb"))
    server = subprocess.Popen([name, f"-httpListenAddr=127.0.0.1:{port}", *arguments], stdout=log, stderr=log)
    stack.callback(server.wait)
    stack.callback(server.terminate)
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/health") or server.poll() is not None, 60, f"{name} to answer")
    if server.poll() is not None:
        with open(log_path, encoding="utf-8", errors="replace") as text:
            raise AssertionError(f"{name} ended with {server.returncode}:\n{text.read()[-3000:]}")


@contextlib.contextmanager
def running_victoria_metrics(directory, rules, interval="2s"):
    """Answers as a Prometheus does; what is to be written goes to its url + /api/v1/write."""
    with contextlib.ExitStack() as stack:
        port = free_port()
        victoria = Prometheus(f"http://127.0.0.1:{port}")
        start(stack, directory, "victoria-metrics", port, f"-storageDataPath={directory}/victoria", "-retentionPeriod=1y",
              f"-search.latencyOffset={LATENCY}", "-memory.allowedBytes=256MB")
        start(stack, directory, "vmalert", free_port(), *(f"-rule={rule}" for rule in rules), f"-datasource.url={victoria.url}",
              f"-remoteWrite.url={victoria.url}", f"-remoteWrite.flushInterval={LATENCY}", f"-evaluationInterval={interval}")
        yield victoria
