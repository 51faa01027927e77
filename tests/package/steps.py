"""What an administrator does with the package, one function a step; each returns one line about what was seen."""

import re
import time

from document import commands
from expectations import expect, wait_for
from host import SERVICE, Host
from machine import Output

CONFIG = "/etc/writecanary/writecanary.toml"
INSTALL = "DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 install"
ROUND_SECONDS = 300  # one run of each default profile, slowly


def installs(host: Host) -> str:
    """As docs/install.md says, but for the building, where the package is the only one."""
    built, install, status = commands("guest_trixie on a Debian 13")
    expect(built == "scripts/package", f"the first command is {built}")
    host.run(f"mkdir -p /root/typed/build/package && ln -s {host.packages[0]} /root/typed/build/package/")
    host.run(f"cd /root/typed && {install}", seconds=900)
    wait_for("the service", host.is_up, 120)
    expect("local" in host.run(status).stdout, "it does not say what is watched")
    expect(host.property("UnitFileState") == "enabled", "the service is not enabled")
    return host.run("dpkg-query -W -f '${Version}' writecanary").stdout + ", started and enabled"


def finds_the_duplicate(host: Host) -> str:
    """With the configuration as it came, in the first round."""
    started = time.monotonic()
    count = wait_for("a duplicate in /metrics", host.duplicates, ROUND_SECONDS)
    kernel = re.search(r'writecanary_kernel_info\{.*release="([^"]*)"', host.get("/metrics")).group(1)
    return f"{count:.0f} duplicates on {kernel}, {time.monotonic() - started:.0f} s after the start"


def is_confined(host: Host) -> str:
    """Not root, and every run in a cgroup of its own below the service's."""
    user = host.run(f"ps -o user= -p {host.property('MainPID')}").stdout.strip()
    expect(user in ("writecanary", "writecan+"), f"the daemon runs as {user}")
    pressure = host.api("/status")["pressure"]
    expect(pressure["backend"] == "cgroup2", f"no pressure: {pressure}")
    expect(pressure["directory"].endswith(f"/system.slice/{SERVICE}"), f"runs elsewhere: {pressure}")
    score = host.run(f"systemd-analyze security --no-pager {SERVICE}").stdout
    exposure = float(re.search(r"Overall exposure level.*: ([0-9.]+)", score).group(1))
    expect(exposure <= 2.0, f"exposure {exposure}")
    return f"as {user}, {pressure['backend']} in {pressure['directory']}, exposure {exposure}"


def finishes_a_round(host: Host) -> str:
    finished = wait_for("a run of each profile", lambda: verdicts(host), ROUND_SECONDS)
    expect("error" not in finished.values() and "stuck" not in finished.values(), f"verdicts {finished}")
    left = host.run("find /var/lib/writecanary/canary -mindepth 1 ! -path '*/.writecanary*'").stdout
    expect(not left, f"left behind: {left}")
    return ", ".join(f"{profile} {verdict}" for profile, verdict in sorted(finished.items()))


def verdicts(host: Host, target: str = "local") -> dict[str, str]:
    """Of each profile that the service runs by itself, once all of them have one."""
    runs = host.api(f"/runs?target={target}&state=finished&limit=100")["items"]
    found = {run["profile"]: run["verdict"] for run in runs}
    return found if host.profiles() <= set(found) else {}


def says_what_it_is_doing(host: Host) -> str:
    status = host.run(f"systemctl status --no-pager {SERVICE}").stdout
    expect("active (running)" in status, status)
    journal = host.run(f"journalctl -b --no-pager -o cat -u {SERVICE}").stdout
    expect("corrupt" in journal, f"the journal does not say what was found:\n{journal}")
    shown = host.run("writecanary status").stdout
    expect("corrupt" in shown, f"writecanary status says:\n{shown}")
    return re.search(r'Status: "(.*)"', status).group(1)


def reloads(host: Host) -> str:
    pid = host.property("MainPID")
    host.run(f"sed -i 's/^#every = \"15m\"/every = \"16m\"/' {CONFIG} && systemctl reload {SERVICE}")
    wait_for("the new configuration", lambda: "15m\" -> \"16m" in host.run(
        f"journalctl -b --no-pager -o cat -u {SERVICE}").stdout, 60)
    expect(host.property("MainPID") == pid, "it was restarted, not reloaded")
    expect(host.metric("writecanary_config_reload_successful") == 1, "the reload did not succeed")
    return "by SIGHUP, same process"


def restarts(host: Host) -> str:
    before = host.duplicates()
    host.run(f"systemctl restart {SERVICE}")
    wait_for("the service", host.is_up, 120)
    expect(host.duplicates() >= before, f"{host.duplicates():.0f} duplicates, {before:.0f} before")
    expect(host.property("Result") == "success", "the restart was not orderly")
    return f"{before:.0f} duplicates are still counted"


def is_let_onto_another_filesystem(host: Host) -> str:
    """As /usr/share/doc/writecanary/examples/target.conf says."""
    example = "/usr/share/doc/writecanary/examples/target.conf"
    host.run("install -d -o writecanary -g writecanary -m 0700 /data/.writecanary")
    host.run(f"install -D -m 0644 {example} /etc/systemd/system/{SERVICE}.d/target-data.conf && systemctl daemon-reload")
    host.run(f"printf '\\n[[target]]\\nname = \"data\"\\npath = \"/data\"\\nfstype = \"xfs\"\\n' >>{CONFIG}")
    host.run(f"systemctl restart {SERVICE}")
    finished = wait_for("a round on /data", lambda: verdicts(host, "data"), 2 * ROUND_SECONDS)  # between its runs are the other's
    expect(finished["append"] == "corrupt", f"verdicts {finished}")
    return "corrupt there too"


