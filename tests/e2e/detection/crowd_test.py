"""A crowd of clients that take their time keeps nobody out and costs little; when it leaves, all is as before."""

import os
import resource
import unittest

from harness import run
from harness.daemon import running_daemon
from harness.dawdlers import Dawdlers, memory_bytes
from harness.latency import Watch, ask
from harness.mounts import temporary_directory
from harness.waiting import wait_until

# A sanitizer's daemon is ten times slower and larger: of a burst of hundreds who come back it cannot tell who only asks,
# and its memory says nothing.
INSTRUMENTED = "WRITECANARY_INSTRUMENTED" in os.environ
CROWD = 300 if INSTRUMENTED else 1000
MEMORY_BYTES_MAX = 1 << 40 if INSTRUMENTED else 128 << 20


class CrowdTest(unittest.TestCase):
    def test_a_thousand_dawdlers(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        directory = self.enterContext(temporary_directory())
        target = self.enterContext(temporary_directory())
        with running_daemon(directory, [("data", target, {"require_mount": False})], server={"reads_per_second": 0}) as daemon:
            with Dawdlers(daemon.port, CROWD), Watch(daemon.port, "/metrics") as watch:
                wait_until(lambda: len(watch.seconds) >= 200, 120, "answers")
                ask(daemon.port, "/api/v1/status")
                ask(daemon.port, "/healthz")
                self.assertEqual(watch.errors, [])
                # tests/bench/crowd measures it; on a busy machine it only must not hang.
                self.assertLess(watch.p99(), 2)
                self.assertLess(memory_bytes(daemon.process.pid), MEMORY_BYTES_MAX)
            wait_until(lambda: daemon.metric("process_open_fds") < 100, 10, "the crowd's descriptors to be closed")
            self.assertEqual(daemon.run("data", "append-sync", writes=5)["writes"], 5)


if __name__ == "__main__":
    run.main()
