"""JUnit XML: a reader finds every gate, what failed and why."""

from __future__ import annotations

from xml.etree import ElementTree

from evals.gates import Checked, Gate, Outcome, parse
from evals.junit import junit_xml


def checked(outcome: Outcome, name: str = "", *, strict: bool = False, reason: str = "it is so") -> Checked:
    return Checked(Gate(parse("extraction.f1 < 0"), name, fail_on_not_enough_data=strict), outcome, reason)


def test_every_gate_is_a_test_case_and_counted():
    suites = {
        "b against a": [checked(Outcome.PASSED), checked(Outcome.FAILED, "no worse"), checked(Outcome.NOT_ENOUGH_DATA)],
        "c against a": [checked(Outcome.NOT_ENOUGH_DATA, strict=True)],
    }
    root = ElementTree.fromstring(junit_xml(suites))
    assert root.attrib == {"tests": "4", "failures": "2", "errors": "0", "skipped": "1"}
    assert [suite.attrib["name"] for suite in root] == list(suites)
    assert [case.attrib["name"] for case in root.iter("testcase")] == [
        "extraction.f1 < 0", "no worse", "extraction.f1 < 0", "extraction.f1 < 0",
    ]  # fmt: skip
    assert [case.attrib["classname"] for case in root.iter("testcase")] == ["b against a"] * 3 + ["c against a"]
    assert [child.tag for case in root.iter("testcase") for child in case] == [
        "system-out", "failure", "skipped", "failure",
    ]  # fmt: skip


def test_a_failure_says_what_failed_and_why():
    failure = ElementTree.fromstring(junit_xml({"s": [checked(Outcome.FAILED, "no worse")]})).find(".//failure")
    assert failure is not None
    assert failure.attrib == {"message": "it is so", "type": "failed"}
    assert failure.text == "fails if extraction.f1 < 0: it is so"


def test_whatever_a_name_holds_the_document_can_be_read():
    name = 'a <b> & "c" \x00\x1b[31m \ud800 ü'
    case = ElementTree.fromstring(junit_xml({name: [checked(Outcome.PASSED, name)]})).find(".//testcase")
    assert case is not None
    assert case.attrib["name"] == 'a <b> & "c" ��[31m � ü'


def test_without_gates_there_is_an_empty_suite():
    assert ElementTree.fromstring(junit_xml({"s": []})).attrib["tests"] == "0"
