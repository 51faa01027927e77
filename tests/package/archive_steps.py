"""What an administrator does with the archive on a Debian for which there is no package, as docs/install.md says; one function a
step, each returns one line about what was seen."""

from pathlib import Path

from document import commands
from expectations import expect, wait_for
from host import Host
from steps import CONFIG, ROUND_SECONDS, is_confined, verdicts

TYPED = "types it on a Debian 11"


def type_them(host: Host, which: str = TYPED) -> str:
    """The commands of docs/install.md as they stand, where the files are. Returns what the last one said."""
    said = ""
    for command in commands(which):
        if command == "writecanary status":
            wait_for("the service", host.is_up, 120)
        said = host.run(f"cd {Path(host.packages[0]).parent} && {command}", seconds=900).stdout
    return said


def installs(host: Host) -> str:
    # The only thing that it wants of the host, and for unpacking alone.
    host.run("DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends zstd")
    said = type_them(host)
    expect("local" in said, f"the last command says:\n{said}")
    expect(host.property("UnitFileState") == "enabled", "the service is not enabled")
    return host.run("ldd --version").stdout.splitlines()[0] + ", started and enabled"


def finishes_a_round(host: Host) -> str:
    """On 5.10 there is nothing to be seen on some paths; it must say so."""
    finished = wait_for("a run of each profile", lambda: verdicts(host), ROUND_SECONDS)
    expect(not {"error", "stuck"} & set(finished.values()), f"verdicts {finished}")
    reasons = {run["profile"]: run["reason"] for run in host.api("/runs?state=finished&limit=100")["items"]}
    expect(all(reasons.values()), f"reasons {reasons}")
    return ", ".join(f"{profile} {verdict}" for profile, verdict in sorted(finished.items()))


def upgrades(host: Host) -> str:
    host.run(f"sed -i 's/^#every = \"15m\"/every = \"16m\"/' {CONFIG}")
    before = host.metric("writecanary_runs_total")
    pid = host.property("MainPID")
    type_them(host)
    expect(host.property("MainPID") != pid, "it was not restarted")
    host.run(f"grep -q '^every = \"16m\"' {CONFIG}")
    expect(host.metric("writecanary_runs_total") >= before, "results were lost")
    return "the same commands again: configuration and results are kept"


def removes(host: Host) -> str:
    host.run("/opt/writecanary/setup --remove")
    expect(host.property("ActiveState") in ("inactive", "failed"), "it still runs")
    host.run(f"test -e {CONFIG} && test -e /var/lib/writecanary/results.db && ! command -v writecanary")
    host.run("rm -r /opt/writecanary /etc/writecanary")
    return "configuration and results were still there"


def installs_with_rpm(host: Host) -> str:
    host.run("DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends rpm")
    expect("local" in type_them(host, "there being rpm on a Debian 11"), "the last command does not say what is watched")
    return host.run("rpm -q writecanary").stdout.strip()


def erases_with_rpm(host: Host) -> str:
    host.run("rpm -e writecanary")
    expect(host.property("ActiveState") in ("inactive", "failed"), "it still runs")
    host.run("test -e /var/lib/writecanary/results.db && ! test -e /opt/writecanary && ! test -e /etc/writecanary/writecanary.toml")
    return "stopped and gone, results are still there"


ARCHIVE_STEPS = [installs, is_confined, finishes_a_round, upgrades, removes, installs_with_rpm, erases_with_rpm]
