"""A mirror gives the customer's own words back, turned round, and nothing that could not be said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.echo import LEAST_WORDS, MOST_WORDS, echo_of


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("The line went down on Tuesday at 02:40.", "went down on Tuesday at 02:40"),
        ("The system won't let me see the requests.", "won't let you see the requests"),
        ("It is not proved at 9 of 20 reports which they have looked at.", "not proved at 9 of 20 reports"),
        ("It costs us my whole Sunday.", "costs you your whole Sunday"),
        ("It fails.", None),
        ("It fails when your people (and mine) call.", None),
        ("It fails in every pain point?", None),
        ("We are fine.", None),
        ("", None),
    ],
)
def test_the_words_from_the_problem_on_are_mirrored(said: str, expected: str | None) -> None:
    assert echo_of(said) == expected


@given(st.text(max_size=200))
def test_a_mirror_is_short_and_asks_nothing(said: str) -> None:
    mirrored = echo_of(f"It is broken and {said}")
    assert mirrored is None or (LEAST_WORDS <= len(mirrored.split()) <= MOST_WORDS and "?" not in mirrored)
