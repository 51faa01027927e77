"""The commands of one document, in one shell, in their order.

A block marked `sh` is run. A comment right above it says what else is to be known:
    <!-- not run: REASON -->
    <!-- exits 0 2 3: REASON -->    these exit codes are right for its commands; 0 alone unless told
    <!-- stays: REASON -->          it goes on until it is stopped; what follows waits until its daemon answers
Words in capitals stand for what a reader fills in; `words` says what the test fills in.
"""

import contextlib
import os
import re
import signal
import subprocess
import tempfile

from harness import markdown
from harness.waiting import wait_until

OUTPUT_SHOWN = 6000  # characters, of a failure
END = "--- every block was run"
NOTE = re.compile(r"(not run|stays|exits(?: \d+)+): \S")

# jq says null where a field has another name, which is a mistake in the document and no error to jq.
PRELUDE = """\
set -E -o pipefail
sudo() { "$@"; }
jq() { local said; said=$(command jq "$@") || return; printf '%s\\n' "$said"; [[ $said != null ]]; }
block() { line=$1 allowed=" $2 "; echo "--- line $line"; }
judge() { [[ $allowed == *" $1 "* ]] || { echo "FAILED: the block at line $line: exit code $1 of: $2"; exit 99; }; }
answers() { until curl -s http://127.0.0.1:9743/readyz; do kill -0 "$1" || exit; sleep 0.1; done; }
trap 'judge $? "$BASH_COMMAND"' ERR
"""


def blocks_to_run(text):
    return [block for block in markdown.split(text)[1] if block.language == "sh" and not block.note.startswith("not run")]


def fill_in(text, words):
    if not words:
        return text
    return re.sub(rf"(?<![\w$-])({'|'.join(map(re.escape, words))})(?![\w-])", lambda found: words[found.group()], text)


def script(text, words):
    parts = [PRELUDE]
    for block in blocks_to_run(text):
        codes = re.match(r"exits ([\d ]+):", block.note)
        parts.append(f"block {block.line} '{codes.group(1) if codes else 0}'\n")
        commands = fill_in(block.text, words)
        parts.append(f"{{\n{commands}}} &\nanswers $!\n" if block.note.startswith("stays") else commands)
    return "".join([*parts, f"echo '{END}'\n"])


def end_group(group):
    """Ends what the session left running, daemons that stay among it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        wait_until(lambda: os.killpg(group, 0), 20, "what the commands started to end")


def play(path, words, directory, seconds):
    """Runs the document's commands in the directory. None when all was right, else what was printed."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        shell = subprocess.Popen(["bash", "-c", script(path.read_text(encoding="utf-8"), words)], cwd=directory,
                                 stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = shell.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            code = f"none within {seconds} s, {shell.wait()}"
        end_group(shell.pid)
        output.seek(0)
        said = output.read()
        return None if code == 0 and f"\n{END}\n" in said else f"exit code {code}\n{said[-OUTPUT_SHOWN:]}"
