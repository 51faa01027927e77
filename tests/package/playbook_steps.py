"""What an administrator does with the playbooks, one function a step; each returns one line about what was seen."""

import json
import re
from pathlib import Path

from expectations import expect, wait_for
from harness import markdown
from machine import CommandFailed
from playbook_control import NAMES, TOKEN, Control

ROOT = Path(__file__).resolve().parents[2]
CONFIG = "/etc/writecanary/writecanary.toml"
ALERT = "WritecanaryReloadFailed"
ALERT_SECONDS = 420  # it waits for five minutes itself
PID = "systemctl show -P MainPID writecanary"
VERSION = "dpkg-query -W -f '${Version}' writecanary"


def told(recap: dict[str, int]) -> str:
    return ", ".join(f"{host} {changed}" for host, changed in sorted(recap.items()))


def applies(control: Control) -> str:
    recap, _ = control.play()
    expect(set(recap) == set(NAMES) and all(recap.values()), f"changed: {recap}")
    for number in (1, 2):
        wait_for("readiness", lambda number=number: control.get(number, "/readyz")[0] == 200, 120)
    return f"{' and '.join(control.on_each(VERSION))}; changed: {told(recap)}"


def changes_nothing_the_second_time(control: Control) -> str:
    before = control.on_each(PID)
    recap, said = control.play()
    expect(not any(recap.values()), f"changed: {recap}\n" + "\n".join(re.findall(r"TASK.*|changed:.*", said)))
    expect(control.on_each(PID) == before, "the service was restarted")
    return f"changed: {told(recap)}, the same processes"


def is_scraped(control: Control) -> str:
    """By the Prometheus on the first one, with what docs/fleet.md says to write into its configuration."""
    blocks = markdown.split((ROOT / "docs/fleet.md").read_text(encoding="utf-8"))[1]
    [config] = [block.text for block in blocks if block.language == "yaml" and block.text.startswith("scrape_configs:")]
    prometheus = control.hosts[0]
    for path, text in (("/etc/prometheus/prometheus.yml", config), ("/etc/prometheus/writecanary.token", TOKEN),
                       ("/etc/prometheus/writecanary-ca.pem", Path(control.authority).read_text(encoding="ascii"))):
        prometheus.run(f"cat >{path} <<'END'\n{text.rstrip()}\nEND")
    prometheus.run("promtool check config /etc/prometheus/prometheus.yml && systemctl restart prometheus")
    up = wait_for("a scrape of each", lambda: len(found := control.prometheus.samples(
        'up{job="writecanary"} == 1')) == len(NAMES) and found, 180)
    expect({labels["instance"] for labels, _ in up} == {f"{name}:9743" for name in NAMES}, f"scraped as {up}")
    return "both by their names in the inventory, over TLS, with the token"


def alerts(control: Control) -> str:
    """By the rules that the playbook put there, after somebody edited a configuration by hand; the playbook puts it right."""
    def firing() -> set[str]:
        return {alert["labels"]["instance"] for alert in control.prometheus.get("alerts")["alerts"]
                if alert["state"] == "firing" and alert["labels"]["alertname"] == ALERT}

    control.hosts[1].run(f"echo 'nonsense = 1' >>{CONFIG} && systemctl reload writecanary")
    instances = wait_for("the alert", firing, ALERT_SECONDS)
    expect(instances == {f"{NAMES[1]}:9743"}, f"it fires for {instances}")
    recap, _ = control.play()
    expect(recap[NAMES[1]] > 0 and recap[NAMES[0]] == 0, f"changed: {recap}")
    wait_for("its end", lambda: not firing(), 120)
    return f"{ALERT} for {', '.join(instances)}; resolved by the playbook"


def lets_nobody_in_without_a_token(control: Control) -> str:
    for number in (1, 2):
        expect(control.get(number, "/metrics", None)[0] == 401, "metrics without a token")
    modes = control.on_each("stat -c '%a %U %G' /etc/writecanary/tls.key /etc/writecanary/writecanary.toml | sort -u")
    expect(modes == ["640 root writecanary"] * 2, f"modes {modes}")
    return "401 without it; key and configuration are 640 root writecanary"


