"""The commands of monitoring/kubernetes/README.md, as they stand: those for a cluster here, with a stand-in for kubectl that keeps
what is applied, those for a node on the node."""

import os
import shutil
import subprocess
from pathlib import Path

from harness import markdown
from machine import CommandFailed

KUBECTL = """\
set -e -o pipefail
kubectl() {
  [[ $1 != -n ]] || shift 2
  case "$1 $2" in
    "create secret") printf %s "${5#--from-literal=token=}" >"$APPLIED/token" ;;
    "apply -f") while shift && (($#)); do [[ $1 == -f ]] || cp "$1" "$APPLIED/"; done ;;
    *) echo "kubectl $* is not known here" >&2; return 1 ;;
  esac
}
"""
APPLIED = {"namespace.yml", "configmap.yml", "daemonset.yml", "podmonitor.yml", "prometheusrule.yml"}


def block(manifests: Path, place: str) -> str:
    """The commands that are marked as this test's, for that place."""
    blocks = markdown.split((manifests / "README.md").read_text(encoding="utf-8"))[1]
    [found] = [each.text for each in blocks if each.language == "sh" and f"the test pod does, {place}" in each.note]
    return found


def apply_as_the_readme_says(manifests: Path, directory: Path) -> Path:
    """A directory with what a cluster would have been given, and the token of the secret in "token"."""
    applied = directory / "applied"
    applied.mkdir()
    shutil.copytree(manifests, directory / "monitoring/kubernetes")
    done = subprocess.run(["bash", "-c", KUBECTL + block(manifests, "in a cluster")], cwd=directory, capture_output=True, text=True,
                          env={**os.environ, "APPLIED": str(applied)})
    if done.returncode != 0:
        raise CommandFailed(f"the commands of {manifests}/README.md: {done.stdout}{done.stderr}")
    if missing := APPLIED - {path.name for path in applied.iterdir()}:
        raise CommandFailed(f"{manifests}/README.md does not apply {', '.join(sorted(missing))}")
    return applied
