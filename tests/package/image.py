"""A Debian with systemd on an XFS root, for tests of the packages and the archive in a real init.

Made by mmdebstrap from Debian's own archive, once for each set of packages, and kept outside the source tree. What the
package under test depends on is downloaded into the image's apt cache but not installed: apt in the guest, which has no
network, must find by itself what to install.
"""

import dataclasses
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from kernels import Unavailable, cache_directory

# A small server: an init, a login session, name resolution by files. The agent is how the test types.
INSTALLED = ("systemd", "systemd-sysv", "dbus", "dbus-user-session", "libpam-systemd", "init-system-helpers", "udev", "procps",
             "qemu-guest-agent")
DISK_BYTES = 4 << 30
PACKAGES = "root/packages"  # where the packages under test lie in the image
USER = "alice"  # an ordinary user


@dataclasses.dataclass(frozen=True)
class Extras:
    """What a system has beside the usual."""

    installed: tuple[str, ...] = ()  # Debian packages
    texts: dict[str, str] = dataclasses.field(default_factory=dict)  # path without a slash at its begin -> what stands there
    units: tuple[str, ...] = ("relay.socket",)  # enabled


# The service listens on the guest's loopback address, as it does by default. This leads to it from outside.
RELAY = {
    "etc/systemd/system/relay.socket": "[Socket]\nListenStream=10.0.2.15:9743\nFreeBind=yes\n[Install]\nWantedBy=sockets.target\n",
    "etc/systemd/system/relay.service": "[Service]\nExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:9743\n",
}
FILES = RELAY | {
    "etc/hostname": "guest\n",
    "etc/hosts": "127.0.0.1 localhost guest\n",
    "etc/fstab": "/dev/vdb /data xfs defaults,nofail 0 0\n",
    "etc/apt/apt.conf.d/90yes": 'APT::Get::Assume-Yes "true";\n',  # nobody is there to say it
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
}


def require_tools() -> None:
    """Throws Unavailable, saying why."""
    if os.geteuid() != 0:
        raise Unavailable("a disk image is made by mounting it, which needs root")
    for program, package in (("mmdebstrap", "mmdebstrap"), ("mkfs.xfs", "xfsprogs"), ("qemu-system-x86_64", "qemu-system-x86")):
        if not shutil.which(program):
            raise Unavailable(f"{program} is missing; install the package {package} (scripts/setup --package)")


def dependencies(package: Path) -> list[str]:
    field = subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True, text=True, check=True).stdout
    return sorted({re.split(r"[ (|]", alternative.strip())[0] for alternative in field.split(",")})


def obtain(suite: str, wanted: list[str], extras: Extras = Extras()) -> Path:
    """The system as an archive, made on first use, with those packages at hand but not installed. Throws Unavailable.
    Several processes may call this at once."""
    installed = (*INSTALLED, *extras.installed)
    key = hashlib.sha256(repr((suite, installed, wanted)).encode()).hexdigest()[:12]
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    archive = cache / f"{suite}-{key}.tar"
    with open(cache / f"{suite}-{key}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            unfinished = archive.with_suffix(".part.tar")
            command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(installed)}", "--skip=cleanup/apt"]
            if wanted:
                command.append("--customize-hook=chroot \"$1\" apt-get -qq install -y --download-only --no-install-recommends "
                               + " ".join(wanted))
            command += [suite, str(unfinished)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                unfinished.unlink(missing_ok=True)
                raise Unavailable(f"mmdebstrap cannot make a {suite} here: {' / '.join(done.stderr.splitlines()[-3:])}")
            unfinished.rename(archive)
    return archive


@contextmanager
def _mounted(image: Path, directory: Path) -> Iterator[Path]:
    directory.mkdir()
    done = subprocess.run(["mount", "-o", "loop", image, directory], capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"cannot mount an image here: {done.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)


def make_disk(path: Path, archive: Path, packages: list[Path], modules: Path) -> None:
    """An XFS with the system of the archive, the packages, the kernel's modules and one ordinary user."""
    make_empty_disk(path)
    with _mounted(path, path.with_suffix(".mount")) as root:
        subprocess.run(["tar", "-C", root, "--numeric-owner", "-xpf", archive], check=True)
        furnish(root, Extras())
        (root / PACKAGES).mkdir()
        for package in packages:
            shutil.copy(package, root / PACKAGES)
        shutil.copytree(modules, root / "lib/modules" / modules.name, symlinks=True)


def furnish(root: Path, extras: Extras) -> None:
    """What a system has beside its packages: files, one ordinary user, what is started."""
    for name, contents in (FILES | extras.texts).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(contents)
    (root / "data").mkdir()
    in_root = ["chroot", root]
    subprocess.run([*in_root, "useradd", "-m", "-s", "/bin/bash", USER], check=True, capture_output=True)
    if extras.units:
        subprocess.run([*in_root, "systemctl", "enable", "--quiet", *extras.units], check=True, capture_output=True)


def make_empty_disk(path: Path) -> None:
    with open(path, "wb") as disk:
        disk.truncate(DISK_BYTES)
    subprocess.run(["mkfs.xfs", "-q", "-f", path], check=True)
