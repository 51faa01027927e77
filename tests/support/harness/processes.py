"""What runs and what was left running, read from /proc."""

import contextlib
import glob
import os


def users_of(path):
    """Ids of processes that have something open, or their working directory, below the path."""
    found = set()
    for link in glob.glob("/proc/[0-9]*/fd/*") + glob.glob("/proc/[0-9]*/cwd"):
        try:
            target = os.readlink(link)
        except OSError:  # gone meanwhile
            continue
        if target == path or target.startswith(path + "/"):
            found.add(int(link.split("/")[2]))
    return sorted(found)


def states_of(path):
    """States of the processes that use the path, as /proc/PID/stat has them."""
    found = set()
    for pid in users_of(path):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            found.add(stat.read().rsplit(") ", 1)[1][0])
    return found


def cgroups_of_runs(prefix="wc-"):
    """Directories of runs' cgroups, anywhere in the hierarchy."""
    return {path for path, _, _ in os.walk("/sys/fs/cgroup") if os.path.basename(path).startswith(prefix)}


def cgroups_of_users(path, prefix="wc-"):
    """Names of runs' cgroups that processes are in which use the path."""
    found = set()
    for pid in users_of(path):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="surrogateescape") as table:
            found |= {os.path.basename(line.rstrip("\n")) for line in table}
    return {name for name in found if name.startswith(prefix)}


def members_of(cgroup):
    """Ids of the processes that a cgroup has."""
    with open(os.path.join(cgroup, "cgroup.procs"), encoding="ascii") as table:
        return [int(line) for line in table]
