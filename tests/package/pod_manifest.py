"""The DaemonSet as podman plays it: the pod of its template, with what podman 4.3 understands in another way than a kubelet."""

from pathlib import Path
from typing import Any

import yaml

# Fields that `podman play kube` takes no notice of, or takes for something else; README.md of monitoring/kubernetes has the same.
DIFFERENCES = {
    "appArmorProfile": "is ignored; where the kernel has AppArmor, containers.conf makes the profile everybody's",
    "seccompProfile": "is ignored; the annotation that it replaced is not",
    "livenessProbe": "becomes a call of curl inside the container; the test asks from outside, as a kubelet does",
    "readinessProbe": "is ignored; the same",
    "ports": "are refused for a pod on its host's network, as this one is: a network namespace of the test",
    "limits of processes": "are not raised, since this machine may not let root do so",
    "tolerations": "are ignored: there is one node",
    "automountServiceAccountToken": "is ignored: there is no such token",
}
SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def pod(daemonset: dict[str, Any], image: str) -> dict[str, Any]:
    """A Pod of the DaemonSet's template. Throws KeyError when the template has not what is replaced here."""
    template = daemonset["spec"]["template"]
    spec = template["spec"]
    [container] = spec["containers"]
    context = container["securityContext"]
    annotations = {SECCOMP + container["name"]: f"localhost/{context['seccompProfile']['localhostProfile']}"}
    del container["livenessProbe"], container["ports"]
    container["image"] = image
    metadata = {"name": daemonset["metadata"]["name"], "labels": template["metadata"]["labels"], "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def write_pod(manifests: Path, image: str, path: Path) -> Path:
    [daemonset] = documents(manifests / "daemonset.yml")
    path.write_text(yaml.safe_dump(pod(daemonset, image)), encoding="utf-8")
    return path


def write_rules(manifests: Path, path: Path) -> Path:
    """The PrometheusRule as the file that the operator makes of it."""
    [rules] = documents(manifests / "prometheusrule.yml")
    path.write_text(yaml.safe_dump(rules["spec"]), encoding="utf-8")
    return path


def scrape_config(manifests: Path, address: str, node: str, token_file: Path) -> dict[str, Any]:
    """What the operator makes of the PodMonitor for one pod on that node."""
    [monitor] = documents(manifests / "podmonitor.yml")
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    renamed = {"sourceLabels": "source_labels", "targetLabel": "target_label"}
    relabel = [{renamed.get(key, key): value for key, value in rule.items()} for rule in endpoint["relabelings"]]
    return {"job_name": "podMonitor/writecanary/writecanary/0", "metrics_path": endpoint["path"],
            "authorization": {"credentials_file": str(token_file)}, "relabel_configs": relabel,
            "static_configs": [{"targets": [address], "labels": {"__meta_kubernetes_pod_node_name": node}}]}
