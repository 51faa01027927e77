"""What a cluster does with the pod, one function a step; each returns one line about what was seen."""

import time
from pathlib import Path
from typing import Any

from document import commands
from expectations import expect, wait_for
from harness import kernel
from pod_cluster import block
from pod_node import APPARMOR, CONTAINER, Node

MANIFESTS = Path(__file__).resolve().parents[2] / "monitoring/kubernetes"
PLAY = ("podman play kube --quiet --network host --configmap configmap.yml --seccomp-profile-root /var/lib/kubelet/seccomp "
        "--log-driver k8s-file pod.yml")
HELD = "shared-blocks"
DAC_OVERRIDE = f"{1 << 1:016x}"
ROUND_SECONDS = 300
GRACE_SECONDS = 15  # terminationGracePeriodSeconds


def is_prepared(node: Node) -> str:
    """By the commands for each node. The profile gets one line for podman's own pause program, which no kubelet has."""
    node.run(block(MANIFESTS, "on a node"))
    if APPARMOR.exists():
        node.run("sed -i 's|^profile writecanary .*|&\\n  /catatonit mrix,|' /etc/apparmor.d/writecanary && "
                 "apparmor_parser -r /etc/apparmor.d/writecanary")
    node.run(f"mount --bind {node.disk} /data && podman load -q -i {node.archives['oci']}")
    size = node.run(f"podman image inspect -f '{{{{.Size}}}}' {node.image}")
    return f"{size} bytes of image, seccomp, {'AppArmor' if APPARMOR.exists() else 'no AppArmor in this kernel'}, a disk on XFS"


def starts(node: Node) -> str:
    node.run(PLAY)
    wait_for("health and readiness", node.is_ready, 120)
    return node.run("podman pod ps --format '{{.Name}} {{.Status}}'")


def is_confined(node: Node) -> str:
    """What listens has one capability, the profiles, and a root that it cannot write to."""
    status = node.status()
    expect(status["Name"] == "writecanaryd", f"it is {status['Name']}")
    for field in ("CapPrm", "CapEff", "CapBnd"):
        expect(status[field] == DAC_OVERRIDE, f"{field} {status[field]}")
    expect((status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), f"{status['NoNewPrivs']}, {status['Seccomp']}")
    pid = node.inspect(".State.Pid")
    if APPARMOR.exists():
        label = node.run(f"cat /proc/{pid}/attr/current")
        expect(label == "writecanary (enforce)", f"AppArmor: {label}")
    options = node.run(f"awk '$5 == \"/\" {{ print $6 }}' /proc/{pid}/mountinfo")
    expect(options.split(",")[0] == "ro", f"its root is {options}")
    return f"DAC_OVERRIDE alone, no new privileges, seccomp, root {options}"


def asks_for_a_token(node: Node) -> str:
    expect(node.get("/metrics")[0] == 401, "metrics without a token")
    expect(node.get("/metrics", "another")[0] == 401, "metrics for any token")
    up = wait_for("a scrape", lambda: node.prometheus.samples('up{job="writecanary"} == 1'), 120)
    expect(up[0][0]["instance"] == "node-1:9743", f"scraped as {up[0][0]}")
    return "scraped as node-1:9743 by who shows the secret's"


def is_exposed(node: Node) -> str:
    """Each profile that the service runs by itself; one of them only on a node that lets it hold calls open."""
    wanted = {each["profile"] for each in node.target()["profiles"]}
    runs = wait_for("a run of each profile", lambda: wanted <= set(found := node.finished()) and found, ROUND_SECONDS)
    expected = ("corrupt",) if kernel.duplicates_appends() else ("clean", "violation")
    expect(runs["append"]["verdict"] in expected, f"append is {runs['append']['verdict']}: {runs['append'].get('reason')}")
    for profile, run in runs.items():
        refused = profile == HELD and "userfaultfd" in run["reason"]
        expect(run["exposures"] > 0 or refused, f"{profile} is {run['verdict']}: {run['reason']}")
    pressure = node.api("/status")["pressure"]
    expect(pressure["backend"] in ("cgroup1", "cgroup2"), f"no pressure: {pressure}")
    seen = ", ".join(f"{profile} {run['exposures']} of {run['writes']} {run['verdict']}" for profile, run in sorted(runs.items()))
    return f"exposed: {seen}; {pressure['backend']} in {pressure['directory']}"


