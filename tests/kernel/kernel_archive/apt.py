"""Debian's suites through apt, with lists of its own: neither the machine's lists nor its sources are touched, so no root.

apt verifies the indices' signatures, and each package by the hash that they hold. Throws Unavailable.
"""

import shutil
import subprocess
from pathlib import Path

MIRROR, SECURITY = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
SUITES = {"bullseye": MIRROR, "bullseye-security": SECURITY, "bookworm": MIRROR, "bookworm-security": SECURITY,
          "bookworm-backports": MIRROR, "trixie": MIRROR, "trixie-security": SECURITY, "trixie-backports": MIRROR,
          "sid": MIRROR}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
HELPER = Path("/usr/lib/apt/apt-helper")


class Unavailable(Exception):
    """This machine cannot run the kernel tests; the text says why and what to do. A reason to skip, not to fail."""


class Apt:
    """One directory of lists. Not for two processes at once: the caller holds a lock."""

    def __init__(self, directory: Path) -> None:
        if not shutil.which("apt-get") or not HELPER.exists():
            raise Unavailable("no apt-get here to get Debian's kernels with")
        if not KEYRING.exists():
            raise Unavailable(f"{KEYRING} is missing; install the package debian-archive-keyring")
        self._sources = directory / "sources.list"
        (directory / "lists/partial").mkdir(parents=True, exist_ok=True)
        (directory / "status").touch()
        self._sources.write_text("".join(f"deb [arch=amd64 signed-by={KEYRING}] {mirror} {suite} main\n"
                                         for suite, mirror in SUITES.items()))
        settings = {"Dir::State": directory, "Dir::State::Status": directory / "status", "Dir::Cache": directory,
                    "Dir::Etc::SourceList": self._sources, "Dir::Etc::SourceParts": "/dev/null",
                    # The lists of a suite that has ended are no longer renewed; they are signed all the same.
                    "Acquire::Check-Valid-Until": "false", "Acquire::Languages": "none", "APT::Sandbox::User": ""}
        self._options = [f"-o{name}={value}" for name, value in settings.items()]

    def update(self) -> None:
        self._run(["apt-get", "-qq", *self._options, "update"], "apt-get update of Debian's suites")

    def indices(self) -> list[tuple[str, str, str]]:
        """Of each suite that was updated: its name, the address of its archive, the text of its index."""
        line = self._run(["apt-get", *self._options, "indextargets", "--format", "$(CODENAME) $(REPO_URI) $(FILENAME)",
                          "Created-By: Packages"], "apt-get indextargets")
        found = [entry.split(" ", 2) for entry in line.splitlines()]
        return [(suite, archive, self._run([HELPER, "cat-file", file], f"reading {file}")) for suite, archive, file in found]

    def fetch(self, url: str, sha256: str | None, path: Path) -> None:
        """One file. Without a hash nothing says that it is the right one."""
        hashes = [f"SHA256:{sha256}"] if sha256 else []
        self._run([HELPER, *self._options, "download-file", url, path, *hashes], f"downloading {url}")

    @staticmethod
    def _run(command: list[str | Path], what: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            said = [line for line in done.stderr.splitlines() + done.stdout.splitlines() if line.startswith("E:")]
            raise Unavailable(f"{what}: {said[-1].removeprefix('E: ') if said else 'no reason given'}")
        return done.stdout
