"""What exporters and monitoring daemons were reported for, tried here: the list with its sources is in docs/reliability.md."""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
import time
import unittest

from harness import run
from harness.daemon import closed_window, running_daemon
from harness.mounts import loop_mount, temporary_directory, tmpfs_mount, unmount
from harness.waiting import wait_until

CHANGE = (b"POST /api/v1/targets/none/pause HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
          b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
TARGET_PROFILE = ["append-sync"]


class Elsewhere(unittest.TestCase):
    def setUp(self):
        run.require_root("a mount")
        self.directory = self.enterContext(temporary_directory())
        self.path = self.enterContext(loop_mount(self.directory, "xfs"))

    def daemon(self, name="one", **more):
        directory = os.path.join(self.directory, name)
        os.makedirs(directory, exist_ok=True)
        return running_daemon(directory, [("data", self.path, {})], profiles=TARGET_PROFILE, writes=5, **more)


class Output(Elsewhere):
    """Where the log goes to may go away, or may take no more."""

    def start_with(self, stderr, state):
        os.makedirs(os.path.join(state, "state"))
        config = os.path.join(state, "writecanary.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'[server]\nlisten = "unix:{state}/socket"\n[storage]\npath = "{state}/state/results.db"\n')
        return subprocess.Popen([run.program("writecanaryd"), "--config", config], stderr=stderr)

    def ask(self, state, request=b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(f"{state}/socket")
            connection.sendall(request)
            return connection.recv(65536)

    def refused(self, state):
        """A request that is told in the log."""
        return self.ask(state, b"POST /api/v1/runs HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def test_a_reader_that_is_gone(self):
        state = os.path.join(self.directory, "gone")
        reading, writing = os.pipe()
        daemon = self.start_with(writing, state)
        os.close(writing)
        try:
            wait_until(lambda: os.path.exists(f"{state}/socket"), 20, "the daemon to listen")
            os.close(reading)
            for _ in range(20):
                self.refused(state)
            daemon.send_signal(signal.SIGHUP)
            self.assertIn(b"200 OK", self.ask(state))
        finally:
            daemon.terminate()
            self.assertEqual(daemon.wait(10), 0)

    def test_a_reader_that_does_not_read(self):
        state = os.path.join(self.directory, "full")
        reading, writing = os.pipe()
        daemon = self.start_with(writing, state)
        try:
            wait_until(lambda: os.path.exists(f"{state}/socket"), 20, "the daemon to listen")
            # Full to the last byte, by a descriptor of its own that does not wait.
            filling = os.open(f"/proc/self/fd/{writing}", os.O_WRONLY | os.O_NONBLOCK)
            for size in (4096, 1):
                with self.assertRaises(BlockingIOError):
                    while True:
                        os.write(filling, b"." * size)
            daemon.send_signal(signal.SIGHUP)  # the loop says what came of it
            for _ in range(5):
                self.assertNotEqual(self.refused(state), b"")
                self.assertIn(b" 404 ", self.ask(state, CHANGE), "an answer of the loop")
                self.assertIn(b"200 OK", self.ask(state))
            os.set_blocking(reading, False)
            said = b""

            def is_told():  # from here on it is read
                nonlocal said
                with contextlib.suppress(BlockingIOError):
                    while True:
                        said += os.read(reading, 65536)
                daemon.send_signal(signal.SIGHUP)
                return b"lines of the log are lost" in said

            wait_until(is_told, 20, "what was lost to be told")
        finally:
            daemon.terminate()
            try:
                self.assertEqual(daemon.wait(10), 0)
            finally:
                daemon.kill()
                os.close(reading)
                os.close(writing)


class Signals(Elsewhere):
    def test_a_reload_while_it_reads_its_configuration(self):
        config = os.path.join(self.directory, "slow.toml")
        os.mkfifo(config)
        os.makedirs(os.path.join(self.directory, "state"))
        daemon = subprocess.Popen([run.program("writecanaryd"), "--config", config], stderr=subprocess.PIPE, text=True)
        text = (f'[server]\nlisten = "unix:{self.directory}/socket"\n'
                f'[storage]\npath = "{self.directory}/state/results.db"\n')
        with open(f"{config}.new", "w", encoding="utf-8") as file:
            file.write(text)
        with open(config, "w", encoding="utf-8") as file:  # returns when the daemon has opened it
            daemon.send_signal(signal.SIGHUP)
            os.replace(f"{config}.new", config)  # what the reload reads
            file.write(text)
        wait_until(lambda: os.path.exists(f"{self.directory}/socket") or daemon.poll() is not None, 20, "it to listen")
        daemon.terminate()
        errors = daemon.communicate(timeout=20)[1]
        self.assertEqual(daemon.returncode, 0, errors)
        self.assertIn("configuration reloaded", errors)


class Descriptors(Elsewhere):
    def test_none_are_left(self):
        with self.daemon(window=closed_window()) as daemon:
            used = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
            soft, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (used + 4, hard))
            with contextlib.ExitStack() as held:
                for _ in range(60):
                    held.enter_context(socket.create_connection(("127.0.0.1", daemon.port), timeout=5))
                before, lines = cpu_seconds(daemon.process.pid), len(daemon.log().splitlines())
                time.sleep(3)
                self.assertLess(cpu_seconds(daemon.process.pid) - before, 0.5, "it must not turn round and round")
                self.assertLess(len(daemon.log().splitlines()) - lines, 20, daemon.log()[-2000:])
            wait_until(daemon.is_ready, 10, "it to answer again")
            # A run and who asks for it need more than the four that are left: one of them would go without.
            resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
            daemon.run("data", "append-sync", writes=5)

    def test_scrapes_that_are_given_up_leave_nothing(self):
        with self.daemon(window=closed_window()) as daemon:
            descriptors = f"/proc/{daemon.process.pid}/fd"
            daemon.get("/metrics")
            used = len(os.listdir(descriptors))
            for _ in range(300):
                with socket.create_connection(("127.0.0.1", daemon.port), timeout=5) as connection:
                    connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wait_until(lambda: len(os.listdir(descriptors)) <= used + 2, 15, "their descriptors to be given back")


class Beginnings(Elsewhere):
    def test_a_second_one_on_the_same_database(self):
        with self.daemon(window=closed_window()) as daemon:
            ran = subprocess.run([run.program("writecanaryd"), "--config", daemon.config_path, "--listen", "127.0.0.1:0"],
                                 capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(ran.returncode, 1, ran.stderr)
            self.assertIn("results.db", ran.stderr)
            self.assertTrue(daemon.is_ready())

    def test_one_that_was_killed_leaves_no_lock_behind(self):
        with self.daemon(window=closed_window()) as daemon:
            for _ in range(3):
                daemon.process.kill()
                daemon.process.wait()
                daemon.start()
                daemon.run("data", "append-sync", writes=5)

    def test_a_full_disk(self):
        with tmpfs_mount(self.directory, size="4M") as small:
            with running_daemon(small, [("data", self.path, {})], profiles=TARGET_PROFILE, writes=5, window=closed_window()) as daemon:
                daemon.run("data", "append-sync", writes=5)
                daemon.stop()
                fill = os.path.join(small, "fill")
                with contextlib.suppress(OSError), open(fill, "wb") as file:
                    while True:
                        file.write(bytes(4096))
                log = len(daemon.log())
                daemon.process = subprocess.Popen([run.program("writecanaryd"), "--config", daemon.config_path],
                                                  stderr=subprocess.PIPE, text=True)
                try:
                    wait_until(lambda: daemon.process.poll() is not None or answers(daemon), 20, "it to begin or to give up")
                    if daemon.process.poll() is not None:
                        said = daemon.process.stderr.read()
                        self.assertEqual(daemon.process.returncode, 1, said)
                        self.assertRegex(said, "full|No space")
                finally:
                    daemon.process.kill()
                    daemon.process.wait()
                os.unlink(fill)
                daemon.start()
                self.assertEqual(len(daemon.api("/runs")["items"]), 1)


class Pauses(Elsewhere):
    def test_a_suspended_host_makes_no_runs_up(self):
        with self.daemon(every="2s", jitter="0%", duration="1s", window="") as daemon:
            wait_until(lambda: len(daemon.api("/runs")["items"]) >= 2, 30, "its schedule")
            os.kill(daemon.process.pid, signal.SIGSTOP)
            time.sleep(9)
            os.kill(daemon.process.pid, signal.SIGCONT)
            before = len(daemon.api("/runs")["items"])
            time.sleep(3)
            self.assertLessEqual(len(daemon.api("/runs")["items"]) - before, 3)
            self.assertEqual(daemon.get("/healthz")[0], 200)


class Receivers(Elsewhere):
    def test_one_that_never_answers_does_not_hold_up_the_end(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            secret = os.path.join(self.directory, "secret")
            with open(secret, "w", encoding="utf-8") as file:
                file.write("whsec\n")
            with self.daemon(window=closed_window()) as daemon:
                with open(daemon.config_path, "a", encoding="utf-8") as file:
                    file.write(f'[webhook]\nurl = "http://127.0.0.1:{silent.getsockname()[1]}/"\nsecret_file = "{secret}"\n')
                daemon.stop()
                daemon.start()
                daemon.run("data", "append-sync", writes=5)
                connection, _ = silent.accept()
                with connection:
                    begin = time.monotonic()
                    self.assertEqual(daemon.stop(), 0)
                    self.assertLess(time.monotonic() - begin, 5)


class FirstProcess(Elsewhere):
    def test_it_leaves_no_zombies_as_the_first_process_of_a_container(self):
        state = os.path.join(self.directory, "first")
        os.makedirs(os.path.join(state, "state"))
        config = os.path.join(state, "writecanary.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'[server]\nlisten = "unix:{state}/socket"\n[storage]\npath = "{state}/state/results.db"\n'
                       f'[defaults]\nprofiles = ["append-concurrent"]\nevery = "5s"\nduration = "4s"\nwrites = 0\n'
                       f'[[target]]\nname = "data"\npath = "{self.path}"\n')
        outer = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", run.program("writecanaryd"), "--config", config],
                                 stderr=open(f"{state}/log", "wb"))
        try:
            [first] = wait_until(lambda: children(outer.pid), 20, "the daemon")
            for _ in range(2):
                probe = wait_until(lambda: [pid for pid in children(first) if len(children(pid)) > 1], 60, "writers")[0]
                os.kill(probe, signal.SIGKILL)
                wait_until(lambda: not os.path.exists(f"/proc/{probe}"), 20, "the probe to be gone")
                wait_until(lambda: not [pid for pid in children(first) if state_of(pid) == "Z"], 20, "its writers to be taken in")
            os.kill(first, signal.SIGTERM)
            self.assertEqual(outer.wait(20), 0)
        finally:
            outer.kill()
            outer.wait()


class Mounts(Elsewhere):
    def test_a_source_without_a_name(self):
        path = os.path.join(self.directory, "nameless")
        os.mkdir(path)
        libc = ctypes.CDLL(None, use_errno=True)
        self.assertEqual(libc.mount(b"", path.encode(), b"tmpfs", 0, b"size=64m"), 0)
        self.addCleanup(unmount, path)
        with running_daemon(self.directory, [("data", path, {})], profiles=TARGET_PROFILE, writes=5, window=closed_window()) as daemon:
            done = daemon.run("data", "append-sync", writes=5)
            self.assertEqual(done["filesystem"]["type"], "tmpfs", done)
            self.assertIn('target="data"', daemon.get("/metrics")[1])


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def state_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def answers(daemon):
    try:
        return daemon.get("/healthz")[0] == 200
    except OSError:
        return False


if __name__ == "__main__":
    run.main()
