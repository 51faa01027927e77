"""Test reports as their readers take them: JUnit XML by the schema of Jenkins' xUnit plugin (junit.xsd beside this file, as far as
it is used here; GitLab reads the same elements), TAP by Perl's TAP::Parser."""

import dataclasses
import json
import re
import subprocess
import textwrap
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import yaml

SCHEMA = Path(__file__).with_name("junit.xsd")
OUTCOMES = {"failure": "failed", "error": "error", "skipped": "skipped"}


@dataclasses.dataclass
class Case:
    result: str  # passed, failed, error, skipped
    verdict: str
    message: str
    text: str


def read_junit(document):
    """The cases by name. Fails on what the schema does not have, and on sums that are none."""
    checked = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", SCHEMA, "-"], input=document.encode(),
                             capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr.decode()
    [suite] = ElementTree.fromstring(document)
    cases = {}
    for element in suite.iter("testcase"):
        said = [child for child in element if child.tag in OUTCOMES]
        assert len(said) <= 1, element.attrib
        text = "".join(element.itertext()).strip()
        case = Case("passed", "", "", text)
        if said:
            case = Case(OUTCOMES[said[0].tag], said[0].get("type"), said[0].get("message"), text)
        assert element.get("name") not in cases, element.attrib
        cases[element.get("name")] = case
    for attribute, result in (("failures", "failed"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(attribute)) == sum(case.result == result for case in cases.values()), suite.attrib
    assert int(suite.get("tests")) == len(cases), suite.attrib
    return cases


PARSER = r"""
use TAP::Parser; use JSON::PP;
my $parser = TAP::Parser->new({ tap => do { local $/; <STDIN> } });
my (@cases, $yaml);
while (my $result = $parser->next) {
  if ($result->is_test) { push @cases, { ok => $result->is_ok ? 1 : 0, name => $result->description,
                                         skip => $result->has_skip ? $result->explanation : undef, yaml => "" } }
  elsif ($result->is_yaml) { $cases[-1]{yaml} = $result->raw }
  elsif (!$result->is_plan && !$result->is_comment && !$result->is_version) { die "unknown: " . $result->as_string }
}
die join("; ", $parser->parse_errors) if $parser->parse_errors;
print encode_json({ cases => \@cases, planned => $parser->tests_planned, version => $parser->version });
"""


def read_tap(document):
    """The cases by name. Fails on what the parser does not know, and on a plan that is not kept."""
    ran = subprocess.run(["perl", "-e", PARSER], input=document, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    parsed = json.loads(ran.stdout)
    assert parsed["planned"] == len(parsed["cases"]), parsed
    cases = {}
    for case in parsed["cases"]:
        result = "skipped" if case["skip"] is not None else "passed" if case["ok"] else "failed"
        said = yaml.safe_load(textwrap.dedent(case["yaml"]).removesuffix("...").strip())
        assert case["skip"] is None or said["message"] in case["skip"], case
        cases[re.sub("^- ", "", case["name"])] = Case(result, said["verdict"], said["message"], said.get("report", ""))
    return cases
