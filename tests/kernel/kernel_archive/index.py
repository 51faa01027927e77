"""Which kernels the suites' package indices hold, and of which packages each is made. Pure.

Up to 6.18 a kernel is one package. Since 6.19 it is split: linux-binary has the image, linux-modules the modules, and
linux-image only names both. The modules of a kernel that was superseded leave the index before they leave the pool. Then the
index still names them, but no longer their hash: such a part is `unlisted`.
"""

import dataclasses
import hashlib
import re
from collections.abc import Iterable

from . import versions

FLAVOURS = ("cloud-amd64", "amd64", "rt-amd64")
USUAL_FLAVOUR = FLAVOURS[0]  # small, and with all that a guest needs
_NAME = re.compile(rf"linux-(image|binary|modules)-(\d+\.\d+\.\d+[^_]*?)-({'|'.join(FLAVOURS)})")


@dataclasses.dataclass(frozen=True)
class Part:
    """One package."""

    name: str
    version: str
    url: str
    sha256: str | None  # nothing: unlisted

    def identity(self) -> str:
        return self.sha256 or f"{self.name}={self.version}"


@dataclasses.dataclass(frozen=True)
class Build:
    """One kernel as it was built once."""

    version: str  # of the package: "6.12.90-2"
    abi: str  # "6.12.90+deb13.1"
    flavour: str
    suites: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        """By which it is asked for."""
        return self.version if self.flavour == USUAL_FLAVOUR else f"{self.version}:{self.flavour}"

    @property
    def package(self) -> str:
        return f"linux-image-{self.abi}-{self.flavour}"

    @property
    def key(self) -> str:
        """The same for the same bytes."""
        return hashlib.sha256(" ".join(part.identity() for part in self.parts).encode()).hexdigest()[:16]

    @property
    def listed(self) -> bool:
        return all(part.sha256 for part in self.parts)

    def as_json(self) -> dict:
        return dataclasses.asdict(self)


def from_json(document: dict) -> Build:
    return Build(**document | {"suites": tuple(document["suites"]), "parts": tuple(Part(**part) for part in document["parts"])})


def stanzas(text: str) -> Iterable[dict[str, str]]:
    """The packages of an index that are parts of a kernel."""
    for paragraph in text.split("\n\n"):
        name = paragraph[len("Package: "):paragraph.find("\n")]
        if paragraph.startswith("Package: linux-") and _NAME.fullmatch(name):
            yield dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", paragraph, re.MULTILINE))


def builds(suites: Iterable[tuple[str, str, str]]) -> list[Build]:
    """What the indices hold, the oldest first. Of each suite: its name, the address of its archive, the text of its index."""
    parts: dict[tuple[str, str], Part] = {}
    found: dict[tuple[str, str], tuple[dict[str, str], str, list[str]]] = {}
    for suite, archive, text in suites:
        for stanza in stanzas(text):
            name, version = stanza["Package"], stanza["Version"]
            parts[name, version] = Part(name, version, archive + stanza["Filename"], stanza["SHA256"])
            if name.startswith("linux-image-"):
                found.setdefault((name, version), (stanza, archive, []))[2].append(suite)
    made = []
    for (name, version), (stanza, archive, where) in found.items():
        _, abi, flavour = _NAME.fullmatch(name).groups()
        made.append(Build(version, abi, flavour, tuple(where), _parts(stanza, archive, parts)))
    return sorted(made, key=lambda build: (versions.order(build.version), FLAVOURS.index(build.flavour)))


def _parts(image: dict[str, str], archive: str, listed: dict[tuple[str, str], Part]) -> tuple[Part, ...]:
    named = [name for name in re.findall(r"linux-(?:binary|modules)-[^ ,]+", image.get("Depends", ""))]
    if not named:
        return (listed[image["Package"], image["Version"]],)
    return tuple(listed.get((name, image["Version"])) or _unlisted(name, image, archive) for name in sorted(set(named)))


def _unlisted(name: str, image: dict[str, str], archive: str) -> Part:
    # The signed packages are of a source package of their own, "linux-signed-amd64" or "linux-signed-6.12-amd64".
    signed = image.get("Source", "linux").partition(" ")[0]
    source = "linux" + (re.sub(r"^linux-signed|-amd64$", "", signed) if signed.startswith("linux-signed") else "")
    version = image["Version"]
    return Part(name, version, f"{archive}pool/main/l/{source}/{name}_{version}_amd64.deb", None)
