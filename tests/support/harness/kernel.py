"""What is known of the running kernel, as far as a test's expectation depends on it."""

import os
import re
import unittest

# First stable release of each series that no longer duplicates; series in between never got the fix.
FIXED_IN = {(6, 1): 176, (6, 6): 143, (6, 12): 94}


def version():
    """(major, minor, patch). Debian's release says 6.1.0-47 where the version says 6.1.170."""
    name = os.uname()
    debian = re.search(r"Debian (\d+)\.(\d+)\.(\d+)", name.version)
    match = debian or re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", name.release)
    return tuple(int(part or 0) for part in match.groups())


def duplicates_appends():
    major, minor, patch = version()
    return (6, 0) <= (major, minor) < (6, 15) and patch < FIXED_IN.get((major, minor), 10**6)


def require_fixed():
    if duplicates_appends():
        raise unittest.SkipTest(f"this kernel ({os.uname().release}) duplicates appends: it cannot be found clean")


def has_memory_cgroup():
    """Whether root can have a memory cgroup here, without which no run can be exposed."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
        for line in table:
            mount_point = line.split()[4]
            fstype, _, options = line.split(" - ")[1].split()
            if fstype == "cgroup" and "memory" in options.split(","):
                return os.access(mount_point, os.W_OK)
            if fstype == "cgroup2":
                with open(os.path.join(mount_point, "cgroup.controllers"), encoding="utf-8") as controllers:
                    if "memory" in controllers.read().split():
                        return os.access(mount_point, os.W_OK)
    return False


def require_memory_cgroup():
    if not has_memory_cgroup():
        raise unittest.SkipTest("no writable memory cgroup: no run can be exposed here")


def kernel_at_least(major, minor):
    """Whether this machine's kernel is of that upstream version or a later one."""
    return tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) >= (major, minor)
