"""Filesystems for a test: images on loop devices, and damagefs. Each is a context manager that leaves nothing behind."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness.run import require_root
from harness.waiting import wait_until

MKFS = {"xfs": ["mkfs.xfs", "-q"], "ext4": ["mkfs.ext4", "-q"], "btrfs": ["mkfs.btrfs", "-q"]}


@contextlib.contextmanager
def temporary_directory():
    path = tempfile.mkdtemp(prefix="writecanary-test-")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def unescape(field):
    """A field of mountinfo as the bytes that it stands for."""
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), field)


def is_mounted(path):
    with open("/proc/self/mountinfo", "rb") as table:
        return any(unescape(line.split()[4]) == os.fsencode(path) for line in table)


def unmount(path):
    """Unmounts, also when something still uses the path: lazily, so that the test's own failure is what is reported."""
    if subprocess.run(["umount", path], capture_output=True, check=False).returncode != 0 and is_mounted(path):
        subprocess.run(["umount", "-l", path], check=False)


@contextlib.contextmanager
def loop_mount(directory, fstype, name=None, size="1G", mkfs=(), options="loop"):
    """A fresh filesystem in a sparse image under directory, mounted there; yields the mount point. mkfs: more of its
    options; options: how it is mounted."""
    require_root(f"a {fstype} loop mount")
    if not shutil.which(MKFS[fstype][0]):
        raise unittest.SkipTest(f"{MKFS[fstype][0]} is not installed")
    name = name or fstype
    image = os.path.join(directory, f"{name}.img")
    mount_point = os.path.join(directory, name)
    os.mkdir(mount_point)
    subprocess.run(["truncate", "-s", size, image], check=True)
    made = subprocess.run([*MKFS[fstype], *mkfs, image], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise RuntimeError(f"{MKFS[fstype][0]}: {made.stderr.strip()}")
    mounted = subprocess.run(["mount", "-o", options, image, mount_point], capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        raise unittest.SkipTest(f"cannot mount {fstype} on a loop device here: {mounted.stderr.strip()}")
    try:
        yield mount_point
    finally:
        unmount(mount_point)
        os.unlink(image)


@contextlib.contextmanager
def tmpfs_mount(directory, size="1G"):
    require_root("a tmpfs mount")
    mount_point = os.path.join(directory, "memory")
    os.mkdir(mount_point)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", mount_point], check=True)
    try:
        yield mount_point
    finally:
        unmount(mount_point)


@contextlib.contextmanager
def frozen(path):
    """Whoever writes to the filesystem meanwhile waits in the kernel, and cannot be killed."""
    subprocess.run(["fsfreeze", "-f", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["fsfreeze", "-u", path], check=True)


class DamageMount:
    """A mounted damagefs: its mount point, its process, the directory behind it, and what its log says it damaged."""

    def __init__(self, backing, mount_point, log, process):
        self.process = process
        self.backing = backing
        self.mount_point = mount_point
        self._log = log

    def set_rule(self, **parts):
        os.setxattr(self.mount_point, "user.damage", ",".join(f"{k}={v}" for k, v in parts.items()).encode())

    def status(self):
        return os.getxattr(self.mount_point, "user.damage").decode()

    def log(self):
        with open(self._log, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


@contextlib.contextmanager
def damage_mount(directory, cached=False):
    """damagefs over a fresh directory; it damages nothing until set_rule."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        raise unittest.SkipTest("/dev/fuse cannot be opened")
    backing = os.path.join(directory, "backing")
    mount_point = os.path.join(directory, "damaged")
    log = os.path.join(directory, "damage.log")
    os.mkdir(backing)
    os.mkdir(mount_point)
    command = [os.environ["WRITECANARY_DAMAGEFS"], backing, mount_point, "--log", log, *(["--cached"] if cached else [])]
    with subprocess.Popen(command) as server:
        try:
            wait_until(lambda: is_mounted(mount_point) or server.poll() is not None, 10, "damagefs to mount")
            if server.poll() is not None:
                raise unittest.SkipTest("damagefs cannot mount here")
            yield DamageMount(backing, mount_point, log, server)
        finally:
            if server.poll() is None:
                unmount(mount_point)
                server.terminate()
