"""Includes point one way (docs/ARCHITECTURE.md). Fails on every #include that points another."""

import collections
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import run

# What a folder may include besides itself.
ALLOWED = {
    "core": set(),
    "probe": {"core"},
    "storage": {"core"},
    "web": set(),
    "api": {"core", "storage", "web"},
    "daemon": {"core", "storage", "api"},
    "cli": {"core"},
}
# The rooms of a folder, in the direction of the includes: each may include those before it. What lies in the folder
# itself may include all of them, and no room includes that.
ROOMS = {
    "core": ["base", "text", "run", "host", "loop", "process", "supervisor", "report"],
    "probe": ["memory", "pattern", "trap", "verify", "verify/content", "verify/cold", "evidence", "run", "access", "stream",
              "profiles"],
    "storage": ["database", "tables", "store", "reader"],
    "web": [],
    "api": ["refusal", "loop", "http", "guard", "documents", "metrics", "events", "routes", "openapi"],
    "daemon": ["calendar", "config", "clock", "schedule", "loop", "runs", "upkeep", "webhook"],
    "cli": ["terminal", "client", "check", "gate", "commands", "at_risk"],
}
# More than fifteen subjects and nobody overlooks them.
FILES_IN_A_ROOM_MAX = 30
# The files that know cpp-httplib, whose types and signatures change from version to version.
LIBRARY_USERS = {"api/http/http_library.cpp", "cli/client/http.cpp", "daemon/webhook/webhook.cpp", "tests/unit/http.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')
SOURCE_SUFFIXES = {".h", ".cpp", ".ts", ".tsx", ".mjs", ".py", ".css"}
# Of the page: import ... from "./name", export ... from, import("./name").
IMPORT = re.compile(r'(?:\bfrom|\bimport\()\s*"(\.{1,2}/[^"]+)"')
GENERATED = {"core/base/version.h", "core/report/known_issues_data.h", "core/report/reproducer/templates.h"}


def forbidden_includes(root):
    """Every include of the project's own headers that the table does not allow, or that names no file."""
    found = []
    for folder in ALLOWED:
        for source in sorted(Path(root, folder).rglob("*")):
            if source.suffix in (".h", ".cpp"):
                found += complaints(Path(root), source, folder)
    return found


def room_of(path, folder):
    """The room that a file of the folder lies in, None for the folder itself."""
    place = path.split("/", 1)[1].rpartition("/")[0]
    rooms = [room for room in ROOMS[folder] if place == room or place.startswith(room + "/")]
    return max(rooms, key=len) if rooms else place or None


def forbidden_way(folder, source, included):
    """What is wrong with an include within one folder, or None. A profile's own folder is nobody else's."""
    here, there = room_of(source, folder), room_of(included, folder)
    if here is not None and here not in ROOMS[folder]:
        return f"{folder}/{here} is no room that this test knows"
    own = re.match(r"probe/profiles/[^/]+/", included)
    if own and not source.startswith(own.group()):
        return f"{source} must not include {included}, which is a part of another profile"
    if here is None or here == there:
        return None
    if there is None or ROOMS[folder].index(there) > ROOMS[folder].index(here):
        return f"{folder}/{here} must not include {folder}/{there or ''} ({included})"
    return None


def complaints(root, source, folder):
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        included = match.group(1)
        other = included.split("/")[0]
        where = f"{source.relative_to(root)}:{number}: {folder}/"
        if '"' in line and other not in ALLOWED:
            yield f'{where} includes "{included}": write project headers with their folder, others in <>'
        elif other in ALLOWED and "/" in included:
            if other != folder and other not in ALLOWED[folder]:
                yield f"{where} must not include {other}/ ({included})"
            elif not (root / included).exists() and included not in GENERATED:
                yield f"{where} includes {included}, which does not exist"
            elif other == folder and (wrong := forbidden_way(folder, str(source.relative_to(root)), included)):
                yield f"{where} {wrong}"


def library_users(root):
    """The files that include httplib.h."""
    return {str(source.relative_to(root)) for folder in [*ALLOWED, "tests"] for source in sorted(Path(root, folder).rglob("*"))
            if source.suffix in (".h", ".cpp")
            and re.search(r'^\s*#\s*include\s*[<"]httplib\.h', source.read_text(encoding="utf-8"), re.MULTILINE)}


def import_circles(root):
    """Modules of the page from which imports, of types too, lead back to themselves."""
    modules = {module.with_suffix(""): module for module in Path(root, "web/src").rglob("*.ts*")}
    imports = {}
    for name, module in modules.items():
        named = IMPORT.findall(module.read_text(encoding="utf-8"))
        imports[name] = {Path(os.path.normpath(name.parent / other)) for other in named} & modules.keys()
    circles = []
    for name in modules:
        reached, following = set(), set(imports[name])
        while following:
            reached |= following
            following = set().union(*(imports[other] for other in following)) - reached
        if name in reached:
            circles.append(str(modules[name].relative_to(root)))
    return sorted(circles)


def crowded_folders(root):
    """Folders with more source files than a person can overlook."""
    shown = subprocess.run(["git", "-C", root, "-c", f"safe.directory={root}", "ls-files"], capture_output=True, text=True)
    files = [Path(name) for name in shown.stdout.splitlines()]
    counts = collections.Counter(str(file.parent) for file in files if file.suffix in SOURCE_SUFFIXES)
    return {folder: count for folder, count in counts.items() if count > FILES_IN_A_ROOM_MAX}


class Includes(unittest.TestCase):
    def test_this_tree(self):
        self.assertEqual(forbidden_includes(os.environ["WRITECANARY_SOURCE"]), [])

    def test_every_folder_can_be_overlooked(self):
        self.assertEqual(crowded_folders(os.environ["WRITECANARY_SOURCE"]), {})

    def test_few_files_know_the_http_library(self):
        self.assertEqual(library_users(os.environ["WRITECANARY_SOURCE"]), LIBRARY_USERS)

    def test_modules_of_the_page_do_not_import_in_circles(self):
        self.assertEqual(import_circles(os.environ["WRITECANARY_SOURCE"]), [])

    def test_every_room_is_there(self):
        rooms = [f"{folder}/{room}" for folder, inner in ROOMS.items() for room in inner]
        self.assertEqual([room for room in rooms if not Path(os.environ["WRITECANARY_SOURCE"], room).is_dir()], [])


class TheCheckItself(unittest.TestCase):
    def setUp(self):
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.write("core/a.h", "#pragma once\n#include <string>\n")
        self.write("core/base/e.h", "")
        self.write("core/run/r.h", '#include "core/base/e.h"\n')
        self.write("probe/b.cpp", '#include "probe/b.h"\n#include "core/a.h"\n#include "core/base/version.h"\n')
        self.write("probe/profiles/one/one.cpp", '#include "probe/profiles/one/part.h"\n')
        self.write("probe/profiles/one/part.h", "")
        self.write("probe/b.h", "")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def test_allowed_arrows_pass(self):
        self.assertEqual(forbidden_includes(self.root), [])

    def test_every_forbidden_arrow_is_caught(self):
        for folder, allowed in ALLOWED.items():
            for other in set(ALLOWED) - allowed - {folder}:
                with self.subTest(f"{folder} -> {other}"), tempfile.TemporaryDirectory() as root:
                    self.root = Path(root)
                    self.write(f"{other}/a.h", "")
                    self.write(f"{folder}/deep/x.cpp", f'// first\n  #  include "{other}/a.h"\n')
                    [complaint] = forbidden_includes(root)
                    self.assertIn(f"{folder}/deep/x.cpp:2: {folder}/ must not include {other}/", complaint)

    def test_an_arrow_between_rooms_is_caught(self):
        self.write("core/base/e.h", '#include "core/run/r.h"\n')
        [complaint] = forbidden_includes(self.root)
        self.assertIn("core/base must not include core/run", complaint)

    def test_no_room_includes_what_lies_above_it(self):
        self.write("core/run/r.h", '#include "core/a.h"\n')
        [complaint] = forbidden_includes(self.root)
        self.assertIn("core/run must not include core/ (core/a.h)", complaint)

    def test_a_room_that_nobody_knows_is_caught(self):
        self.write("core/misc/x.h", '#include "core/base/e.h"\n')
        [complaint] = forbidden_includes(self.root)
        self.assertIn("core/misc is no room", complaint)

    def test_the_part_of_a_profile_is_its_own(self):
        self.write("probe/profiles/other.cpp", '#include "probe/profiles/one/part.h"\n')
        [complaint] = forbidden_includes(self.root)
        self.assertIn("a part of another profile", complaint)

    def test_angle_brackets_do_not_hide_an_arrow(self):
        self.write("core/c.cpp", "#include <probe/b.h>\n")
        self.assertEqual(len(forbidden_includes(self.root)), 1)

    def test_a_circle_of_imports_is_caught(self):
        self.write("web/src/a.ts", 'import { b } from "./deep/b";\n')
        self.write("web/src/deep/b.tsx", 'import {\n  type C,\n} from "../c";\n')
        self.write("web/src/c.ts", "export type C = 1;\n")
        self.assertEqual(import_circles(self.root), [])
        self.write("web/src/c.ts", 'import type { A } from "./a";\n')
        self.assertEqual(import_circles(self.root), ["web/src/a.ts", "web/src/c.ts", "web/src/deep/b.tsx"])

    def test_a_header_without_its_folder_is_caught(self):
        self.write("core/c.cpp", '#include "a.h"\n')
        self.assertEqual(len(forbidden_includes(self.root)), 1)

    def test_a_header_that_is_not_there_is_caught(self):
        self.write("probe/c.cpp", '#include "core/gone.h"\n')
        self.assertEqual(len(forbidden_includes(self.root)), 1)


if __name__ == "__main__":
    run.main()
