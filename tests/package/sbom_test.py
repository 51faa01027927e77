"""The bills of materials of what was built: well formed, of exactly that file, and with what is really in it."""

import hashlib
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "kernel")]
import archive_tree as archive  # noqa: E402
import debian_package  # noqa: E402
from harness import run  # noqa: E402

BUILT = [path for folder in ("package", "archive") for path in sorted((archive.ROOT / "build" / folder).glob("*.spdx.json"))]
LOCATOR = re.compile(r"pkg:(deb/debian|npm)/[A-Za-z0-9.%/@+-]+@[A-Za-z0-9.%~_-]+(\?arch=(amd64|arm64|all)&distro=\w+)?")


class Bills(unittest.TestCase):
    def each(self):
        for path in BUILT:
            with self.subTest(path.name):
                yield path, json.loads(path.read_text(encoding="utf-8"))

    def test_well_formed(self):
        for _, bill in self.each():
            self.assertEqual((bill["spdxVersion"], bill["dataLicense"], bill["SPDXID"]), ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))
            self.assertRegex(bill["creationInfo"]["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            names = [package["SPDXID"] for package in bill["packages"]]
            self.assertEqual(len(names), len(set(names)))
            for package in bill["packages"]:
                self.assertRegex(package["SPDXID"], r"^SPDXRef-[A-Za-z0-9.-]+$")
                self.assertLessEqual({"name", "versionInfo", "downloadLocation", "licenseConcluded", "licenseDeclared",
                                      "copyrightText"}, set(package))
                for reference in package.get("externalRefs", []):
                    self.assertTrue(LOCATOR.fullmatch(reference["referenceLocator"]), reference)
            for relation in bill["relationships"]:
                self.assertIn(relation["relatedSpdxElement"], names)
                self.assertIn(relation["spdxElementId"], [*names, "SPDXRef-DOCUMENT"])

    def test_of_the_file_beside_it(self):
        for path, bill in self.each():
            artefact = path.with_name(path.name.removesuffix(".spdx.json"))
            [described] = [package for package in bill["packages"] if package["SPDXID"] == "SPDXRef-artefact"]
            self.assertEqual(described["packageFileName"], artefact.name)
            self.assertEqual(described["checksums"][0]["checksumValue"], hashlib.sha256(artefact.read_bytes()).hexdigest())

    def test_the_libraries_of_the_package_are_those_that_it_depends_on(self):
        package = debian_package.newest_package()
        bill = json.loads(Path(f"{package}.spdx.json").read_text(encoding="utf-8"))
        linked = {relation["relatedSpdxElement"] for relation in bill["relationships"] if relation["relationshipType"] == "DYNAMIC_LINK"}
        names = {package["name"] for package in bill["packages"] if package["SPDXID"] in linked}
        depends = {re.split(r"[ (]", part.strip())[0] for part in debian_package.field(package, "Depends").split(",")}
        # A package may be depended on by the name of an interface that it provides: libspdlog1.15-fmt10 of libspdlog1.15.
        packages = {next((name for name in names if depended.startswith(f"{name}-")), depended) for depended in depends}
        self.assertEqual(names, packages - {"systemd", "init-system-helpers", "tzdata"})

    def test_every_library_of_the_archive_is_told(self):
        path = archive.newest_archive()
        bill = json.loads(Path(f"{path}.spdx.json").read_text(encoding="utf-8"))
        told = {package["name"] for package in bill["packages"]}
        libraries = {Path(member.name).name for member in archive.members(path)
                     if member.isfile() and member.name.startswith(f"{archive.PREFIX}/lib/lib")}
        self.assertGreater(len(libraries), 10)
        for library in libraries:
            owners = subprocess.run(["dpkg-query", "-S", f"*/{library}"], capture_output=True, text=True, check=False).stdout
            named = {line.partition(":")[0] for line in owners.splitlines()}
            self.assertTrue(named & told, f"{library} of {named}")


if __name__ == "__main__":
    if not BUILT:
        print("sbom: skipped: nothing is built; scripts/package and scripts/archive build it")
        sys.exit(77)
    run.main()
