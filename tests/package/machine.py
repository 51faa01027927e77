"""A running Debian in QEMU, and typing commands into it. Software emulation, as in tests/kernel/guest.py.

Commands go through QEMU's guest agent (docs/interop/qemu-ga-ref): no network, no password, no terminal.
"""

import base64
import dataclasses
import json
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import guest
import image
import initramfs
import kernels

AGENT = "org.qemu.guest_agent.0"
BOOT_SECONDS = 600
SYNC_SECONDS = 3
ANSWER_SECONDS = 600  # the agent answers at once; but on a busy machine a guest may get no turn for minutes


class CommandFailed(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Output:
    exit_code: int
    stdout: str
    stderr: str


class Machine:
    """Use as a context manager: on exit it is dead and its disks are gone."""

    def __init__(self, kernel_version: str, system: Path, files: list[Path], port: int, console: Path | None = None) -> None:
        """Boots the system, an archive that image.obtain() made, with the files in image.PACKAGES; returns when commands can be
        given. `port` on 127.0.0.1 leads to the service in the guest."""
        self._directory = Path(tempfile.mkdtemp(prefix="writecanary-machine-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._console = console or self._directory / "console"
        self._received = b""
        try:
            kernel = kernels.obtain(kernel_version)
            image.make_disk(self._directory / "root", system, files, kernel.modules)
            image.make_empty_disk(self._directory / "data")
            self._make_initramfs(kernel)
            self._process = subprocess.Popen(self._command_line(kernel, port), stdin=subprocess.DEVNULL,
                                             stdout=subprocess.DEVNULL, start_new_session=True)
            self._connect()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def run(self, command: str, check: bool = True, seconds: float = 300) -> Output:
        """A command of root's shell. Throws CommandFailed when it fails and `check` is set, or takes too long."""
        pid = self._call("guest-exec", path="/bin/sh", arg=["-c", command], **{"capture-output": True})["pid"]
        deadline = time.monotonic() + seconds
        while not (status := self._call("guest-exec-status", pid=pid))["exited"]:
            if time.monotonic() > deadline:
                raise CommandFailed(f"not done after {seconds:.0f} s: {command}")
            time.sleep(0.2)
        text = {name: base64.b64decode(status.get(f"{name}-data", "")).decode(errors="replace") for name in ("out", "err")}
        output = Output(status.get("exitcode", -1), text["out"], text["err"])
        if check and output.exit_code != 0:
            raise CommandFailed(f"exit code {output.exit_code}: {command}\n{output.stdout}{output.stderr}")
        return output

    def run_as_user(self, command: str, check: bool = True) -> Output:
        """In a login session of the ordinary user, with a service manager of its own."""
        return self.run(f"su -l {image.USER} -c '{command}'", check)

    def _make_initramfs(self, kernel: kernels.Kernel) -> None:
        with initramfs.Archive(self._directory / "initramfs") as archive:
            for name in ("proc", "sys", "dev", "mnt/test"):
                archive.directory(name)
            archive.copy("init", Path(__file__).with_name("init"))
            archive.copy("bin/busybox", initramfs.busybox())
            archive.symlink("bin/sh", "busybox")
            names = initramfs.TRANSPORT_MODULES + initramfs.FILESYSTEM_MODULES["xfs"]
            for number, (name, contents) in enumerate(kernel.load_order(names)):
                archive.file(f"modules/{number:02}-{name}.ko", contents)

    def _command_line(self, kernel: kernels.Kernel, port: int) -> list[str]:
        line = ["setpriv", "--pdeathsig", "KILL", guest.QEMU, "-nodefaults", "-no-user-config", "-display", "none",
                "-no-reboot", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "2G",
                "-kernel", str(kernel.image), "-initrd", str(self._directory / "initramfs"),
                "-append", "console=ttyS0 panic=-1 no_timer_check random.trust_cpu=on mitigations=off systemd.show_status=no",
                "-serial", f"file:{self._console}", "-device", "virtio-serial-pci",
                "-chardev", f"socket,id=agent,path={self._directory / 'agent'},server=on,wait=off",
                "-device", f"virtserialport,chardev=agent,name={AGENT}",
                "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:9743",
                "-device", "virtio-net-pci,netdev=net,romfile="]
        for name in ("root", "data"):
            line += ["-drive", f"file={self._directory / name},format=raw,if=none,id={name},cache=unsafe",
                     "-device", f"virtio-blk-pci,drive={name}"]
        return line

    def _connect(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + BOOT_SECONDS
        connected, number = False, 0
        while self._process.poll() is None and time.monotonic() < deadline:
            number += 1
            try:
                if not connected:
                    self._socket.connect(str(self._directory / "agent"))
                    connected = True
                if self._synchronized(number):
                    return
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.2)
        tail = self._console.read_text(errors="replace").splitlines()[-25:] if self._console.exists() else []
        raise CommandFailed("the guest did not come up; last lines of its console:\n" + "\n".join(tail))

    def _synchronized(self, number: int) -> bool:
        """Whether the agent answers with our number; answers to earlier ones, which came too late, are dropped."""
        self._socket.settimeout(SYNC_SECONDS)
        try:
            self._send("guest-sync", id=number)
            while self._receive() != number:
                pass
            return True
        except TimeoutError:
            return False
        finally:
            self._socket.settimeout(ANSWER_SECONDS)

    def _call(self, name: str, **arguments: Any) -> Any:
        try:
            self._send(name, **arguments)
            return self._receive()
        except TimeoutError:
            raise CommandFailed(f"the guest's agent did not answer {name} within {ANSWER_SECONDS} s") from None

    def _send(self, name: str, **arguments: Any) -> None:
        self._socket.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")

    def _receive(self) -> Any:
        while b"\n" not in self._received:
            if not (chunk := self._socket.recv(1 << 16)):
                raise CommandFailed("the guest is gone")
            self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        answer = json.loads(line)
        if "error" in answer:
            raise CommandFailed(f"guest agent: {answer['error']}")
        return answer["return"]
