"""Man pages, completions and the programs' own --help say the same."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import run

ROOT = Path(os.environ["WRITECANARY_SOURCE"])
BIN = Path(os.environ["WRITECANARY_BIN"])
MAN = ROOT / "docs/man"
SHARED = {"--url", "--token-file", "--ca-file", "--cert-file", "--key-file", "--json"}  # described once for all commands that talk to a daemon


def help_of(*command):
    done = subprocess.run([BIN / command[0], *command[1:], "--help"], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def options_in_help(text):
    """Of the table alone: descriptions may mention options of others."""
    found = (re.match(r"  (?:-\w,)?(--[a-z][a-z-]*)", line) for line in text.splitlines())
    return {match.group(1) for match in found if match} - {"--help", "--version"}


def options_in_manual(lines):
    return {"--" + match.group(1) for line in lines if (match := re.match(r"\.It Fl -([a-z][a-z-]*)", line))}


def commands():
    table = help_of("writecanary").split("\nSubcommands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in table.splitlines() if re.match(r"  [a-z]", line)]


def sections_of_manual():
    """{command: the lines that describe it} of writecanary(1); None for what stands before the first command."""
    sections, command = {None: []}, None
    for line in (MAN / "writecanary.1").read_text().splitlines():
        if line.startswith(".Sh"):
            command = None
        elif match := re.match(r"\.It Ic ([a-z][a-z-]*)", line):
            command = match.group(1)
        sections.setdefault(command, []).append(line)
    return sections


class CommandLine(unittest.TestCase):
    def test_every_command_is_described_and_no_other(self):
        self.assertGreater(len(commands()), 10)
        self.assertEqual(sorted(set(sections_of_manual()) - {None}), sorted(commands()))

    def test_every_option_is_described_and_no_other(self):
        sections = sections_of_manual()
        self.assertEqual(options_in_manual(sections[None]), SHARED)
        for command in commands():
            with self.subTest(command):
                offered = options_in_help(help_of("writecanary", command))
                talks = "--url" in offered
                self.assertEqual(options_in_manual(sections[command]), offered - SHARED if talks else offered)


class Daemon(unittest.TestCase):
    def test_every_option_is_described_and_no_other(self):
        offered = options_in_help(help_of("writecanaryd"))
        self.assertIn("--config", offered)
        self.assertEqual(options_in_manual((MAN / "writecanaryd.8").read_text().splitlines()), offered)

    def test_the_reference_has_the_same_options(self):
        document = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
        described = set(re.findall(r"^\| `(--[a-z-]+)", document, re.M)) | {"--config"}
        self.assertEqual(described, options_in_help(help_of("writecanaryd")))

    def test_every_option_of_the_probe_is_described_and_no_other(self):
        usage = re.search(r"\[(.*?)\]", help_of("writecanary-probe")).group(1)
        self.assertEqual(options_in_manual((MAN / "writecanary-probe.8").read_text().splitlines()) | {"--version"},
                         set(re.findall(r"--[a-z-]+", usage)) | {"--version"})

    def test_every_key_of_the_configuration_is_described_and_no_other(self):
        with tempfile.TemporaryDirectory() as directory:
            config, secret = Path(directory) / "config.toml", Path(directory) / "secret"
            secret.write_text("a secret of enough length, as it should be\n")
            # A table that is not used is not printed.
            config.write_text(f'[webhook]\nurl = "http://127.0.0.1:9"\nsecret_file = "{secret}"\n'
                              f'[[token]]\nname = "t"\nrole = "viewer"\nsha256 = "{"0" * 64}"\n'
                              '[[target]]\nname = "data"\npath = "/proc"\n')
            dump = subprocess.run([BIN / "writecanaryd", "--config", config, "--dump-config"], capture_output=True, text=True,
                                  check=True).stdout
        keys = {}
        for line in dump.splitlines():
            if table := re.match(r"\[+([a-z]+)\]+$", line):
                section = keys.setdefault(table.group(1), set())
            elif key := re.match(r"([a-z0-9_]+) = ", line):
                section.add(key.group(1))
        described = {}
        for line in (MAN / "writecanary.toml.5").read_text().splitlines():
            if table := re.match(r"\.Ss \[+([a-z]+)\]+$", line):
                section = described.setdefault(table.group(1), set())
            elif key := re.match(r"\.It Ic ([a-z0-9_]+)", line):
                section.add(key.group(1))
        keys["target"] -= keys["defaults"]
        self.assertEqual(described, keys)


class Form(unittest.TestCase):
    def test_mandoc_has_no_warnings(self):
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is missing; install the package mandoc (scripts/setup --package)")
        pages = sorted(MAN.glob("*.[0-9]"))
        self.assertTrue(pages)
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, "")

    def test_bash_completes_commands_and_options(self):
        script = ROOT / "packaging/completions/writecanary.bash"
        library = Path("/usr/share/bash-completion/bash_completion")
        if not library.exists():
            self.skipTest("bash-completion is missing; install it (scripts/setup --package)")

        def completions(*words):
            typed = " ".join(f"'{word}'" for word in words)
            program = (f". {library}; . {script}; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; COMP_LINE='{' '.join(words)}'; "
                       "COMP_POINT=${#COMP_LINE}; _writecanary \"$1\"; printf '%s\\n' \"${COMPREPLY[@]}\"")
            done = subprocess.run(["bash", "-c", program, "bash", BIN / "writecanary"], capture_output=True, text=True, check=True)
            return done.stdout.split()

        self.assertEqual(sorted(completions("writecanary", "")), sorted(commands()))
        self.assertIn("--keep-evidence", completions("writecanary", "check", "--"))
        self.assertEqual(completions("writecanary", "run", "--fol"), ["--follow"])
        self.assertIn("append-interposed", completions("writecanary", "check", "--profile", "app"))


if __name__ == "__main__":
    run.main()
