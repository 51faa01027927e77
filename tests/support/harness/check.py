"""`writecanary check` as a test sees it: exit code and document."""

import dataclasses
import json
import subprocess

from harness import kernel
from harness.run import program

CLEAN, CORRUPT, INCONCLUSIVE, UNSUPPORTED, FAILED, VIOLATION = 0, 2, 3, 4, 5, 6  # exit codes
# Of appends that are torn, which a kernel that duplicates them damages too.
TORN = CORRUPT if kernel.duplicates_appends() else VIOLATION


@dataclasses.dataclass
class Checked:
    exit_code: int
    document: dict
    errors: str

    @property
    def run(self):
        """The only run of the document."""
        [run] = self.document["runs"]
        return run


def check(path, *arguments, seconds=120, prefix=()):
    """Runs `writecanary check PATH --json ARGUMENTS`; the document is what it printed on stdout."""
    command = [*prefix, program("writecanary"), "check", path, "--json", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    assert ran.stdout, f"{command} printed no document (exit {ran.returncode}): {ran.stderr}"
    return Checked(ran.returncode, json.loads(ran.stdout), ran.stderr)


def check_each(path, profiles):
    """The run of each profile with its default settings."""
    return {profile: check(path, "--profile", profile).run for profile in profiles}
