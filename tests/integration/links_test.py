"""Links of the documents lead somewhere: relative ones to a file of the tree and to a heading in it. Addresses of others
are judged by their form alone, because a test must not depend on the network."""

import os
import unittest
from pathlib import Path
from urllib.parse import urlsplit

from harness import markdown, run

ROOT = Path(os.environ["WRITECANARY_SOURCE"])


def complaint(document, address):
    """What is wrong with a link, or None."""
    parts = urlsplit(address)
    if parts.scheme or address.startswith("//"):
        well_formed = parts.scheme in ("https", "http") and "." in (parts.hostname or "")
        return None if well_formed else "is no web address"
    target = (document.parent / parts.path).resolve() if parts.path else document
    if not target.is_relative_to(ROOT.resolve()):
        return "leads out of the tree"
    if not target.exists():
        return "is not there"
    if parts.fragment and (target.suffix != ".md" or parts.fragment not in markdown.anchors(target.read_text(encoding="utf-8"))):
        return "has no such heading"
    return None


class Links(unittest.TestCase):
    def test_they_lead_somewhere(self):
        checked, wrong = 0, []
        for document in markdown.documents(ROOT):
            for line, address in markdown.links(document.read_text(encoding="utf-8")):
                checked += 1
                if (said := complaint(document.resolve(), address)) is not None:
                    wrong.append(f"{document.relative_to(ROOT)}:{line}: {address} {said}")
        self.assertGreater(checked, 50)
        self.assertEqual(wrong, [])

    def test_wrong_ones_are_seen(self):
        readme = (ROOT / "README.md").resolve()
        for address, said in (("docs/nowhere.md", "is not there"), ("docs/api.md#nowhere", "has no such heading"),
                              ("#nowhere", "has no such heading"), ("LICENSE#use-it", "has no such heading"), ("../x", "leads out of the tree"),
                              ("ftp://example.org/x", "is no web address"), ("https://localhost/x", "is no web address")):
            with self.subTest(address):
                self.assertEqual(complaint(readme, address), said)
        for address in ("docs/api.md#who-may-do-what", "docs/", "https://example.org/x#y"):
            with self.subTest(address):
                self.assertIsNone(complaint(readme, address))

    def test_headings_and_links_are_read_as_they_are_shown(self):
        text = "# A `[b]` C-d, e!\n## A\n## A\n```\n# no heading [x](no-link)\n```\n[x `]`](y.md#a) `[n](o)` ![p](q.png)\n"
        self.assertEqual(markdown.anchors(text), {"a-b-c-d-e", "a", "a-1"})
        self.assertEqual(markdown.links(text), [(7, "y.md#a"), (7, "q.png")])


if __name__ == "__main__":
    run.main()
