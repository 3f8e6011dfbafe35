"""Quoted evidence is found in its message as the guardrails find it."""

from __future__ import annotations

import pytest

from workbench.presenters.quotes import Passage, locate, passages


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("We lose two days a week.", "two days a week", "two days a week"),
        ("We lose TWO days", "we lose two", "We lose TWO"),
        ("We lose\n two   days", "lose two days", "lose\n two   days"),
        ("It’s “late” – again", 'it\'s "late" - again', "It’s “late” – again"),
        ("Straße, groß", "strasse", "Straße"),
        ("caf\u00e9 owner", "cafe\u0301 owner", "caf\u00e9 owner"),
        ("cafe\u0301 owner", "caf\u00e9 owner", "cafe\u0301 owner"),
        ("ﬁrst of all", "first", "ﬁrst"),
        ("soft\u00adly spoken", "softly spoken", "soft\u00adly spoken"),
        ("We lose two days.", '"two days..."', "two days"),
        ("  leading", "leading", "leading"),
        ("We lose two days", "three days", None),
        ("We lose two days", "  ", None),
        ("", "two days", None),
    ],
)
def test_a_quote_is_located(text: str, quote: str, found: str | None) -> None:
    place = locate(text, quote)
    assert (None if place is None else text[slice(*place)]) == found


@pytest.mark.parametrize(
    ("quotes", "expected"),
    [
        ([("b c", "x")], [Passage(2, 5, ("x",))]),
        ([("d e", "y"), ("a", "x")], [Passage(0, 1, ("x",)), Passage(6, 9, ("y",))]),
        ([("a b", "x"), ("b c", "y")], [Passage(0, 5, ("x", "y"))]),
        ([("a b c", "x"), ("b", "y"), ("c d", "x")], [Passage(0, 7, ("x", "y"))]),
        ([("a b", "x"), ("a b", "x")], [Passage(0, 3, ("x",))]),
        ([("not there", "x")], []),
    ],
)
def test_passages_that_overlap_become_one(quotes: list[tuple[str, str]], expected: list[Passage[str]]) -> None:
    assert list(passages("a b c d e", quotes)) == expected