def lets_go_of_it(host: Host) -> str:
    """The service's own mount namespace must not keep a target busy."""
    wait_for("the end of the run", lambda: host.metric("writecanary_run_in_progress") == 0, ROUND_SECONDS)
    # A filesystem that is mounted anywhere, in whatever namespace, has a directory there.
    host.run("umount /data && test ! -e /sys/fs/xfs/vdb && mount /data")
    again = host.run("writecanary run data --writes 50 --wait", check=False)
    expect(again.exit_code == 2, f"after it was mounted again: exit code {again.exit_code}\n{again.stdout}{again.stderr}")
    return "unmounted, mounted again and written to while the service runs"


def may_hold_calls_open(host: Host) -> str:
    """As /usr/share/doc/writecanary/examples/hold.conf says; before that it may not, and says so."""
    examples = "/usr/share/doc/writecanary/examples"

    def held() -> Output:
        return host.run("writecanary run data --profile shared-blocks --queue --wait", check=False)  # a restart begins a round

    refused = held()
    expect(refused.exit_code == 3, f"exit code {refused.exit_code}, not 3: {refused.stdout}{refused.stderr}")
    host.run(f"install -D -m 0644 {examples}/hold.rules /etc/udev/rules.d/70-writecanary.rules")
    host.run("udevadm control --reload && udevadm trigger --name-match=userfaultfd && udevadm settle")
    host.run(f"install -D -m 0644 {examples}/hold.conf /etc/systemd/system/{SERVICE}.d/hold.conf")
    host.run(f"systemctl daemon-reload && systemctl restart {SERVICE}")
    wait_for("the service", host.is_up, 120)
    clean = held()
    expect(clean.exit_code == 0, f"exit code {clean.exit_code}, not 0: {clean.stdout}{clean.stderr}")
    return "shared-blocks was unexposed and is clean"


CHECK = "writecanary check . --profile append --writes 50"


def _advice(refused: Output) -> str:
    """The command that a check without a cgroup says to type."""
    expect(refused.exit_code == 3, f"exit code {refused.exit_code}, not 3: {refused.stderr}")
    lines = [line.strip() for line in refused.stderr.splitlines() if " -p Delegate=memory writecanary " in line]
    expect(len(lines) == 1, f"it does not say what to type:\n{refused.stderr}")
    return lines[0]


def checks_for_an_ordinary_user(host: Host) -> str:
    """In a login session, whose service manager lends a cgroup."""
    command = _advice(host.run_as_user(CHECK, check=False))
    lent = host.run_as_user(command, check=False)
    expect(lent.exit_code == 2 and "duplicate" in lent.stdout, f"{command}: {lent.exit_code}\n{lent.stdout}{lent.stderr}")
    return command


def checks_with_the_help_of_root(host: Host) -> str:
    """For a user who has no session, as in a cron job."""
    host.run("useradd -m bob")
    command = _advice(host.run(f"cd /home/bob && setpriv --reuid=bob --regid=bob --clear-groups {CHECK}", check=False))
    lent = host.run(f"cd /home/bob && {command.removeprefix('sudo ')}", check=False)
    expect(lent.exit_code == 2 and "duplicate" in lent.stdout, f"{command}: {lent.exit_code}\n{lent.stdout}{lent.stderr}")
    return command


def upgrades(host: Host) -> str:
    before = host.duplicates()
    said = host.run(f"{INSTALL} {host.packages[1]}").stdout
    expect("Configuration file" not in said, f"dpkg asked about the configuration:\n{said}")
    wait_for("the service", host.is_up, 120)
    expect(host.duplicates() >= before, f"{host.duplicates():.0f} duplicates, {before:.0f} before")
    host.run(f"grep -q '^every = \"16m\"' {CONFIG}")
    return host.run("dpkg-query -W -f '${Version}' writecanary").stdout + ", configuration and results are kept"


def removes(host: Host) -> str:
    host.run("DEBIAN_FRONTEND=noninteractive apt-get -q -y remove writecanary")
    expect(host.property("ActiveState") in ("inactive", "failed"), "it still runs")
    host.run(f"test -e {CONFIG} && test -e /var/lib/writecanary/results.db")
    return "configuration and results are still there"


def purges(host: Host) -> str:
    host.run(f"rm -r /etc/systemd/system/{SERVICE}.d /etc/udev/rules.d/70-writecanary.rules")  # the administrator's own
    host.run("DEBIAN_FRONTEND=noninteractive apt-get -q -y purge writecanary")
    left = host.run("find / -xdev -path /proc -prune -o -name '*writecanary*' ! -path '/root/packages/*' ! -path '/root/typed/*' "
                    "! -path '/sys/*' ! -path '/data/*' -print").stdout.split()
    expect(not left, f"left behind: {left}")
    expect(host.run("getent passwd writecanary", check=False).exit_code == 0, "the user is gone, its files may not be")
    return "nothing is left but the user"


STEPS = [installs, finds_the_duplicate, is_confined, finishes_a_round, says_what_it_is_doing, reloads, restarts,
         is_let_onto_another_filesystem, lets_go_of_it, may_hold_calls_open, checks_for_an_ordinary_user,
         checks_with_the_help_of_root, upgrades, removes, purges]
