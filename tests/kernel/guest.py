"""One boot of one kernel in QEMU: a fresh disk, a job, its output and its result files, a time limit.

Software emulation (TCG) unless another machine is asked for, so that it works anywhere, also inside a virtual machine or a
container; nothing here needs root. Output comes through virtio-serial
ports; the console is only kept for diagnosis. When everything has been received the guest is killed: its disk is thrown away anyway.
"""

import dataclasses
import io
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
from pathlib import Path
from typing import BinaryIO

import initramfs
import kernels
from kernels import Unavailable

QEMU = "qemu-system-x86_64"
MKFS = {
    "xfs": ["mkfs.xfs", "-q", "-f"],
    "ext4": ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"],
    "btrfs": ["mkfs.btrfs", "-q", "-f"],
}
MKSWAP = ["mkswap"]
PACKAGE_OF = {QEMU: "qemu-system-x86", "mkswap": "util-linux", "mkfs.xfs": "xfsprogs", "mkfs.ext4": "e2fsprogs",
              "mkfs.btrfs": "btrfs-progs"}
PORTS = ("out", "err", "results")
FILESYSTEMS = (*MKFS, "tmpfs")


class GuestFailed(Exception):
    """The guest died, hung or could not mount; the text ends with the last lines of its console."""


class GuestTimeout(GuestFailed):
    pass


@dataclasses.dataclass(frozen=True)
class Machine:
    """What QEMU makes of itself."""

    name: str
    accelerator: str
    cpu: str
    board: str = "q35"


EMULATED = Machine("emulated", "tcg,thread=multi", "max")
ACCELERATED = Machine("KVM", "kvm", "host")
# For kernels that do not boot on the first.
OTHERS = (Machine("emulated, Haswell", "tcg,thread=multi", "Haswell-noTSX"),
          Machine("emulated, pc", "tcg,thread=multi", "max", "pc"), Machine("emulated, qemu64", "tcg", "qemu64"))
KVM = Path("/dev/kvm")


def machines() -> tuple[Machine, ...]:
    """All that this host can make, the fastest first."""
    return ((ACCELERATED,) if os.access(KVM, os.R_OK | os.W_OK) else ()) + (EMULATED, *OTHERS)


@dataclasses.dataclass
class Job:
    """What to boot and what to run in it. Host paths are those of this machine."""

    kernel: str | kernels.Kernel  # a known version, or the path of an image with everything built in
    command: str  # for the guest's shell; writes what it wants kept to /results
    filesystem: str = "xfs"  # mounted on /mnt/test
    filesystem_bytes: int = 2 << 30
    mkfs_options: tuple[str, ...] = ()
    mount_options: str = "rw"
    busybox: Path | None = None  # of the kernel's architecture, where that is not this machine's
    swap_bytes: int = 0  # of a disk of its own; it is in use before the job runs
    programs: list[Path] = dataclasses.field(default_factory=list)
    files: dict[str, Path] = dataclasses.field(default_factory=dict)  # path in the guest -> file here
    forward: dict[int, int] = dataclasses.field(default_factory=dict)  # port on 127.0.0.1 -> port in the guest
    memory: str = "1G"
    cpus: int = 2
    kernel_arguments: str = ""
    timeout_seconds: float = 300
    # Of the processor, within which the job must have written something, if it is known to: a guest that hangs at boot spins, and
    # one on a busy machine only waits.
    boot_seconds: float | None = None
    machine: Machine = EMULATED


@dataclasses.dataclass
class Result:
    exit_code: int
    stdout: bytes
    stderr: bytes
    files: dict[str, bytes]  # what the job left in /results, by relative path
    seconds: float


