"""The page on a kernel that writes bytes twice and breaks the promise of RWF_NOWAIT: the daemon runs in a guest, the browser
outside. What is tried stands in affected.test.mjs."""

import json
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from browser import drive, require_browser
from harness import run
from harness.daemon import free_port
from harness.waiting import wait_until

sys.path.insert(0, str(Path(__file__).parents[1] / "kernel"))
import guest  # noqa: E402  needs the path above
import jobs  # noqa: E402
import kernels  # noqa: E402

KERNEL = "6.1.170"
FOUND = {"append": "corrupt", "nowait-contract": "violation"}  # the verdict of each
PORT = 9743
DAEMON = f"""printf '[server]\\nlisten = "0.0.0.0:{PORT}"\\nanonymous_read = true\\n' >/writecanary.toml
exec writecanaryd --config /writecanary.toml --state-dir /var/lib/writecanary --target data=/mnt/test"""
SECONDS = 480  # from power-on; a minute on a machine that has nothing else to do


def verdicts(port):
    """(profile, verdict) of finished runs; none while the guest does not answer yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/runs?state=finished", timeout=5) as answer:
            return {(found["profile"], found["verdict"]) for found in json.load(answer)["items"]}
    except (OSError, urllib.error.URLError):
        return set()


class Affected(unittest.TestCase):
    def test_its_findings(self):
        browser = require_browser()
        port = free_port()
        programs = [Path(run.program(name)) for name in ("writecanaryd", "writecanary-probe")]
        job = guest.Job(kernel=KERNEL, command=DAEMON, programs=programs, forward={port: PORT}, timeout_seconds=SECONDS + 240)
        try:
            kernels.obtain(KERNEL)
            running = guest.Guest(job)
        except kernels.Unavailable as reason:
            self.skipTest(str(reason))
        with running:
            wait_until(lambda: set(FOUND.items()) <= verdicts(port), SECONDS, f"runs with {FOUND} on {KERNEL}")
            drive(browser, "affected", port, kernel=KERNEL)


if __name__ == "__main__":
    run.main()
