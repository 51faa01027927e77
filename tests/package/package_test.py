"""The Debian package itself: what is in it, what lintian and systemd say of it, and that it builds to the same bytes."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "kernel")]
import archive_tree as archive  # noqa: E402
import debian_package  # noqa: E402
from debian_package import ROOT  # noqa: E402
from kernels import Unavailable  # noqa: E402

EXPOSURE_MAX = 2.0
FILES = {
    "/usr/bin/writecanary", "/usr/bin/writecanaryd", "/usr/bin/writecanary-probe",
    "/etc/writecanary/writecanary.toml",
    f"{'' if debian_package.this_release() == 'bookworm' else '/usr'}/lib/systemd/system/writecanary.service",
    "/usr/lib/sysusers.d/writecanary.conf", "/usr/lib/tmpfiles.d/writecanary.conf",
    "/usr/share/man/man1/writecanary.1.gz", "/usr/share/man/man5/writecanary.toml.5.gz",
    "/usr/share/man/man8/writecanaryd.8.gz", "/usr/share/man/man8/writecanary-probe.8.gz",
    "/usr/share/bash-completion/completions/writecanary", "/usr/share/zsh/vendor-completions/_writecanary",
    "/usr/share/fish/vendor_completions.d/writecanary.fish",
    "/usr/share/doc/writecanary/copyright", "/usr/share/doc/writecanary/changelog.gz",
    "/usr/share/doc/writecanary/changelog.Debian.gz", "/usr/share/doc/writecanary/examples/target.conf",
    "/usr/share/doc/writecanary/examples/hold.conf", "/usr/share/doc/writecanary/examples/hold.rules",
    "/usr/share/lintian/overrides/writecanary", "/usr/share/writecanary/evidence.schema.json",
}
DIRECTORIES = ("/usr/share/writecanary/monitoring/", "/usr/share/doc/writecanary/runbooks/")


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def require(program, package):
    if not shutil.which(program):
        raise unittest.SkipTest(f"{program} is missing; install the package {package} (scripts/setup --package)")


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.package = debian_package.newest_package(debian_package.this_release())
        cls.contents = debian_package.contents(cls.package)

    def test_what_is_in_it(self):
        files = {path for path in self.contents if not path.endswith("/")}
        others = {path for path in files - FILES if not path.startswith(DIRECTORIES)}
        self.assertEqual((FILES - files, others), (set(), set()))

    def test_monitoring_is_in_it(self):
        installed = {Path(path).relative_to("/usr/share/writecanary") for path in self.contents if "/monitoring/" in path}
        self.assertLessEqual({path.relative_to(ROOT) for path in (ROOT / "monitoring/rules").glob("*.yml")}, installed)
        runbooks = {path.name for path in (ROOT / "docs/runbooks").glob("*.md")}
        self.assertTrue(runbooks)
        self.assertLessEqual(runbooks, {Path(path).name for path in self.contents if "/doc/writecanary/runbooks/" in path})

    def test_everything_belongs_to_root_and_only_root_may_write(self):
        for path, facts in self.contents.items():
            expected = "drwxr-xr-x" if path.endswith("/") else "-rwxr-xr-x" if "/bin/" in path else "-rw-r--r--"
            self.assertEqual(facts, f"{expected} root/root", path)

    def test_libraries_are_dependencies(self):
        self.assertRegex(debian_package.field(self.package, "Depends"), r"libc6 .*liburing2 ")

    def test_lintian_has_no_errors(self):
        require("lintian", "lintian")
        code, said = output_of("lintian", "--allow-root", "--fail-on", "error,warning", self.package)
        self.assertEqual((code, said), (0, ""))


class Unit(unittest.TestCase):
    UNIT = ROOT / "systemd/writecanary.service"

    def test_is_confined(self):
        require("systemd-analyze", "systemd")
        code, said = output_of("systemd-analyze", "security", "--offline=yes", "--no-pager", self.UNIT)
        exposure = re.search(r"Overall exposure level for writecanary.service: ([0-9.]+)", said)
        self.assertTrue(exposure, said)
        self.assertLessEqual(float(exposure.group(1)), EXPOSURE_MAX)

    def test_systemd_finds_nothing_wrong(self):
        require("systemd-analyze", "systemd")
        with tempfile.TemporaryDirectory() as directory:
            # With programs that are there, for that is verified too.
            bin_directory = os.environ["WRITECANARY_BIN"]
            unit = Path(directory) / self.UNIT.name
            unit.write_text(self.UNIT.read_text().replace("/usr/bin/writecanaryd", f"{bin_directory}/writecanaryd"))
            self.assertEqual(output_of("systemd-analyze", "verify", "--man=no", unit), (0, ""))


class Reproducible(unittest.TestCase):
    def test_another_directory_gives_the_same_bytes(self):
        """Builds the sources of the last commit anew, elsewhere and without the compiler's cache: package, archive and .rpm."""
        package = debian_package.newest_package(debian_package.this_release())
        archives = self.archives()
        git = ["git", "-C", ROOT, "-c", f"safe.directory={ROOT}"]
        if output_of(*git, "status", "--porcelain")[1] or not (ROOT / ".git").exists():
            self.skipTest("the tree is not exactly a commit, so it cannot be had a second time")
        if min(path.stat().st_mtime for path in [package, *archives]) < int(output_of(*git, "log", "-1", "--format=%ct")[1]):
            self.skipTest("what was built is older than the last commit; scripts/package and scripts/archive build it")
        with tempfile.TemporaryDirectory(prefix="writecanary-elsewhere-") as directory:
            copy = Path(directory) / "copy"
            subprocess.run(["git", "clone", "-q", ROOT, copy], check=True)
            for script in ("package", "archive")[: 1 + bool(archives)]:
                built = subprocess.run([copy / "scripts" / script], capture_output=True, text=True,
                                       env=os.environ | {"CCACHE_DISABLE": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"})
                self.assertEqual(built.returncode, 0, built.stdout[-4000:] + built.stderr[-4000:])
            for first in [package, Path(f"{package}.spdx.json"), *archives]:
                again = copy / first.relative_to(ROOT)
                self.assertTrue(again.read_bytes() == first.read_bytes(), f"{first.name}: the bytes differ; diffoscope says where")

    @staticmethod
    def archives():
        """The archive and the .rpm, with what they are made of, if scripts/archive was called."""
        try:
            made = [archive.newest_archive(), archive.newest_rpm()]
        except Unavailable:
            return []
        return made + [Path(f"{path}.spdx.json") for path in made]


if __name__ == "__main__":
    try:
        debian_package.newest_package(debian_package.this_release())
    except Unavailable as reason:
        print(f"package: skipped: {reason}")
        sys.exit(77)
    unittest.main()
