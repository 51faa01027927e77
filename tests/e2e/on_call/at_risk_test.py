"""`writecanary at-risk`: processes that append through io_uring are named with unit and file, others are not."""

import contextlib
import json
import os
import signal
import subprocess
import unittest
from pathlib import Path

from harness import kernel, run
from harness.daemon import closed_window, free_port, running_daemon
from harness.mounts import loop_mount, temporary_directory
from harness.waiting import wait_until

WRITER = Path(os.environ["WRITECANARY_BIN"]).parent / "tests/uring-writer"
INITIAL_PID_NAMESPACE = 0xEFFFFFFC  # include/linux/proc_ns.h
UNIT = f"logger-{os.getpid()}.service"
ODD = os.fsdecode(b"lo\xe9 g\nnext")
ODD_TEXT = "lo\\xe9 g\\x0anext"
NAMESPACE = ["unshare", "--mount", "--", "sh", "-c", 'mount -t tracefs none /sys/kernel/tracing && exec "$@"', "sh"]
INSTANCES = "/sys/kernel/tracing/instances"


def cgroup2():
    """Where the version 2 hierarchy is mounted, also beside version 1."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
        for line in table:
            if " - cgroup2 " in line and " rw" in line:
                return line.split()[4]
    raise unittest.SkipTest("no cgroup v2 is mounted here")


@contextlib.contextmanager
def unit_cgroup(name):
    """A cgroup as systemd makes one for a service; yields a function that moves the calling process into it."""
    slice_path = os.path.join(cgroup2(), f"writecanary-{os.getpid()}.slice")
    path = os.path.join(slice_path, name)
    try:
        os.makedirs(path)
    except OSError as error:
        raise unittest.SkipTest(f"no cgroup can be made: {error}") from error

    def move():
        Path(path, "cgroup.procs").write_text("0", encoding="ascii")

    def remove(directory):
        try:
            os.rmdir(directory)
        except OSError:
            return False
        return True

    try:
        yield move
    finally:
        wait_until(lambda: remove(path), 10, "the cgroup to be empty")
        os.rmdir(slice_path)


class Writer:
    """A service that is told when to write."""

    def __init__(self, how, path, preexec=None):
        self.process = subprocess.Popen([WRITER, how, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=preexec)
        self.pid = self.process.pid
        assert self.process.stdout.readline() == b"ready\n"

    def write(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == b"4096\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def at_risk(*arguments, prefix=(), url=None, expected=0):
    command = [*prefix, run.program("writecanary"), "at-risk", *arguments, "--url", url or f"http://127.0.0.1:{free_port()}"]
    ran = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert ran.returncode == expected, (ran.returncode, ran.stderr)
    return ran.stdout.decode()


def at_risk_document(*arguments, **how):
    return json.loads(at_risk(*arguments, "--json", **how))


class AtRisk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run.require_root("looking at processes of others")
        cls.directory = cls.enterClassContext(temporary_directory())
        cls.xfs = cls.enterClassContext(loop_mount(cls.directory, "xfs"))
        cls.other = cls.enterClassContext(loop_mount(cls.directory, "ext4"))

    def writer(self, how, name="log", preexec=None):
        return self.enterContext(Writer(how, os.path.join(self.xfs, name), preexec))

    def named(self, document, pid):
        return [entry for entry in document["at_risk"] if entry["pid"] == pid]

    def test_a_service_that_appends_is_named_with_unit_and_file(self):
        move = self.enterContext(unit_cgroup(UNIT))
        writer = self.writer("append", ODD, move)
        for arguments in ((self.xfs,), (self.xfs + "/.",), ()):
            with self.subTest(arguments):
                [entry] = self.named(at_risk_document(*arguments), writer.pid)
                self.assertEqual((entry["unit"], entry["file"]), (UNIT, f"{self.xfs}/{ODD_TEXT}"))
                self.assertEqual((entry["comm"], entry["filesystem"]["mount_point"]), ("uring-writer", self.xfs))
        if kernel.kernel_at_least(6, 0):
            self.assertIn("io-uring-torn-append", entry["known_issues"])
        said = at_risk(self.xfs)
        [line] = [line for line in said.splitlines() if line.split()[:1] == [str(writer.pid)]]
        self.assertIn(UNIT, line)
        self.assertTrue(line.endswith(ODD_TEXT), line)
        self.assertEqual(self.named(at_risk_document(self.other), writer.pid), [])

    def test_a_service_that_writes_at_its_own_offsets_is_not_named(self):
        writer = self.writer("offset")
        writer.write()
        document = at_risk_document(self.xfs)
        self.assertEqual(self.named(document, writer.pid), [])
        self.assertNotIn(writer.pid, [entry["pid"] for entry in document["unknown"]["registered_and_closed"]])

    def test_what_is_registered_and_closed_cannot_be_told(self):
        writer = self.writer("registered", ODD)
        document = at_risk_document(self.xfs)
        self.assertEqual(self.named(document, writer.pid), [])
        [entry] = [entry for entry in document["unknown"]["registered_and_closed"] if entry["pid"] == writer.pid]
        self.assertTrue(entry["file"].endswith(ODD_TEXT), entry)

    def test_a_path_that_is_not_there(self):
        ran = subprocess.run([run.program("writecanary"), "at-risk", self.xfs + "/none"], capture_output=True, check=False)
        self.assertEqual(ran.returncode, 1)
        self.assertIn(b"none: No such file", ran.stderr)

    def test_who_may_not_look_is_told_so(self):
        writer = self.writer("append")
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        document = at_risk_document(prefix=nobody, expected=3)
        self.assertEqual(self.named(document, writer.pid), [])
        self.assertIn(writer.pid, [entry["pid"] for entry in document["unknown"]["unreadable_processes"]])

    def test_a_daemon_that_is_there_says_what_it_found(self):
        self.assertFalse(at_risk_document(self.xfs)["daemon"]["reached"])
        with temporary_directory() as state, running_daemon(state, [("data", self.xfs, {})], window=closed_window()) as daemon:
            url = f"http://127.0.0.1:{daemon.port}"
            document = at_risk_document(self.xfs, url=url)
            self.assertEqual((document["daemon"]["reached"], document["daemon"]["incidents"]), (True, {}))
            kernel.require_memory_cgroup()
            run_document = daemon.run("data", "append-interposed", writes=20)
            self.assertGreater(run_document["finding_counts"]["torn"], 0, run_document)
            document = at_risk_document(self.xfs, url=url)
            self.assertGreater(document["daemon"]["incidents"]["torn"], 0)
            self.assertEqual(document["daemon"]["kernel"], os.uname().release)


class Watch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run.require_root("tracing")
        if os.stat("/proc/self/ns/pid").st_ino != INITIAL_PID_NAMESPACE:
            raise unittest.SkipTest("tracepoints name processes of the initial PID namespace, and this is another")
        probed = subprocess.run([*NAMESPACE, "ls", "/sys/kernel/tracing/events/io_uring"], capture_output=True, check=False)
        if probed.returncode != 0:
            raise unittest.SkipTest("this kernel has no tracepoints of io_uring, or tracefs cannot be mounted")
        cls.directory = cls.enterClassContext(temporary_directory())
        cls.xfs = cls.enterClassContext(loop_mount(cls.directory, "xfs"))

    def instances(self):
        listed = subprocess.run([*NAMESPACE, "ls", INSTANCES], capture_output=True, text=True, check=True).stdout
        return [name for name in listed.split() if name.startswith("writecanary-")]

    def watches(self):
        """Whether an instance counts: the event that is switched on last is on."""
        event = f"{INSTANCES}/writecanary-*/events/io_uring/io_uring_queue_async_work/enable"
        said = subprocess.run([*NAMESPACE, "sh", "-c", f"cat {event}"], capture_output=True, text=True, check=False).stdout
        return said.strip() == "1"

    def spawn(self, seconds):
        command = [*NAMESPACE, run.program("writecanary"), "at-risk", self.xfs, "--json", "--watch", seconds,
                   "--url", f"http://127.0.0.1:{free_port()}"]
        process = self.enterContext(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        self.addCleanup(process.kill)
        return process

    def start(self, seconds):
        process = self.spawn(seconds)
        wait_until(self.watches, 20, "it to watch")
        return process

    def finish(self, process):
        """Its document, when nothing of it is left in the kernel."""
        out, errors = process.communicate(timeout=30)
        self.assertEqual((process.returncode, errors), (0, b""))
        self.assertEqual(self.instances(), [])
        return json.loads(out)

    def rows(self, document, pid):
        self.assertTrue(document["watch"]["available"], document["watch"])
        return [row for row in document["watch"]["punted"] if row["pid"] == pid]

    def test_appends_that_gave_up_inline_are_counted_with_their_file(self):
        log = os.path.join(self.xfs, ODD)
        with Writer("append", log) as appends, Writer("offset", os.path.join(self.xfs, "data")) as other:
            process = self.start("1h")
            # Time stamps that are older than a tick of the clock have any inline attempt give up.
            for _ in range(50):
                appends.write()
                other.write()
            process.send_signal(signal.SIGINT)
            document = self.finish(process)
            [row] = self.rows(document, appends.pid)
            self.assertEqual((row["opcode"], row["append_file"]), ("WRITE", os.path.join(self.xfs, ODD_TEXT)))
            self.assertGreater(row["punted"], 0)
            self.assertLessEqual(row["punted"], 50)
            self.assertEqual([entry["append_file"] for entry in self.rows(document, other.pid)], [None])

    def test_it_ends_by_itself_and_leaves_nothing(self):
        process = self.start("2s")
        document = self.finish(process)
        self.assertGreaterEqual(document["watch"]["seconds"], 2)

    def test_what_a_killed_one_left_goes_with_the_next(self):
        process = self.start("1h")
        process.kill()
        process.wait()
        [left] = self.instances()
        process = self.spawn("1h")  # nobody looks into the old one meanwhile: the kernel keeps an instance that is being read
        wait_until(lambda: left not in self.instances(), 20, "the old instance to go")
        wait_until(self.watches, 20, "it to watch")
        process.send_signal(signal.SIGTERM)
        self.finish(process)

    def test_without_tracefs_it_says_so(self):
        empty = ["unshare", "--mount", "--", "sh", "-c", 'mount -t tmpfs none /sys/kernel/tracing && exec "$@"', "sh"]
        hidden = ["unshare", "--mount", "--", "sh", "-c", 'mount -t tmpfs none /sys/kernel/debug && exec "$@"', "sh"]
        document = at_risk_document(self.xfs, "--watch", "1", prefix=[*empty, *hidden])
        self.assertFalse(document["watch"]["available"])
        self.assertIn("mount -t tracefs", document["watch"]["why_not"])

    def test_in_a_pid_namespace_of_its_own_it_says_so(self):
        contained = ["unshare", "--pid", "--fork", "--mount-proc", "--", *NAMESPACE]
        document = at_risk_document(self.xfs, "--watch", "1", prefix=contained)
        self.assertFalse(document["watch"]["available"])
        self.assertIn("PID namespace", document["watch"]["why_not"])
        self.assertEqual(self.instances(), [])


if __name__ == "__main__":
    run.main()