def reloads_a_change(control: Control) -> str:
    before = control.on_each(PID)
    control.change(writecanary_defaults={"every": "16m", "duration": "10s"})
    recap, _ = control.play()
    expect(all(recap.values()) and control.on_each(PID) == before, f"changed: {recap}, {before} -> {control.on_each(PID)}")
    control.on_each("journalctl -b --no-pager -o cat -u writecanary | grep -q '15m.*16m'")
    return "another interval, the same processes"


def restarts_for_another_address(control: Control) -> str:
    before = control.on_each(PID)
    control.change(writecanary_listen="[::]:9743")
    control.play()
    after = control.on_each(PID)
    expect(not set(before) & set(after), "not restarted, so that it listens where it did")
    expect(control.on_each("ss -ltnH 'sport = :9743' | awk '{print $4}'") == ["*:9743"] * 2, "it does not listen there")
    return "listens on [::]:9743"


def stops_at_a_mistake(control: Control) -> str:
    before = control.on_each("sha256sum </etc/writecanary/writecanary.toml")
    control.change(writecanary_defaults={"every": "sometimes"})
    try:
        control.play()
    except CommandFailed as failure:
        refused = str(failure)
    else:
        expect(False, "a configuration that is wrong was taken")
    expect("every" in refused and f"{NAMES[1]} " not in refused.partition("PLAY RECAP")[2], f"what it says:\n{refused}")
    expect(control.on_each("sha256sum </etc/writecanary/writecanary.toml") == before, "the configuration was changed")
    control.change(writecanary_defaults={"every": "16m", "duration": "10s"})
    return f"refused by the daemon on {NAMES[0]}, {NAMES[1]} was not begun"


def upgrades(control: Control) -> str:
    def runs(number: int) -> int:
        return max((run["id"] for run in json.loads(control.get(number, "/api/v1/runs")[1])["items"]), default=0)

    before = [runs(1), runs(2)]
    newer = ("-e", f"writecanary_package={control.packages[1]}")
    recap, _ = control.play(*newer)
    versions = control.on_each(VERSION)
    expect(all(version.endswith("-2") for version in versions) and all(recap.values()), f"{versions}, changed: {recap}")
    for number in (1, 2):
        wait_for("readiness", lambda number=number: control.get(number, "/readyz")[0] == 200, 120)
    expect(runs(1) >= before[0] > 0 and runs(2) >= before[1] > 0, "the runs before are gone")
    again, _ = control.play(*newer)
    expect(not any(again.values()), f"changed again: {again}")
    return f"{' and '.join(versions)}, runs are kept; the second time changed: {told(again)}"


def removes(control: Control) -> str:
    absent = ("-e", "writecanary_state=absent")
    control.play(*absent)
    states = control.on_each("systemctl is-active writecanary", check=False)
    expect(set(states) <= {"inactive", "failed"}, f"it still runs: {states}")
    control.on_each("test -e /etc/writecanary/writecanary.toml && test -e /var/lib/writecanary/results.db && "
                    "test ! -e /etc/systemd/system/writecanary.service.d && test ! -e /usr/bin/writecanaryd")
    again, _ = control.play(*absent)
    expect(not any(again.values()), f"changed again: {again}")
    return f"configuration and results are still there; the second time changed: {told(again)}"


def purges(control: Control) -> str:
    purged = ("-e", "writecanary_state=purged")
    control.play(*purged)
    left = control.on_each("find / /data -xdev \\( -path /proc -o -path /root/packages -o -path /etc/prometheus -o -path "
                           "/var/lib/grafana -o -path /var/lib/prometheus \\) -prune -o -name '*writecanary*' ! -path '/sys/*' "
                           "! -path '/home/*' -print")
    expect(left == ["", ""], f"left behind: {left}")
    again, _ = control.play(*purged)
    expect(not any(again.values()), f"changed again: {again}")
    return "nothing is left but the user, and what the Prometheus was given"


STEPS = [applies, changes_nothing_the_second_time, is_scraped, lets_nobody_in_without_a_token, alerts, reloads_a_change,
         restarts_for_another_address, stops_at_a_mistake, upgrades, removes, purges]
