"""The report as a file: whole, escaped, and without a way to the network."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from evals.report import Report, ReportedRun, ReportedTurn, render
from tests.evals.report.rows import BETTER, WORSE, comparison, row

HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>"\'> &amp; </style></title></body> --> ]]>'


class Read(HTMLParser):
    """The tags, attributes and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def turn(text: str = "We re-key every order.", **fields: Any) -> ReportedTurn:
    values = {
        "conversation_id": "carrier",
        "title": text,
        "turn": 3,
        "gain": "−1.20 pts",
        "first": "100.0 %",
        "second": "0.0 %",
        "message": text,
        "label": text,
        "first_answer": text,
        "second_answer": text,
    }
    return ReportedTurn(**{**values, **fields})


def report(text: str = "Rules", **fields: Any) -> Report:
    rows = (row("extraction.f1", 0.5, 0.7, BETTER, reason=text), row("operations.tokens", 10.0, 30.0, WORSE))
    values = {
        "comparison": comparison(*rows),
        "first": ReportedRun(text, "run-one", text),
        "second": ReportedRun(text, "run-two", text),
        "dataset": text,
        "metric": text,
        "best": (turn(text),),
        "worst": (turn(text), turn(text)),
        "made_at": datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        "part": text,
        "notes": (text,),
    }
    return Report(**{**values, **fields})


def test_markup_in_any_text_stays_text():
    plain, hostile = Read(render(report())), Read(render(report(HOSTILE)))
    assert hostile.tags == plain.tags
    assert {name for name, _ in hostile.attributes} == {name for name, _ in plain.attributes}
    assert not {"script", "img", "iframe", "object", "link", "a", "form"} & set(hostile.tags)
    assert hostile.text.count('<script>alert("x")</script>') >= 10


def test_nothing_is_fetched_from_anywhere():
    page = render(report())
    found = Read(page)
    assert not {"src", "href", "xlink:href", "srcset", "action"} & {name for name, _ in found.attributes}
    assert not re.search(r"https?:|url\(|@import", page)
    assert "default-src 'none'" in page


def test_it_says_what_was_found_and_how():
    text = Read(render(report("Rules", second=ReportedRun("A model", "run-two", "asked in this run")))).text
    for said in (
        "A model against Rules, in 1 measure of quality: better in 1.",
        "+20.0 pts",
        "40 turns of 12 conversations",
        "1,000 times with seed 7",
        "1 were in the first only, 2 in the second only",
        "Turns that got worse",
        "2 tp / (2 tp + fp + fn)",
        "02 March 2026, 09:00 UTC",
    ):
        assert said in text


@pytest.mark.parametrize("turns", [(), (turn(),)])
def test_without_turns_that_moved_there_is_no_list_of_them(turns):
    text = Read(render(report(best=(), worst=turns))).text
    assert ("Down to the turns" in text) == bool(turns)
    assert "Turns that got better" not in text
