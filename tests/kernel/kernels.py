"""Debian kernels to test against: fetched from its archive, unpacked once, kept outside the source tree.

A kernel is known by its upstream version ("6.1.170"), or where there are several of it by the version of the package
("6.12.90-2", "6.12.90-2:amd64" for another flavour than cloud). Nothing is installed: packages are only unpacked, so neither root
nor a matching host is needed. What each kernel does wrong is not said here but in expectations.py. Kernels that were built
here (tests/mutants) are named by the path of their image instead.
"""

import dataclasses
import lzma
import re
import struct
import subprocess
from pathlib import Path

from kernel_archive import store, versions
from kernel_archive.apt import Unavailable
from kernel_archive.index import USUAL_FLAVOUR, Build

# Those that every test run boots. All that the archive has: tests/kernel/kernels --list.
PACKAGES = {
    "5.10.223": "linux-image-5.10.0-32-cloud-amd64",
    "6.1.170": "linux-image-6.1.0-47-cloud-amd64",
    "6.1.176": "linux-image-6.1.0-50-cloud-amd64",
    "6.1.192": "linux-image-6.1.0-56-cloud-amd64",
    "6.12.117": "linux-image-6.12.117+deb12-cloud-amd64",
}

MODULE_SUFFIXES = (".ko", ".ko.xz", ".ko.zst")


@dataclasses.dataclass(frozen=True)
class Kernel:
    version: str  # "6.1.170"
    release: str  # what `uname -r` says in the guest
    image: Path  # the bzImage
    modules: Path | None  # lib/modules/RELEASE; None: everything is built in
    arguments: str = ""  # that it must be booted with

    def banner(self) -> str:
        """What the image says of itself, with the day on which it was built (Documentation/arch/x86/boot.rst, kernel_version)."""
        contents = self.image.read_bytes()
        start = struct.unpack_from("<H", contents, 0x20E)[0] + 0x200
        return contents[start:contents.index(b"\0", start)].decode()

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
    return store.directory()


def obtain(name: str) -> Kernel:
    """The unpacked kernel, downloaded on first use. Throws Unavailable. Several processes may call this at once."""
    return unpacked(find(name, store.known()) or find(name, store.known(newer_than_seconds=3600)) or _unknown(name))


def find(name: str, builds: list[Build]) -> Build | None:
    """What a user named: the version of a package, or the upstream version, of which the newest is taken. Pure."""
    exact = [build for build in builds if name == build.name]
    listed = [build for build in builds if PACKAGES.get(name) == build.package]
    of_upstream = [build for build in builds if build.flavour == USUAL_FLAVOUR and name == versions.upstream(build.version)]
    return next(iter((exact or listed or of_upstream)[::-1]), None)


def unpacked(build: Build) -> Kernel:
    """Throws Unavailable."""
    tree = store.tree(build)
    release = f"{build.abi}-{build.flavour}"
    modules = next(path for path in tree.glob(f"**/lib/modules/{release}") if path.is_dir())
    image = next(path for path in (tree / "boot" / f"vmlinuz-{release}", modules / "vmlinuz") if path.exists())
    # No index says any more what the modules must be. But the image, whose hash is known, has the key that signed them.
    arguments = "" if build.listed else "module.sig_enforce=1"
    return Kernel(versions.upstream(build.version), release, image, modules, arguments)


def built_on(banner: str) -> str:
    """The day in "... Debian 6.12.90-2 (2026-05-27)", or nothing. Pure."""
    found = re.search(r"\((\d{4}-\d\d-\d\d)\)", banner)
    return found[1] if found else ""


def choose(text: str) -> Kernel:
    """What a user named: a known version, or the path of an image with everything built in. Throws Unavailable."""
    if "/" not in text:
        return obtain(text)
    if not Path(text).is_file():
        raise Unavailable(f"there is no kernel image {text}")
    return Kernel(text, text, Path(text), None)


def _unknown(name: str) -> Build:
    raise Unavailable(f"kernel {name} is not in Debian's archive today; tests/kernel/kernels --list lists what is")


def _module_name(path: Path) -> str:
    return path.name.split(".ko")[0].replace("-", "_")


def _read_module(path: Path) -> bytes:
    contents = path.read_bytes()
    if path.name.endswith(".zst"):
        return subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
    return lzma.decompress(contents) if path.name.endswith(".xz") else contents


def _dependencies(module: bytes) -> list[str]:
    # The .modinfo section is a list of NUL-terminated key=value strings; this saves running depmod and modprobe.
    names: list[str] = []
    for value in re.findall(rb"\0depends=([^\0]+)\0", module):
        names += value.decode().split(",")
    return [name.replace("-", "_") for name in names]
