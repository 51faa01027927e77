"""Entry point of a test script: runs its unittest cases, cleans up when interrupted, and tells ctest about skips."""

import os
import signal
import sys
import unittest

SKIPPED = 77  # SKIP_RETURN_CODE in CMakeLists.txt


def program(name):
    """Path of a built program. WRITECANARY_BIN names the directory; ctest sets it."""
    path = os.path.join(os.environ["WRITECANARY_BIN"], name)
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path} is not there: build it first, or set WRITECANARY_BIN")
    return path


def require_root(what):
    if os.geteuid() != 0:
        raise unittest.SkipTest(f"{what} needs root")


def main():
    """Exits 0 when all passed, 77 when every case was skipped, 1 else. Each skip is printed as `SKIP: reason`."""
    # Cleanups run on exceptions, not on signals: turn the one into the other.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    outcome = unittest.TextTestRunner(verbosity=2).run(suite)
    for case, reason in outcome.skipped:
        print(f"SKIP: {case}: {reason}")
    if not outcome.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if outcome.skipped and len(outcome.skipped) >= outcome.testsRun else 0)
