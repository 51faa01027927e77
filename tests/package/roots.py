"""Directories to chroot into: hosts on which the archive is tried. Each is gone in the end.

The kernel, loop devices and the memory controller are this machine's.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

import initramfs
from kernels import Unavailable

# As on a machine, what is below / is on a mount; the others are what an init would have mounted.
ENTER = """
set -e
mount --rbind "$ROOT" "$ROOT"
mount --rbind /dev "$ROOT/dev"
mount --rbind /sys "$ROOT/sys"
mount -t proc proc "$ROOT/proc"
exec chroot "$ROOT" "$@"
"""
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "TERM": "dumb"}


class Root:
    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, *command: str, **options) -> subprocess.Popen[str]:
        """A program in it, with mounts of its own, which dies with this one. Its text comes through pipes."""
        whole = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "--", "sh", "-c", ENTER, "sh",
                 *command]
        return subprocess.Popen(whole, env=ENVIRONMENT | {"ROOT": str(self.path)}, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **options)

    def run(self, *command: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        process = self.start(*command)
        try:
            said, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            said, errors = process.communicate()
            errors += f"\nnot done after {seconds:.0f} s"
        return subprocess.CompletedProcess(command, process.returncode, said, errors)

    def write(self, name: str, text: str) -> None:
        path = self.path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def unpack(self, archive: Path) -> None:
        subprocess.run(["tar", "-C", self.path, "-xf", archive], check=True)


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="writecanary-root-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", path], check=True)


@contextlib.contextmanager
def bare() -> Iterator[Root]:
    """busybox, which needs no library, and nothing else: no library, no time zone, no name service, no user but root."""
    with _directory() as path:
        for name in ("proc", "sys", "dev", "tmp", "etc", "bin", "var/lib", "run", "root"):
            (path / name).mkdir(parents=True)
        shutil.copy(initramfs.busybox(), path / "bin/busybox")
        for name in ("sh", *subprocess.run([path / "bin/busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()):
            if not (path / "bin" / name).exists():
                (path / "bin" / name).symlink_to("busybox")
        root = Root(path)
        root.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        root.write("etc/group", "root:x:0:\n")
        root.write("etc/hosts", "127.0.0.1 localhost\n")
        yield root


@contextlib.contextmanager
def debian(suite: str) -> Iterator[Root]:
    """A small Debian of that release, made once. Throws Unavailable."""
    if not shutil.which("mmdebstrap"):
        raise Unavailable("mmdebstrap is missing; install it (scripts/setup --package)")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "writecanary-distributions")
    cache.mkdir(parents=True, exist_ok=True)
    archive = cache / f"{suite}.tar"
    if not archive.exists():
        unfinished = archive.with_suffix(".part.tar")
        done = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", suite, unfinished], capture_output=True, text=True)
        if done.returncode != 0:
            raise Unavailable(f"mmdebstrap makes no {suite} here: {' / '.join(done.stderr.splitlines()[-3:])}")
        unfinished.rename(archive)
    with _directory() as path:
        subprocess.run(["tar", "-C", path, "-xf", archive, "--exclude=./dev/*"], check=True)
        root = Root(path)
        root.write("etc/hosts", "127.0.0.1 localhost\n")
        yield root
