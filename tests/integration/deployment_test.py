"""What is deployed to a fleet is valid: Kubernetes objects by their published schemas, configurations by the daemon itself,
the copies of the rules by the rules."""

import json
import os
import runpy
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

from harness import run

ROOT = Path(os.environ["WRITECANARY_SOURCE"])
KUBERNETES = ROOT / "monitoring" / "kubernetes"
ANSIBLE = ROOT / "monitoring" / "ansible"
ROLE = ANSIBLE / "roles" / "writecanary"
SCHEMAS = ROOT / "tests" / "support" / "kubernetes-schemas"
NEW_SYSCALLS = {"io_uring_setup", "io_uring_enter", "io_uring_register"}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def objects():
    return [load(path) for path in sorted(KUBERNETES.glob("*.yml"))]


def pod():
    return load(KUBERNETES / "daemonset.yml")["spec"]["template"]["spec"]


class Daemon(unittest.TestCase):
    """Helpers that need the built daemon."""

    def check_config(self, text):
        try:
            daemon = run.program("writecanaryd")
        except FileNotFoundError as missing:
            self.skipTest(str(missing))
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(text)
            file.flush()
            checked = subprocess.run([daemon, "--config", file.name, "--check-config"], capture_output=True, text=True,
                                     check=False, timeout=60)
        self.assertEqual(checked.returncode, 0, f"{checked.stderr}\n{text}")


class Kubernetes(Daemon):
    def validate(self, some):
        if not (SCHEMAS / "node_modules").is_dir():
            self.skipTest("the schemas are not installed; scripts/setup does that")
        ran = subprocess.run(["node", SCHEMAS / "validate.cjs"], input=json.dumps(some), capture_output=True, text=True,
                             check=False, timeout=120)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        return ran.stdout

    def test_every_object_is_valid(self):
        self.assertEqual({each["kind"] for each in objects()},
                         {"Namespace", "ConfigMap", "DaemonSet", "PodMonitor", "PrometheusRule"})
        self.assertEqual(self.validate(objects()), "")

    def test_a_mistake_would_be_seen(self):
        for kind, path in (("DaemonSet", ["spec", "selector"]), ("PodMonitor", ["spec", "podMetricsEndpoints"]),
                           ("PrometheusRule", ["spec", "groups", 0, "name"])):
            [broken] = [each for each in objects() if each["kind"] == kind]
            part = broken
            for key in path[:-1]:
                part = part[key]
            del part[path[-1]]
            self.assertIn(f"{kind} writecanary: ", self.validate([broken]))

    def test_the_configuration_is_one(self):
        self.check_config(load(KUBERNETES / "configmap.yml")["data"]["writecanary.toml"])

    def test_targets_and_state_are_volumes_of_the_node(self):
        config = load(KUBERNETES / "configmap.yml")["data"]["writecanary.toml"]
        host_paths = {volume["name"]: volume["hostPath"]["path"] for volume in pod()["volumes"] if "hostPath" in volume}
        mounts = {mount["mountPath"]: mount["name"] for mount in pod()["containers"][0]["volumeMounts"]}
        for path in ("/data", "/var/lib/writecanary"):
            self.assertIn(f'"{path}', config)
            self.assertEqual(host_paths[mounts[path]], path)

    def test_it_asks_for_no_more_than_it_explains(self):
        context = pod()["containers"][0]["securityContext"]
        self.assertNotIn("privileged", context)
        self.assertEqual(context["capabilities"]["drop"], ["ALL"])
        readme = (KUBERNETES / "README.md").read_text(encoding="utf-8")
        for capability in context["capabilities"]["add"]:
            self.assertIn(f"| `{capability}`", readme)
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            self.assertNotIn(key, pod())

    def test_the_seccomp_profile_allows_io_uring(self):
        profile = json.loads((KUBERNETES / "seccomp.json").read_text(encoding="utf-8"))
        self.assertEqual(profile["defaultAction"], "SCMP_ACT_ALLOW")
        denied = [name for group in profile["syscalls"] for name in group["names"]]
        self.assertEqual(denied, sorted(set(denied)))
        self.assertEqual(NEW_SYSCALLS & set(denied), set())
        self.assertEqual(pod()["containers"][0]["securityContext"]["seccompProfile"]["localhostProfile"],
                         "writecanary.json")

    def test_the_copy_of_the_rules_is_up_to_date(self):
        make = runpy.run_path(str(KUBERNETES / "make-prometheusrule"))
        self.assertEqual(load(KUBERNETES / "prometheusrule.yml"), make["document"]())
        elsewhere = make["document"]("https://example.com/books")
        urls = [rule["annotations"]["runbook_url"] for group in elsewhere["spec"]["groups"] for rule in group["rules"]
                if "alert" in rule]
        self.assertTrue(all(url.startswith("https://example.com/books/Writecanary") for url in urls), urls)


class Ansible(Daemon):
    def render(self, template, **variables):
        try:
            import jinja2  # only this test needs it
        except ImportError:
            self.skipTest("python3-jinja2 is not installed")
        # As Ansible does.
        environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
        environment.filters["to_json"] = json.dumps
        return environment.from_string((ROLE / "templates" / template).read_text(encoding="utf-8")).render(variables)

    def test_the_configuration_is_one_by_default_and_with_everything(self):
        defaults = load(ROLE / "defaults" / "main.yml")
        self.check_config(self.render("writecanary.toml.j2", **defaults))
        defaults.update(writecanary_webhook_url="https://example.com/x", writecanary_targets=[
            {"name": "a", "path": "/a", "profiles": ["append", "offset"], "require_mount": False, "every": "30m"},
            {"name": "b", "path": "/b", "window": "Mon-Fri 20:00-06:00 Europe/London"}])
        text = self.render("writecanary.toml.j2", **defaults)
        self.assertIn('secret_file = "/etc/writecanary/webhook.secret"', text)
        self.check_config(text)

    def test_the_targets_are_what_file_sd_reads(self):
        text = self.render("targets.json.j2", groups={"canaries": ["a.example.com", "b.example.com"]},
                           writecanary_port=9743)
        self.assertEqual([group["targets"] for group in json.loads(text)], [["a.example.com:9743"], ["b.example.com:9743"]])
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        with tempfile.TemporaryDirectory() as directory:
            targets = Path(directory) / "targets.json"
            targets.write_text(text)
            config = Path(directory) / "prometheus.yml"
            config.write_text(json.dumps({"scrape_configs": [{"job_name": "writecanary",
                                                              "file_sd_configs": [{"files": [str(targets)]}]}]}))
            checked = subprocess.run(["promtool", "check", "config", config], capture_output=True, text=True, check=False)
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_every_file_is_yaml(self):
        for path in ANSIBLE.rglob("*.yml"):
            with self.subTest(path.relative_to(ANSIBLE)):
                self.assertTrue(load(path))

    def test_ansible_understands_the_playbooks(self):
        if not shutil.which("ansible-playbook"):
            self.skipTest("ansible-playbook is not installed (package ansible-core)")
        with tempfile.TemporaryDirectory() as directory:
            inventory = Path(directory) / "inventory.ini"
            inventory.write_text("[canaries]\na.example.com\n[prometheus]\nmon.example.com\n")
            checked = subprocess.run(["ansible-playbook", "-i", inventory, "--syntax-check", ANSIBLE / "site.yml"],
                                     capture_output=True, text=True, check=False, timeout=120,
                                     env={**os.environ, "ANSIBLE_HOME": directory, "LC_ALL": "C.UTF-8"})
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)


if __name__ == "__main__":
    run.main()
