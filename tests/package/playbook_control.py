"""Whoever types ansible-playbook: the tree's monitoring/, an inventory, certificates and a token, and the hosts as they are seen
from there."""

import dataclasses
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml
from container import Container
from harness import markdown
from harness.certificates import Authority
from harness.prometheus import Prometheus
from image import USER
from machine import CommandFailed

NAMES = ("canary-1", "canary-2")
ADDRESSES = ("10.213.7.1", "10.213.7.2")
TOKEN = "only-for-this-test"
OTHERS = ("writecanary_9.9-1~deb12u1_arm64.deb", "writecanary_9.9-1~deb13u1_amd64.deb")
RECAP = re.compile(r"^(\S+) +: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)
SECONDS = 600  # for one playbook


@dataclasses.dataclass
class Control:
    directory: Path
    packages: list[Path]  # to begin with, to upgrade to
    authority: str  # its certificate
    public_key: str  # for ssh
    hosts: list[Container] = dataclasses.field(default_factory=list)

    @property
    def prometheus(self) -> Prometheus:
        return Prometheus(f"http://{ADDRESSES[0]}:9090")

    def play(self, *options: str) -> tuple[dict[str, int], str]:
        """Runs the README's command. ({host: tasks that changed it}, what was printed). Throws CommandFailed."""
        blocks = markdown.split((self.directory / "monitoring/ansible/README.md").read_text(encoding="utf-8"))[1]
        [commands] = [block.text for block in blocks if "the test playbook does" in block.note]
        done = subprocess.run(["bash", "-e", "-c", f"ansible-playbook() {{ command ansible-playbook \"$@\" {' '.join(options)}; }}\n"
                               + commands], cwd=self.directory, capture_output=True, text=True, timeout=SECONDS,
                              env={**os.environ, "ANSIBLE_HOME": str(self.directory / "ansible-home"), "LC_ALL": "C.UTF-8",
                                   "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.directory / "cp"), "ANSIBLE_NOCOWS": "1",
                                   "ANSIBLE_NOCOLOR": "1", "ANSIBLE_DEPRECATION_WARNINGS": "0"})
        recap = {host: int(changed) for host, _, changed, _, _ in RECAP.findall(done.stdout)}
        if done.returncode != 0:
            raise CommandFailed(f"exit code {done.returncode} of ansible-playbook:\n{done.stdout[-5000:]}{done.stderr}")
        return recap, done.stdout

    def get(self, number: int, path: str, token: str | None = TOKEN) -> tuple[int, str]:
        """From the canary of that number, by the name in its certificate."""
        context = ssl.create_default_context(cafile=self.authority)
        context.check_hostname = False  # it is asked by its address
        headers = {"Host": f"{NAMES[number - 1]}:9743", **({"Authorization": f"Bearer {token}"} if token else {})}
        url = f"https://{ADDRESSES[number - 1]}:9743{path}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20, context=context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def on_each(self, command: str, check: bool = True) -> list[str]:
        return [host.run(command, check).stdout.strip() for host in self.hosts]

    def change(self, **variables: Any) -> None:
        """Sets variables of all canaries, beside those that are set."""
        path = self.directory / "group_vars/canaries.yml"
        text = yaml.safe_load(path.read_text(encoding="utf-8")) | variables
        path.write_text(yaml.safe_dump(text), encoding="utf-8")

    def diagnosis(self) -> str:
        return "\n".join(self.on_each("hostname; systemctl status --no-pager -l writecanary prometheus; "
                                      "journalctl -b --no-pager -n 30 -u writecanary -u prometheus", check=False))


def make_control(monitoring: Path, directory: Path, package: Path, newer: Path) -> Control:
    """A directory as the root of the tree is after scripts/package, with an inventory in it."""
    shutil.copytree(monitoring, directory / "monitoring")
    (directory / "build/package").mkdir(parents=True)
    shutil.copy(package, directory / "build/package")
    for others in OTHERS:
        (directory / "build/package" / others).write_text("for another host", encoding="ascii")
    authority = Authority(str(directory), "authority")
    for name in NAMES:
        certificate, key = authority.issue(name, names=(name,))
        shutil.copy(certificate, directory / f"{name}.pem")
        shutil.copy(key, directory / f"{name}.key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "id"], check=True)
    control = Control(directory, [package, newer], authority.path, (directory / "id.pub").read_text(encoding="ascii"))
    addresses = "".join(f"{name} ansible_host={address}\n" for name, address in zip(NAMES, ADDRESSES))
    (directory / "inventory.ini").write_text(f"[canaries]\n{addresses}\n[prometheus]\n{NAMES[0]}\n", encoding="ascii")
    (directory / "group_vars").mkdir()
    (directory / "group_vars/all.yml").write_text(yaml.safe_dump({
        "ansible_user": USER, "ansible_ssh_private_key_file": str(directory / "id"),
        "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"}), encoding="ascii")
    (directory / "group_vars/canaries.yml").write_text(yaml.safe_dump({
        "writecanary_listen": "0.0.0.0:9743",
        "writecanary_tokens": [{"name": "prometheus", "role": "viewer", "sha256": hashlib.sha256(TOKEN.encode()).hexdigest()}],
        "writecanary_tls_cert": "{{ inventory_dir }}/{{ inventory_hostname }}.pem",
        "writecanary_tls_key": "{{ inventory_dir }}/{{ inventory_hostname }}.key"}), encoding="ascii")
    return control
