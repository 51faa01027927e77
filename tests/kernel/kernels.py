"""Debian kernels to test against: fetched by package name, unpacked once, kept outside the source tree.

A kernel is known by its upstream version ("6.1.170"). Nothing is installed: the package is only unpacked, so neither
root nor a matching host is needed. What each kernel does wrong is not said here but in expectations.py. Kernels that were
built here (tests/mutants) are named by the path of their image instead.
"""

import dataclasses
import fcntl
import lzma
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

PACKAGES = {
    "5.10.223": "linux-image-5.10.0-32-cloud-amd64",
    "6.1.170": "linux-image-6.1.0-47-cloud-amd64",
    "6.1.176": "linux-image-6.1.0-50-cloud-amd64",
    "6.1.192": "linux-image-6.1.0-56-cloud-amd64",
    "6.12.117": "linux-image-6.12.117+deb12-cloud-amd64",
}

# Kernels of a release that this machine's own package lists do not have: where they are.
SUITES = {"5.10.223": {"http://deb.debian.org/debian": "bullseye",
                       "http://deb.debian.org/debian-security": "bullseye-security"}}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

MODULE_SUFFIXES = (".ko", ".ko.xz")


class Unavailable(Exception):
    """This machine cannot run the kernel tests; the text says why and what to do. A reason to skip, not to fail."""


@dataclasses.dataclass(frozen=True)
class Kernel:
    version: str  # "6.1.170"
    release: str  # what `uname -r` says in the guest
    image: Path  # the bzImage
    modules: Path | None  # lib/modules/RELEASE; None: everything is built in

    def load_order(self, names: list[str]) -> list[tuple[str, bytes]]:
        """The named modules and all they depend on, dependencies first, as (name, contents of the .ko).

        Built-in modules and modules that this kernel does not have are left out: 6.12 builds in or drops some that
        6.1 needs, and a filesystem that is really missing shows itself when it is mounted.
        """
        if self.modules is None:
            return []
        index = {
            _module_name(path): path
            for path in self.modules.rglob("*")
            if path.name.endswith(MODULE_SUFFIXES)
        }
        ordered: dict[str, bytes] = {}
        in_progress: set[str] = set()

        def visit(name: str) -> None:
            if name in ordered or name in in_progress or name not in index:
                return
            in_progress.add(name)
            contents = _read_module(index[name])
            for dependency in _dependencies(contents):
                visit(dependency)
            ordered[name] = contents

        for name in names:
            visit(name.replace("-", "_"))
        return list(ordered.items())


def cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "writecanary-kernels"


def obtain(version: str) -> Kernel:
    """The unpacked kernel, downloaded on first use. Throws Unavailable. Several processes may call this at once."""
    if version not in PACKAGES:
        raise Unavailable(f"kernel {version} is not known; known are {', '.join(PACKAGES)} (tests/kernel/kernels.py)")
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / f"{version}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tree = cache / version
        if not tree.exists():
            _unpack(_download(version), tree)
    image = next((tree / "boot").glob("vmlinuz-*"))
    release = image.name.removeprefix("vmlinuz-")
    modules = next(path for path in tree.glob(f"**/lib/modules/{release}") if path.is_dir())
    return Kernel(version, release, image, modules)


def choose(text: str) -> Kernel:
    """What a user named: a known version, or the path of an image with everything built in. Throws Unavailable."""
    if "/" not in text:
        return obtain(text)
    if not Path(text).is_file():
        raise Unavailable(f"there is no kernel image {text}")
    return Kernel(text, text, Path(text), None)


def _download(version: str) -> Path:
    package = PACKAGES[version]
    if not shutil.which("apt-get"):
        raise Unavailable(f"kernel {version}: no apt-get here to download {package} with")
    options = _lists_of(version) if version in SUITES else []
    directory = tempfile.mkdtemp(prefix=f"download-{version}-", dir=cache_directory())
    done = subprocess.run(["apt-get", "-qq", *options, "download", package], cwd=directory, capture_output=True, text=True)
    found = list(Path(directory).glob("*.deb"))
    if done.returncode != 0 or not found:
        shutil.rmtree(directory)
        detail = (done.stderr.strip().splitlines() or ["no .deb came"])[-1]
        place = (f"It was in {' and '.join(SUITES[version].values())}" if version in SUITES
                 else "It is in Debian bookworm and bookworm-security; try `apt-get update`")
        raise Unavailable(f"kernel {version}: apt-get download {package}: {detail}. {place}")
    return found[0]


def _lists_of(version: str) -> list[str]:
    """Options with which apt-get sees that kernel's suites, and those alone, through lists of its own in the cache.

    Neither the machine's lists nor its sources are touched, so this needs no root. Throws Unavailable.
    """
    if not KEYRING.exists():
        raise Unavailable(f"kernel {version}: {KEYRING} is missing; install the package debian-archive-keyring")
    lists = cache_directory() / f"apt-{version}"
    (lists / "lists/partial").mkdir(parents=True, exist_ok=True)
    sources = lists / "sources.list"
    sources.write_text("".join(f"deb [arch=amd64 signed-by={KEYRING}] {mirror} {suite} main\n"
                               for mirror, suite in SUITES[version].items()))
    (lists / "status").touch()
    settings = {"Dir::State": lists, "Dir::State::Status": lists / "status", "Dir::Cache": lists,
                "Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "/dev/null",
                # Its lists are no longer renewed; they are signed all the same.
                "Acquire::Check-Valid-Until": "false", "APT::Sandbox::User": ""}
    options = [f"-o{name}={value}" for name, value in settings.items()]
    done = subprocess.run(["apt-get", "-qq", *options, "update"], capture_output=True, text=True)
    if done.returncode != 0:
        detail = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Unavailable(f"kernel {version}: apt-get update of {', '.join(SUITES[version].values())}: {detail}")
    return options


def _unpack(package: Path, tree: Path) -> None:
    unpacked = package.parent / "tree"
    subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
    unpacked.rename(tree)
    shutil.rmtree(package.parent)


def _module_name(path: Path) -> str:
    return path.name.split(".ko")[0].replace("-", "_")


def _read_module(path: Path) -> bytes:
    contents = path.read_bytes()
    return lzma.decompress(contents) if path.name.endswith(".xz") else contents


def _dependencies(module: bytes) -> list[str]:
    # The .modinfo section is a list of NUL-terminated key=value strings; this saves running depmod and modprobe.
    names: list[str] = []
    for value in re.findall(rb"\0depends=([^\0]+)\0", module):
        names += value.decode().split(",")
    return [name.replace("-", "_") for name in names]
