"""A wall clock that a test sets for a daemon, by libfaketime. The clocks that nobody sets go on as they are, and so do
timers (tests/support/plain_timers.c)."""

import glob
import os
import unittest

LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"


class WallClock:
    """`environment` is for the daemon that is to have it. Skips the test where there is no libfaketime."""

    def __init__(self, directory):
        libraries = glob.glob(LIBRARIES)
        if not libraries:
            raise unittest.SkipTest("libfaketime is not installed (package faketime)")
        if "WRITECANARY_INSTRUMENTED" in os.environ:
            raise unittest.SkipTest("the sanitizer's library and libfaketime both want to be loaded first")
        timers = os.path.join(os.path.dirname(os.environ["WRITECANARY_DAMAGEFS"]), "libplain_timers.so")
        self._file = os.path.join(directory, "faketime")
        self.set("+0")
        self.environment = {
            "LD_PRELOAD": f"{timers}:{libraries[0]}",
            "FAKETIME_TIMESTAMP_FILE": self._file,
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset):
        """To the real time and so much: "+365d", "-1h", "+0"."""
        with open(self._file + ".new", "w", encoding="utf-8") as file:
            file.write(offset + "\n")
        os.rename(self._file + ".new", self._file)
