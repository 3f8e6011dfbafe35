"""What came of gates as JUnit XML, which every CI shows: a suite for each comparison, a test case for each gate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from evals.gates import Checked, Outcome

# What XML 1.0 cannot hold.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(suites: Mapping[str, Sequence[Checked]]) -> bytes:
    """The document, in UTF-8. `suites` maps what was compared to what came of each gate there.

    Too little data is a skipped test case, unless its gate says that it fails.
    """
    root = ElementTree.Element("testsuites", _counted([each for own in suites.values() for each in own]))
    for name, checked in suites.items():
        suite = ElementTree.SubElement(root, "testsuite", {"name": _plain(name), **_counted(checked)})
        for each in checked:
            _add_case(suite, name, each)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _add_case(suite: ElementTree.Element, name: str, checked: Checked) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", {"classname": _plain(name), "name": _plain(checked.gate.title), "time": "0"}
    )
    told = {"message": _plain(checked.reason)}
    if checked.failed:
        failure = ElementTree.SubElement(case, "failure", told | {"type": checked.outcome.value})
        failure.text = _plain(f"fails if {checked.gate.condition.text}: {checked.reason}")
    elif checked.outcome is Outcome.NOT_ENOUGH_DATA:
        ElementTree.SubElement(case, "skipped", told)
    else:
        ElementTree.SubElement(case, "system-out").text = told["message"]


def _counted(checked: Sequence[Checked]) -> dict[str, str]:
    failures = sum(each.failed for each in checked)
    skipped = sum(each.outcome is Outcome.NOT_ENOUGH_DATA and not each.failed for each in checked)
    return {"tests": str(len(checked)), "failures": str(failures), "errors": "0", "skipped": str(skipped)}


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
