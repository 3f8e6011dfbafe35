"""Which words and numbers two short statements share."""

from __future__ import annotations

import pytest

from evals.metrics.wording import held, numbers, tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("about EUR 180k a year", "€180,000 per year"),
        ("€40k", "40.000 euros"),
        ("forty-five thousand", "45k"),
        ("half a million", "500,000"),
        ("20 %", "twenty percent"),
        ("two hours a day", "2 hours, the day"),
        ("end of Sept.", "the end of September"),
        ("The invoices", "invoice"),
        ("1.5 million", "1,500,000"),
    ],
)
def test_one_fact_written_two_ways_has_the_same_tokens(one: str, other: str):
    assert sorted(tokens(one)) == sorted(tokens(other))


@pytest.mark.parametrize(("one", "other"), [("40k", "400k"), ("March", "May"), ("access", "acces"), ("3.5", "35")])
def test_different_facts_have_different_tokens(one: str, other: str):
    assert tokens(one) != tokens(other)


@pytest.mark.parametrize(
    ("text", "claimed", "counts"),
    [
        ("board above 250k", "Supervisory board decides above 250,000", (3, 3)),
        ("board above 250k", "board", (1, 3)),
        ("twice twice", "twice", (1, 2)),
        ("the", "board", (0, 0)),
        ("board", "", (0, 1)),
    ],
)
def test_what_is_held_is_counted_token_by_token(text: str, claimed: str, counts: tuple[int, int]):
    assert held(text, claimed) == counts


def test_numbers_are_read_alone():
    assert numbers("31 days, target twenty-two by May") == "31 22"
