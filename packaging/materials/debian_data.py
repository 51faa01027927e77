"""What dpkg and npm know of what the programs are made of: names, versions, sources, licences."""

import dataclasses
import json
import re
import subprocess
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NODE_MODULES = ROOT / "web/node_modules"

# Of these headers alone are used, so what is of them is within the programs.
HEADERS = ("nlohmann-json3-dev", "libcli11-dev")

FIELDS = ("Package", "Version", "Architecture", "source:Package", "source:Version")


@dataclasses.dataclass(frozen=True, order=True)
class Material:
    name: str
    version: str
    locator: str  # a package URL (purl)
    source: str  # in words
    licences: str  # as its copyright file or its package.json names them
    texts: tuple[Path, ...]  # the files that hold them


def debian(package: str, codename: str) -> Material:
    """Of an installed package. Throws FileNotFoundError when it came without its copyright."""
    shown = subprocess.run(["dpkg-query", "-W", "-f", "\\n".join(f"${{{field}}}" for field in FIELDS), package],
                           capture_output=True, text=True, check=True).stdout
    name, version, architecture, source, source_version = shown.split("\n")
    text = Path("/usr/share/doc", name, "copyright")
    if not text.exists():
        raise FileNotFoundError(f"{text} is missing: the package {name} was installed without its documentation")
    named = sorted(set(re.findall(r"^License: *(\S.*)$", text.read_text(errors="replace"), re.MULTILINE)))
    locator = f"pkg:deb/debian/{name}@{urllib.parse.quote(version, safe='')}?arch={architecture}&distro={codename}"
    return Material(name, version, locator, f"Debian source package {source} {source_version}", ", ".join(named), (text,))


def page() -> list[Material]:
    """What is bundled into the page (web/build.mjs)."""
    lock = json.loads((ROOT / "web/package-lock.json").read_text(encoding="utf-8"))
    materials = []
    for place, facts in lock["packages"].items():
        if not place or facts.get("dev"):
            continue
        name = place.removeprefix("node_modules/")
        texts = tuple(sorted(path for path in (NODE_MODULES / name).glob("*") if path.name.upper().startswith("LICEN")))
        if not texts:
            raise FileNotFoundError(f"no licence in {NODE_MODULES / name}; the page is not built (scripts/package builds it)")
        locator = f"pkg:npm/{urllib.parse.quote(name, safe='/')}@{facts['version']}"
        materials.append(Material(name, facts["version"], locator, f"npm package, integrity {facts['integrity']}", facts["license"], texts))
    return materials


def common_licences(material: Material) -> set[Path]:
    """The texts in /usr/share/common-licenses that its own refers to."""
    named = {name.rstrip(".") for text in material.texts
             for name in re.findall(r"/usr/share/common-licenses/([\w.-]+)", text.read_text(errors="replace"))}
    return {path for name in named if (path := Path("/usr/share/common-licenses", name)).exists()}
