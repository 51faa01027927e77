"""What is deployed to a fleet is valid: Kubernetes objects by their published schemas, configurations by the daemon itself,
the copies of the rules by the rules."""

import hashlib
import json
import os
import runpy
import shutil
import subprocess
import tempfile
import tomllib
import unittest
from pathlib import Path

import yaml

from harness import run
from harness.mounts import loop_mount, temporary_directory

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

    def test_what_listens_has_none_of_what_the_set_up_takes(self):
        run.require_root("capabilities")
        shell, option, script = pod()["containers"][0]["command"]
        capabilities = [name.lower() for name in pod()["containers"][0]["securityContext"]["capabilities"]["add"]]
        with tempfile.TemporaryDirectory() as directory:
            stand_in = Path(directory) / "writecanaryd"
            stand_in.write_text("#!/bin/sh\necho $*; grep -E 'Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs' /proc/$$/status\n")
            stand_in.chmod(0o755)
            # A cgroup tree that is there and read-only, as a container's.
            before = "mount -t tmpfs none /sys/fs/cgroup && mount -o remount,ro /sys/fs/cgroup && "
            outer = ["setpriv", "--bounding-set=-all," + ",".join(f"+{each}" for each in capabilities), "--inh-caps=-all"]
            ran = subprocess.run(["unshare", "--mount", *outer, shell, option, before + script], capture_output=True, text=True,
                                 env={**os.environ, "PATH": f"{directory}:{os.environ['PATH']}"}, check=False, timeout=60)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        config, *status = ran.stdout.splitlines()
        self.assertEqual(config, "--config /etc/writecanary/writecanary.toml")
        dac_override = f"{1 << 1:016x}"
        self.assertEqual(dict(line.split(":\t") for line in status),
                         {"CapPrm": dac_override, "CapEff": dac_override, "CapBnd": dac_override, "CapAmb": "0" * 16,
                          "NoNewPrivs": "1"})

    def test_nobody_asks_without_a_token(self):
        config = tomllib.loads(load(KUBERNETES / "configmap.yml")["data"]["writecanary.toml"])
        self.assertNotIn("anonymous_read", config["server"])
        self.assertEqual([(token["role"], set(token["sha256"])) for token in config["token"]], [("viewer", {"0"})])
        [endpoint] = load(KUBERNETES / "podmonitor.yml")["spec"]["podMetricsEndpoints"]
        secret = endpoint["authorization"]["credentials"]
        self.assertIn(f"create secret generic {secret['name']} --from-literal={secret['key']}=",
                      (KUBERNETES / "README.md").read_text(encoding="utf-8"))

    def allowed_calls(self):
        profile = json.loads((KUBERNETES / "seccomp.json").read_text(encoding="utf-8"))
        self.assertEqual((profile["defaultAction"], profile["defaultErrnoRet"]), ("SCMP_ACT_ERRNO", 1))
        allowed = [name for group in profile["syscalls"] if group["action"] == "SCMP_ACT_ALLOW" for name in group["names"]]
        self.assertEqual(len(allowed), len(set(allowed)))
        self.assertEqual(pod()["containers"][0]["securityContext"]["seccompProfile"],
                         {"type": "Localhost", "localhostProfile": "writecanary.json"})
        return set(allowed)

    def test_the_seccomp_profile_names_what_is_called(self):
        run.require_root("a mount")
        if not shutil.which("strace"):
            self.skipTest("strace is not installed")
        allowed = self.allowed_calls() | {"clone3"}  # refused so that clone is called
        with temporary_directory() as directory, loop_mount(directory, "xfs") as path:
            config = Path(directory) / "writecanary.toml"
            config.write_text(f'[server]\nlisten = "127.0.0.1:0"\n[storage]\npath = "{directory}/state/results.db"\n'
                              f'[defaults]\nwrites = 5\nduration = "1s"\n[[target]]\nname = "data"\npath = "{path}"\n')
            os.mkdir(Path(directory) / "state")
            for command in (["writecanary", "check", path, "--profile", "all", "--writes", "30", "--duration", "2s"],
                            ["writecanaryd", "--config", config, "--once"]):
                trace = Path(directory) / "trace"
                ran = subprocess.run(["strace", "-f", "-qq", "-c", "-U", "name", "-o", trace, run.program(command[0]), *command[1:]],
                                     capture_output=True, text=True, check=False, timeout=240)
                seen = set(trace.read_text().split()) - {"syscall", "total"}
                seen = {name for name in seen if not name.startswith("-")}
                self.assertGreater(len(seen), 40, ran.stderr)
                self.assertEqual(seen - allowed, set(), command)

    def test_the_seccomp_profile_is_not_for_everything(self):
        allowed = self.allowed_calls()
        self.assertLessEqual(NEW_SYSCALLS, allowed)
        self.assertEqual(allowed & {"bpf", "ptrace", "unshare", "setns", "kexec_load", "init_module", "umount2", "move_mount",
                                    "open_by_handle_at", "perf_event_open", "keyctl", "reboot", "add_key"}, set())

    def test_the_apparmor_profile_is_one_and_names_the_targets(self):
        profile = KUBERNETES / "apparmor.profile"
        text = profile.read_text(encoding="utf-8")
        name = pod()["containers"][0]["securityContext"]["appArmorProfile"]["localhostProfile"]
        self.assertIn(f"\nprofile {name} ", text)
        for target in tomllib.loads(load(KUBERNETES / "configmap.yml")["data"]["writecanary.toml"])["target"]:
            self.assertIn(f"  {target['path']}/.writecanary/** rwmkl,", text)
        for capability in pod()["containers"][0]["securityContext"]["capabilities"]["add"]:
            self.assertIn(f"  capability {capability.lower()},", text)
        if not shutil.which("apparmor_parser"):
            self.skipTest("apparmor_parser is not installed")
        parsed = subprocess.run(["apparmor_parser", "--skip-kernel-load", "--skip-cache", "--skip-read-cache", profile],
                                capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(parsed.returncode, 0, parsed.stderr)

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

    def test_tokens_and_certificates_get_into_the_configuration(self):
        defaults = load(ROLE / "defaults" / "main.yml")
        self.assertNotIn("token", tomllib.loads(self.render("writecanary.toml.j2", **defaults)))
        digest = hashlib.sha256(b"open").hexdigest()
        defaults.update(writecanary_tokens=[{"name": "prometheus", "role": "viewer", "sha256": digest}],
                        writecanary_tls_cert="here.crt", writecanary_tls_key="here.key", writecanary_client_ca="ca.crt")
        text = self.render("writecanary.toml.j2", **defaults)
        config = tomllib.loads(text)
        self.assertEqual(config["token"], [{"name": "prometheus", "role": "viewer", "sha256": digest}])
        tasks = load(ROLE / "tasks" / "install.yml")
        [copied] = [task["loop"] for task in tasks if task["name"].startswith("Certificate")]
        self.assertEqual({f"/etc/writecanary/{item['to']}" for item in copied},
                         {config["server"][key] for key in ("tls_cert", "tls_key", "client_ca")})
        with tempfile.TemporaryDirectory() as directory:
            made = f"{directory}/cert"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=canary", "-keyout", made,
                            "-out", f"{made}.pem"], capture_output=True, check=True)
            for key, file in (("tls_cert", f"{made}.pem"), ("tls_key", made), ("client_ca", f"{made}.pem")):
                text = text.replace(config["server"][key], file)
            self.check_config(text)

    def test_the_unit_is_the_packaged_one_with_a_drop_in(self):
        self.assertEqual(sorted(path.name for path in (ROLE / "templates").iterdir()),
                         ["targets.conf.j2", "targets.json.j2", "writecanary.toml.j2"])
        tasks = load(ROLE / "tasks" / "install.yml")
        self.assertTrue(any("deb" in task.get("ansible.builtin.apt", {}) for task in tasks))
        text = self.render("targets.conf.j2", writecanary_service={"CPUWeight": 20}, writecanary_targets=[
            {"name": "a", "path": "/a 100%"}, {"name": "b", "path": "/b", "require_mount": False}])
        self.assertEqual([line for line in text.splitlines() if line and not line.startswith("#")],
                         ["[Unit]", 'RequiresMountsFor="/a 100%%"', "[Service]", 'ReadWritePaths="-/a 100%%"',
                          'ReadWritePaths="-/b"', "CPUWeight=20"])
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        with tempfile.TemporaryDirectory() as directory:
            unit = Path(directory) / "writecanary.service"
            unit.write_text((ROOT / "systemd" / "writecanary.service").read_text(encoding="utf-8").replace(
                "/usr/bin/writecanaryd", "/bin/true") + text)
            checked = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False,
                                     timeout=60)
            self.assertNotRegex(checked.stderr, r"writecanary\.service:\d+")

    def test_secrets_are_read_by_the_service_and_nobody_else(self):
        for task in load(ROLE / "tasks" / "install.yml"):
            for module in ("ansible.builtin.copy", "ansible.builtin.template"):
                made = task.get(module, {})
                if str(made.get("dest", "")).startswith("/etc/writecanary/"):
                    self.assertEqual((made["owner"], made["group"], made["mode"]), ("root", "writecanary", "0640"), task["name"])

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
