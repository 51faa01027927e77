"""The guest's whole user space as one initramfs: busybox, kernel modules, programs with their libraries, the job.

It is made anew for every boot, uncompressed (decompressing is slow under emulation), by writing the cpio format
directly: so no root, no device nodes on the host and no cpio program are needed.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from kernels import Kernel, Unavailable

TRANSPORT_MODULES = ["virtio_pci", "virtio_blk", "virtio_console", "virtio_net"]
FILESYSTEM_MODULES = {
    # Checksums are looked up by name when a filesystem is mounted, so they are no visible dependency of it.
    "xfs": ["crc32c_generic", "crc32c_intel", "xfs"],
    "ext4": ["crc32c_generic", "crc32c_intel", "ext4"],
    "btrfs": ["crc32c_generic", "crc32c_intel", "xxhash_generic", "sha256_generic", "blake2b_generic", "btrfs"],
    "tmpfs": [],
}

REGULAR, DIRECTORY, SYMLINK = 0o100000, 0o040000, 0o120000


class Archive:
    """A cpio archive of the "newc" kind (Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "wb")
        self._names: set[str] = set()

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._entry("TRAILER!!!", 0, b"")
        self._file.close()

    def directory(self, path: str) -> None:
        self._add(path, DIRECTORY | 0o755, b"")

    def symlink(self, path: str, target: str) -> None:
        self._add(path, SYMLINK | 0o777, target.encode())

    def file(self, path: str, contents: bytes, mode: int = 0o644) -> None:
        self._add(path, REGULAR | mode, contents)

    def copy(self, path: str, source: Path) -> None:
        """The file at `source` with its permissions; a symbolic link is followed."""
        self.file(path, source.read_bytes(), os.stat(source).st_mode & 0o777)

    def _add(self, path: str, mode: int, contents: bytes) -> None:
        name = path.strip("/")
        if name in self._names:
            return
        parent = os.path.dirname(name)
        if parent:
            self.directory(parent)
        self._names.add(name)
        self._entry(name, mode, contents)

    def _entry(self, name: str, mode: int, contents: bytes) -> None:
        encoded = name.encode() + b"\0"
        inode = len(self._names)
        fields = (inode, mode, 0, 0, 1, 0, len(contents), 0, 0, 0, 0, len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        for part in (header + encoded, contents):
            self._file.write(part + b"\0" * (-len(part) % 4))


def build(path: Path, kernel: Kernel, filesystem: str, programs: list[Path], files: dict[str, Path],
          command: str, shell: Path | None = None) -> None:
    """Writes the initramfs. `programs` land in /bin under their own names, `files` maps a path in the guest to one
    here, `command` is what the guest's shell runs. `shell`: a busybox of the guest's architecture, where that is not
    this machine's. Throws Unavailable when busybox or a library is missing."""
    with Archive(path) as archive:
        for name in ("proc", "sys", "dev", "tmp", "run", "root", "mnt/test", "results", "var/lib", "etc"):
            archive.directory(name)
        archive.copy("init", Path(__file__).with_name("init"))
        archive.copy("bin/busybox", shell or busybox())
        archive.symlink("bin/sh", "busybox")
        archive.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
        archive.file("etc/group", b"root:x:0:\n")
        archive.file("etc/machine-id", b"0123456789abcdef0123456789abcdef\n")
        archive.file("etc/hosts", b"127.0.0.1 localhost guest\n")
        modules = kernel.load_order(TRANSPORT_MODULES + FILESYSTEM_MODULES[filesystem])
        for number, (name, contents) in enumerate(modules):
            archive.file(f"modules/{number:02}-{name}.ko", contents)
        for program in programs:
            _add_program(archive, program)
        for destination, source in files.items():
            archive.copy(destination, source)
        archive.file("job", command.encode() + b"\n", 0o755)


def busybox() -> Path:
    found = shutil.which("busybox")
    if not found:
        raise Unavailable("busybox is missing; install the package busybox-static")
    if "statically linked" not in _ldd(Path(found)) and "not a dynamic" not in _ldd(Path(found)):
        raise Unavailable(f"{found} is not statically linked; install the package busybox-static")
    return Path(found)


def _add_program(archive: Archive, program: Path) -> None:
    if not program.is_file():
        raise FileNotFoundError(f"program {program} does not exist; build it first (scripts/test builds build/release)")
    archive.copy(f"bin/{program.name}", program)
    for library in _libraries(program):
        # At the path under which the loader looks for it, whatever directory link stands on the host.
        archive.copy(library, Path(library))


def _ldd(program: Path) -> str:
    done = subprocess.run(["ldd", program], capture_output=True, text=True)
    return done.stdout + done.stderr


def _libraries(program: Path) -> list[str]:
    """Paths of the shared libraries, the loader among them; empty for scripts and static programs."""
    listing = _ldd(program)
    if "not found" in listing:
        raise FileNotFoundError(f"{program} needs a library that is missing here:\n{listing}")
    return re.findall(r"(?:=> |^\s+)(/\S+) \(0x", listing, re.MULTILINE)