def alerts(node: Node) -> str:
    """What every kernel since 6.1 does on XFS: duplicates, or torn appends."""
    name = "WritecanaryCorruption" if kernel.duplicates_appends() else "WritecanaryTornAppends"

    def firing() -> list[dict[str, Any]]:
        return [alert["labels"] for alert in node.prometheus.get("alerts")["alerts"]
                if alert["state"] == "firing" and alert["labels"]["alertname"] == name]

    labels = wait_for(f"the alert {name}", firing, 120)[0]
    expect(labels["job"] == "writecanary", f"{labels}")
    return f"{name}: {labels['release']}"


def answers_in_the_container(node: Node) -> str:
    said = node.run(f"podman exec {CONTAINER} writecanary health")
    expect(said == "The daemon answers.", said)
    refused = node.run(f"podman exec {CONTAINER} sh -c 'echo x >/etc/x'", check=False)
    expect("Read-only file system" in refused or "Permission denied" in refused, refused)
    return "writecanary health; nothing can be written to its root"


def stop(node: Node, what: str, container: str) -> str:
    """SIGTERM, and exit code 0 within the time that Kubernetes gives."""
    started = time.monotonic()
    node.run(f"podman {what}")
    code = node.inspect(".State.ExitCode", container)
    expect(code == "0", f"exit code {code}")
    return f"SIGTERM, exit code 0 after {time.monotonic() - started:.1f} s"


def stops(node: Node) -> str:
    wait_for("the end of the runs", lambda: not node.api("/runs?state=running")["items"], ROUND_SECONDS)
    said = stop(node, f"pod stop -t {GRACE_SECONDS} writecanary", CONTAINER)
    left = node.run("find /data -mindepth 1 ! -path '/data/.writecanary*'")
    expect(not left, f"left behind: {left}")
    return said


def is_replaced(node: Node) -> str:
    """The pod is another, the counters go on; the disk is not mounted at first and comes later."""
    node.run("podman pod rm -f writecanary && umount /data")
    node.run(PLAY)
    wait_for("health and readiness", node.is_ready, 120)
    before = node.exposures()
    expect(before > 0, "the counters began again")
    expect(node.target()["state"] == "not_mounted", f"without its disk the target is {node.target()['state']}")
    expect(not node.run("ls -A /data"), "something was written where the disk is not")
    node.run(f"mount --bind {node.disk} /data")
    wait_for("the disk in the pod", lambda: node.target()["state"] in ("idle", "running"), 60)
    return f"{before:.0f} exposures are still counted; not_mounted, and after a mount on the node {node.target()['state']}"


def runs_without_a_shell(node: Node) -> str:
    """In the format of docker, which has a place for a health check: as the image's own user, without any capability, nothing
    writable but the volume of its state."""
    node.run("podman pod rm -f writecanary && podman rmi -f -a")
    node.run(f"podman load -q -i {node.archives['docker']}")
    node.run("podman run -d --name plain --network host --read-only --read-only-tmpfs=false --cap-drop all --security-opt "
             f"no-new-privileges --security-opt seccomp=/var/lib/kubelet/seccomp/writecanary.json {node.image}")
    wait_for("health", lambda: node.run("podman healthcheck run plain && echo well", check=False).endswith("well"), 60)
    status = node.status("plain")
    expect(status["Uid"].split() == ["65532"] * 4, f"user {status['Uid']}")
    expect(int(status["CapBnd"], 16) == 0, f"CapBnd {status['CapBnd']}")
    return f"healthy as user 65532 without capabilities; {stop(node, f'stop -t {GRACE_SECONDS} plain', 'plain')}"


def is_tried_as_the_document_says(node: Node) -> str:
    """By the commands of docs/install.md, but for the building."""
    built, load, run = commands("the test pod does, with the image that was built")
    expect(built == "scripts/image", f"the first command is {built}")
    node.run("podman rm -f -a && podman rmi -f -a && podman volume rm -f -a")  # of the pod's ConfigMap there is one of that name
    node.run(f"mkdir -p build/image && ln -s {node.archives['docker']} build/image/")
    node.run(f"{load} && {run}")
    wait_for("health", lambda: node.run("podman exec writecanary writecanary health", check=False) == "The daemon answers.", 60)
    return stop(node, f"stop -t {GRACE_SECONDS} writecanary", "writecanary")


STEPS = [is_prepared, starts, is_confined, asks_for_a_token, is_exposed, alerts, answers_in_the_container, stops, is_replaced,
         runs_without_a_shell, is_tried_as_the_document_says]
