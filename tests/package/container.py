"""A Debian 12 with systemd in a container of systemd-nspawn, on a bridge of this network namespace, and typing commands into it.

Starts in a second where a machine in QEMU takes a minute or more. What it has not: a kernel of its own, and a memory cgroup that its
services may write to, so that no run of an ordinary user's service is exposed in it.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import image
from kernels import Unavailable
from machine import CommandFailed, Output

BRIDGE = "wc-hosts"
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}
BOOT_SECONDS = 120
STOP_SECONDS = 30


def require_tools() -> None:
    """Throws Unavailable, saying why."""
    if os.geteuid() != 0:
        raise Unavailable("containers need root")
    for program, package in (("systemd-nspawn", "systemd-container"), ("mmdebstrap", "mmdebstrap"), ("mkfs.xfs", "xfsprogs")):
        if not shutil.which(program):
            raise Unavailable(f"{program} is missing; install the package {package} (scripts/setup --package)")


def make_bridge(address: str) -> None:
    """Where the containers find this host. In a network namespace of one's own: it stays."""
    for command in (["ip", "link", "set", "lo", "up"], ["ip", "link", "add", BRIDGE, "type", "bridge"],
                    ["ip", "address", "add", address, "dev", BRIDGE], ["ip", "link", "set", BRIDGE, "up"]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Unavailable(f"{' '.join(command)}: {done.stderr.strip()}")


class Container:
    """Use as a context manager: on exit it is shut down and its files are gone."""

    def __init__(self, name: str, directory: Path, archive: Path, extras: image.Extras, binds: dict[Path, str]) -> None:
        """Boots; returns when the system is up. `binds`: path here -> path there. Throws CommandFailed."""
        self.name = name
        self._root = directory / name
        self._root.mkdir()
        self._log = directory / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        try:
            subprocess.run(["tar", "-C", self._root, "--numeric-owner", "-xpf", archive], check=True)
            image.furnish(self._root, extras)
            command = ["setpriv", "--pdeathsig", "KILL", "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot",
                       f"--machine={name}", f"--directory={self._root}", f"--network-bridge={BRIDGE}", "--link-journal=no",
                       "--resolv-conf=off", "--console=pipe", *(f"--bind={here}:{there}" for here, there in binds.items())]
            with open(self._log, "wb") as log:
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self._wait_until_up()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Container":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)  # nspawn has the system shut down
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._root, ignore_errors=True)

    def run(self, command: str, check: bool = True, seconds: float = 300) -> Output:
        """A command of root's shell. Throws CommandFailed when it fails and `check` is set, or takes too long."""
        inside = ["nsenter", f"--target={self._first_process()}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root",
                  "--wd=/", "sh", "-c", command]
        try:
            done = subprocess.run(inside, capture_output=True, text=True, errors="replace", timeout=seconds, env=ENVIRONMENT)
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"not done after {seconds:.0f} s: {command}") from None
        if check and done.returncode != 0:
            raise CommandFailed(f"{self.name}: exit code {done.returncode}: {command}\n{done.stdout}{done.stderr}")
        return Output(done.returncode, done.stdout, done.stderr)

    def _first_process(self) -> int:
        """nspawn's only child."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        if not children:
            raise CommandFailed(f"{self.name} is not running:\n{self._log.read_text(errors='replace')[-2000:]}")
        return int(children[0])

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        last: Any = ""
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                last = self.run("systemctl is-system-running", check=False).stdout.strip()
            except CommandFailed as failure:
                last = failure
            if last in ("running", "degraded"):
                return
            time.sleep(0.2)
        raise CommandFailed(f"{self.name} did not come up: {last}\n{self._log.read_text(errors='replace')[-2000:]}")