class Channel(threading.Thread):
    """Receives one port of the guest up to the mark that ends it; passes on what it gets at once when asked to."""

    def __init__(self, path: Path, mark: bytes, echo: BinaryIO | None) -> None:
        super().__init__(daemon=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._mark = mark
        self._echo = echo
        self._received = bytearray()
        self.complete = False

    def run(self) -> None:
        with self._listener:
            connection, _ = self._listener.accept()
        with connection:
            echoed = 0
            while not self.complete and (chunk := connection.recv(1 << 16)):
                self._received += chunk
                self.complete = self._received.endswith(self._mark)
                if self._echo:
                    end = self._end_of_payload()
                    self._echo.write(self._received[echoed:end])
                    self._echo.flush()
                    echoed = end

    def payload(self) -> bytes:
        return bytes(self._received[: self._end_of_payload()])

    def _end_of_payload(self) -> int:
        # The beginning of the mark may already be there: held back until it is known.
        for length in range(len(self._mark), 0, -1):
            if self._received.endswith(self._mark[:length]):
                return len(self._received) - length
        return len(self._received)


class Guest:
    """A running guest. Use as a context manager: on exit it is dead and its temporary files are gone."""

    def __init__(self, job: Job, console: Path | None = None, echo: tuple[BinaryIO, BinaryIO] | None = None) -> None:
        """Boots. The console goes to `console` if given; stdout and stderr of the job to `echo` as they come."""
        self._job = job
        self._directory = Path(tempfile.mkdtemp(prefix="writecanary-guest-"))
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start(console, echo or (None, None))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, console: Path | None, echo: tuple[BinaryIO | None, BinaryIO | None]) -> None:
        job = self._job
        require_program(QEMU)
        kernel = job.kernel if isinstance(job.kernel, kernels.Kernel) else kernels.choose(job.kernel)
        image = self._directory / "initramfs"
        initramfs.build(image, kernel, job.filesystem, job.programs, job.files, job.command, job.busybox)
        token = secrets.token_hex(8)
        mark = b"\0END-" + token.encode() + b"\n"
        self._channels = {name: Channel(self._directory / name, mark, sink)
                          for name, sink in zip(PORTS, (*echo, None))}
        for channel in self._channels.values():
            channel.start()
        self._console = console or self._directory / "console"
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            self._command_line(kernel, image, token), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self._directory / "qemu-errors", "wb"), start_new_session=True)

    def _command_line(self, kernel: kernels.Kernel, image: Path, token: str) -> list[str]:
        job = self._job
        # no_timer_check: on a busy machine the timer's first interrupts come too late for 5.10, which panics.
        arguments = (f"console=ttyS0 no_timer_check panic=-1 oops=panic random.trust_cpu=on mitigations=off "
                     f"writecanary.fs={job.filesystem} writecanary.flags={job.mount_options} "
                     f"writecanary.token={token} writecanary.net={int(bool(job.forward))} {kernel.arguments} "
                     f"{job.kernel_arguments}")
        # The guest dies with this program however that ends, also by a test runner's SIGKILL.
        line = ["setpriv", "--pdeathsig", "KILL", QEMU, "-nodefaults", "-no-user-config",
                "-display", "none", "-no-reboot",
                "-machine", job.machine.board, "-accel", job.machine.accelerator, "-cpu", job.machine.cpu,
                "-smp", str(job.cpus), "-m", job.memory,
                "-kernel", str(kernel.image), "-initrd", str(image), "-append", arguments.strip(),
                "-serial", f"file:{self._console}", "-device", "virtio-serial-pci"]
        for name in PORTS:
            line += ["-chardev", f"socket,id={name},path={self._directory / name}",
                     "-device", f"virtserialport,chardev={name},name={name}"]
        if job.filesystem in MKFS:
            disk = make_disk(self._directory / "disk", job.filesystem, job.filesystem_bytes, job.mkfs_options)
            line += drive("disk", disk)
        if job.swap_bytes:
            line += drive("swap", make_disk(self._directory / "swap", "swap", job.swap_bytes))
        if job.forward:
            rules = "".join(f",hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in job.forward.items())
            line += ["-netdev", f"user,id=net,restrict=on{rules}", "-device", "virtio-net-pci,netdev=net,romfile="]
        return line

    def wait(self) -> Result:
        """Blocks until the job has ended. Throws GuestTimeout and GuestFailed."""
        for channel in self._channels.values():
            while not channel.complete:
                channel.join(0.2)
                self._check_alive()
        files = _untar(self._channels["results"].payload())
        if "exit_code" not in files:
            raise GuestFailed(self._diagnosis(f"no job ran: {self._channels['err'].payload().decode().strip()}"))
        return Result(exit_code=int(files.pop("exit_code")), stdout=self._channels["out"].payload(),
                      stderr=self._channels["err"].payload(), files=files, seconds=self.seconds())

    def output(self) -> str:
        """What the job has written so far."""
        return self._channels["out"].payload().decode(errors="replace")

    def seconds(self) -> float:
        """Since power-on."""
        return time.monotonic() - self._started

    def close(self) -> None:
        """Kills the guest and removes its files. May be called more than once."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _check_alive(self) -> None:
        if self.seconds() > self._job.timeout_seconds:
            raise GuestTimeout(self._diagnosis(f"not done after {self._job.timeout_seconds:.0f} s"))
        boot = self._job.boot_seconds
        if boot and not self.output() and (used := self._processor_seconds()) > boot:
            raise GuestTimeout(self._diagnosis(f"no sign of its job after {used:.0f} s of the processor"))
        if self._process.poll() is not None and not all(c.complete for c in self._channels.values()):
            errors = (self._directory / "qemu-errors").read_text(errors="replace").strip()
            raise GuestFailed(self._diagnosis(f"the guest ended before its job did. {errors}".strip()))

    def _processor_seconds(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _diagnosis(self, what: str) -> str:
        job = self._job
        tail = self._console.read_text(errors="replace").splitlines()[-25:] if self._console.exists() else []
        lines = "\n".join(re.sub(r"[^\x20-\x7e]", "", line) for line in tail)
        return f"guest {job.kernel} with {job.filesystem}: {what}\nlast lines of its console:\n{lines}"


def require_program(name: str) -> None:
    if not shutil.which(name):
        raise Unavailable(f"{name} is missing; install the package {PACKAGE_OF[name]}")


def drive(name: str, file: Path) -> list[str]:
    """QEMU's arguments for a disk that the guest finds by its serial number, which is `name`."""
    return ["-drive", f"file={file},format=raw,if=none,id={name},cache=unsafe",
            "-device", f"virtio-blk-pci,drive={name},serial={name}"]


def make_disk(path: Path, content: str, size_bytes: int, options: tuple[str, ...] = ()) -> Path:
    """A sparse file with a fresh filesystem, or swap space."""
    command = [*MKFS[content], *options] if content in MKFS else MKSWAP
    require_program(command[0])
    with open(path, "wb") as disk:
        os.fchmod(disk.fileno(), 0o600)  # else mkswap complains
        disk.truncate(size_bytes)
    subprocess.run([*command, path], check=True, stdout=subprocess.DEVNULL)
    return path


def _untar(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name.removeprefix("./"): tar.extractfile(member).read() for member in tar if member.isfile()}
