"""This machine as a node: podman with a store of its own, the disk at /data, and the pod as the cluster's monitoring sees it."""

import contextlib
import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Iterator

from expectations import expect
from harness.mounts import is_mounted
from harness.prometheus import Prometheus
from machine import CommandFailed

CONTAINER = "writecanary-writecanaryd"
URL = "http://127.0.0.1:9743"
APPARMOR = Path("/sys/kernel/security/apparmor/profiles")
PRELUDE = """\
set -e -o pipefail
podman() { command podman --root "$PLACE/storage" --runroot "$PLACE/runroot" --tmpdir "$PLACE/tmp" --storage-driver vfs \\
  --runtime "$PLACE/runc" --cgroup-manager cgroupfs --events-backend file "$@"; }
[ -e /sys/kernel/security/apparmor/profiles ] || apparmor_parser() { echo "this kernel has no AppArmor"; }
"""


# runc, but that limits of processes stay as they are here: this machine may not let root raise them.
RUNTIME = """\
#!/bin/sh
lift() { jq "del($2)" "$1" >"$1.new" && mv "$1.new" "$1"; }
for word; do
  case $before in
    --bundle | -b) lift "$word/config.json" .process.rlimits || exit ;;
    --process | -p) lift "$word" .rlimits || exit ;;
  esac
  before=$word
done
exec runc "$@"
"""


@contextlib.contextmanager
def scratch_directory(path: str) -> Iterator[None]:
    """An empty directory at a path of the host, in this mount namespace; in the end the host is as it was."""
    made = not os.path.isdir(path)
    os.makedirs(path, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", path], check=True)
    try:
        yield
    finally:
        while is_mounted(path):
            subprocess.run(["umount", "-l", path], check=True)
        if made:
            os.rmdir(path)


class Node:
    """Use as a context manager: on exit pods, images and cgroups are gone."""

    prometheus: Prometheus

    def __init__(self, directory: Path, disk: str, token: str, oci: Path, docker: Path) -> None:
        self.disk = disk
        self.image = f"localhost/writecanary:{oci.name.split('-')[1]}"
        self.archives = {"oci": oci, "docker": docker}
        self._directory = directory
        self._token = token
        self._environment = {**os.environ, "PLACE": str(directory / "podman"), "CONTAINERS_CONF": str(directory / "containers.conf")}
        # The profile as everybody's, where there is AppArmor.
        profile = '[containers]\napparmor_profile = "writecanary"\n' if APPARMOR.exists() else ""
        (directory / "containers.conf").write_text(profile, encoding="ascii")
        (directory / "podman").mkdir()
        runtime = directory / "podman/runc"
        runtime.write_text(RUNTIME, encoding="ascii")
        runtime.chmod(0o755)

    def __enter__(self) -> "Node":
        return self

    def __exit__(self, *_: object) -> None:
        self.run("podman pod rm -f -a; podman rm -f -a; podman rmi -f -a; umount -R $PLACE/storage", check=False)
        self.run("find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' -exec rmdir {} +", check=False)

    def run(self, command: str, check: bool = True, seconds: float = 300) -> str:
        """What bash prints, on both outputs. Throws CommandFailed."""
        try:
            done = subprocess.run(["bash", "-c", PRELUDE + command], cwd=self._directory, env=self._environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=seconds)
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"not done after {seconds:.0f} s: {command}") from None
        if check and done.returncode != 0:
            raise CommandFailed(f"exit code {done.returncode}: {command}\n{done.stdout}")
        return done.stdout.strip()

    def inspect(self, field: str, container: str = CONTAINER) -> str:
        return self.run(f"podman inspect -f '{{{{{field}}}}}' {container}")

    def status(self, container: str = CONTAINER) -> dict[str, str]:
        """What the kernel says of the container's first process."""
        text = self.run(f"cat /proc/{self.inspect('.State.Pid', container)}/status")
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)

    def get(self, path: str, token: str | None = None) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            with urllib.request.urlopen(urllib.request.Request(URL + path, headers=headers), timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def api(self, path: str) -> Any:
        status, text = self.get(f"/api/v1{path}", self._token)
        expect(status == 200, f"GET {path}: {status} {text}")
        return json.loads(text)

    def exposures(self) -> float:
        text = self.get("/metrics", self._token)[1]
        return sum(float(value) for value in re.findall(r"^writecanary_exposures_total\{.*\} (\S+)$", text, re.MULTILINE))

    def finished(self) -> dict[str, dict[str, Any]]:
        """The latest finished run of each profile."""
        return {run["profile"]: run for run in reversed(self.api("/runs?state=finished")["items"])}

    def is_ready(self) -> bool:
        return self.get("/healthz")[0] == 200 and self.get("/readyz")[0] == 200

    def target(self) -> dict[str, Any]:
        [target] = self.api("/targets")["items"]
        return target

    def diagnosis(self) -> str:
        return self.run("set +e; podman ps -a; for each in $(podman ps -a -q); do podman logs --tail 60 $each; done", check=False)
