"""Runs a SUBJECT.test.mjs of this folder in Chromium, on a daemon that is there."""

import os
import shutil
import subprocess
import unittest
from pathlib import Path

HERE = Path(__file__).parent
WEB = HERE.parents[1] / "web"
NAMES = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 240


def require_browser():
    """The browser's path. Skips the test when there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise unittest.SkipTest("chromium is not installed")
    return found


def drive(browser, subject, port, **settings):
    """Raises AssertionError with what node said when a test of the subject fails. Settings become WRITECANARY_NAME."""
    environment = {
        **os.environ,
        "WRITECANARY_URL": f"http://127.0.0.1:{port}",
        "WRITECANARY_BROWSER": browser,
        "WRITECANARY_WEB": str(WEB),
        **{f"WRITECANARY_{name.upper()}": value for name, value in settings.items()},
    }
    if "ca" in settings:  # who has signed the daemon's certificate, or its proxy's
        environment["NODE_EXTRA_CA_CERTS"] = settings["ca"]
    command = ["node", "--test", str(HERE / f"{subject}.test.mjs")]
    tried = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert tried.returncode == 0, f"\n{tried.stdout}\n{tried.stderr}"
