"""When something has to happen is told apart from when it happened and when to talk."""

from __future__ import annotations

import pytest

from engine.rules.timing import when
from tests.engine.rules.saying import one


@pytest.mark.parametrize(
    ("said", "text", "least"),
    [
        ("contract is up end of october", "end of october", 0.8),
        ("The current agreement expires on 30 September.", "30 September", 0.8),
        ("We need it live by Q3.", "Q3", 0.8),
        ("It has to be in place before the audit.", "before the audit", 0.6),
        ("The licence runs out in March 2027.", "March 2027", 0.8),
        ("Until end of April we must send the action plan.", "end of April", 0.6),
        ("Teaching starts 21 September.", "21 September", 0.8),
        ("I'd like it live before the summer.", "before the summer", 0.6),
        ("She has a code freeze from 12 oct until mid january.", "12 oct", 0.8),
        ("Deadline: 2026-06-30.", "2026-06-30", 0.8),
        ("Go-live is planned for H2.", "H2", 0.8),
        ("need this fixed yesterday", "yesterday", 0.4),
        ("Our fiscal year starts October 1, the budget round is before.", "October 1", 0.6),
        ("The decision will be taken on the 23rd.", "the 23rd", 0.6),
    ],
)
def test_a_deadline_is_read(said: str, text: str, least: float) -> None:
    found = when(one(said))
    assert found is not None
    assert found.text == text
    assert found.confidence >= least


@pytest.mark.parametrize(
    "said",
    [
        "Thursday 10:00 works.",
        "Can we talk next week?",
        "I'm out next week.",
        "She's off until Thursday.",
        "We moved to the new office in March.",
        "They switched it off in January.",
        "At year end 240 were past due.",
        "In 2023 we had another vendor.",
        "We schedule 71% within 14 days.",
        "If we signed by March, what would happen?",
        "I may call you.",
        "My daughter is five in June.",
        "",
    ],
)
def test_the_past_a_meeting_and_a_bare_date_are_no_deadline(said: str) -> None:
    assert when(one(said)) is None


def test_a_bare_date_is_one_when_it_was_asked_for() -> None:
    assert when(one("November?")) is None
    found = when(one("November?"), asked=True)
    assert found is not None
    assert found.confidence < 0.6


def test_doubt_lowers_the_confidence() -> None:
    sure, unsure = when(one("The contract ends in October.")), when(one("Maybe the contract ends in October."))
    assert sure is not None
    assert unsure is not None
    assert unsure.confidence < sure.confidence
