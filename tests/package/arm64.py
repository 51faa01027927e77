"""What a guest of another architecture is made of: a Debian kernel for it and a busybox, fetched from Debian's archive by lists of
their own and unpacked once. Neither this machine's lists nor its packages are touched, so nothing here needs root."""

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path

import guest
import kernels
from kernels import Kernel, Unavailable

QEMU = "qemu-system-aarch64"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ARCHITECTURE = "arm64"
SUITE = "bookworm"
SOURCES = {"http://deb.debian.org/debian": SUITE, "http://deb.debian.org/debian-security": f"{SUITE}-security"}
META_PACKAGE = "linux-image-cloud-arm64"  # depends on the kernel of the day


class Guest(guest.Guest):
    """A guest of tests/kernel/guest.py on an arm64 machine, emulated."""

    def _command_line(self, kernel: Kernel, image: Path, token: str) -> list[str]:
        line = super()._command_line(kernel, image, token)
        line[line.index(guest.QEMU)] = QEMU
        for option, value in (("-machine", "virt"), ("-accel", "tcg,thread=multi"), ("-cpu", "max")):
            line[line.index(option) + 1] = value
        arguments = line.index("-append") + 1
        line[arguments] = line[arguments].replace("console=ttyS0", "console=ttyAMA0")
        return line


def _apt(directory: Path, *arguments: str) -> str:
    """Of an apt that knows SOURCES alone. Throws Unavailable."""
    lists = kernels.cache_directory() / f"apt-{ARCHITECTURE}"
    (lists / "lists/partial").mkdir(parents=True, exist_ok=True)
    sources = lists / "sources.list"
    sources.write_text("".join(f"deb [arch={ARCHITECTURE} signed-by={KEYRING}] {mirror} {suite} main\n"
                               for mirror, suite in SOURCES.items()))
    (lists / "status").touch()
    settings = {"Dir::State": lists, "Dir::State::Status": lists / "status", "Dir::Cache": lists, "APT::Architecture": ARCHITECTURE,
                "APT::Architectures": ARCHITECTURE, "Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "/dev/null",
                "APT::Sandbox::User": ""}
    options = [f"-o{name}={value}" for name, value in settings.items()]
    done = subprocess.run([arguments[0], *options, *arguments[1:]], cwd=directory, capture_output=True, text=True)
    if done.returncode != 0:
        detail = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Unavailable(f"{' '.join(arguments)} for {ARCHITECTURE}: {detail}")
    return done.stdout


def _unpacked(name: str, package: str) -> Path:
    """The tree of the package, under that name in the cache."""
    tree = kernels.cache_directory() / f"{ARCHITECTURE}-{name}"
    if tree.exists():
        return tree
    with tempfile.TemporaryDirectory(dir=kernels.cache_directory()) as directory:
        _apt(Path(directory), "apt-get", "-qq", "download", package)
        unfinished = Path(directory, "tree")
        subprocess.run(["dpkg-deb", "-x", next(Path(directory).glob("*.deb")), unfinished], check=True)
        unfinished.rename(tree)
    return tree


def obtain() -> tuple[Kernel, Path]:
    """A kernel and a static busybox for a guest, downloaded on first use. Throws Unavailable."""
    if not shutil.which(QEMU):
        raise Unavailable(f"{QEMU} is missing; install the package qemu-system-arm (scripts/setup --package)")
    if not shutil.which("apt-get"):
        raise Unavailable("no apt-get here to download a kernel with")
    cache = kernels.cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / f"{ARCHITECTURE}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = cache / f"{ARCHITECTURE}-kernel-package"
        if not known.exists():
            _apt(cache, "apt-get", "-qq", "update")
            shown = _apt(cache, "apt-cache", "depends", META_PACKAGE)
            known.write_text(next(word for word in shown.split() if word.startswith("linux-image-")
                                  and word.endswith("-cloud-arm64") and word != META_PACKAGE))
        tree = _unpacked("kernel", known.read_text())
        busybox = _unpacked("busybox", "busybox-static") / "bin/busybox"
    image = next((tree / "boot").glob("vmlinuz-*"))
    release = image.name.removeprefix("vmlinuz-")
    modules = next(path for path in tree.glob(f"**/lib/modules/{release}") if path.is_dir())
    return Kernel(f"arm64 {release}", release, image, modules), busybox
