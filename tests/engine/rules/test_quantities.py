"""Measured facts are told apart from numbers in passing."""

from __future__ import annotations

import pytest

from engine.rules.quantities import names_an_indicator, quantities
from tests.engine.rules.saying import one


@pytest.mark.parametrize(
    ("said", "kind", "text"),
    [
        ("We schedule about 71% of them.", "percent", "71%"),
        ("The reopen rate's seven percent.", "percent", "seven percent"),
        ("It went from 81 to 96.", "change", "81 to 96"),
        ("It is 31 days instead of 22.", "change", "31 days instead of 22"),
        ("Roughly 3,100 inbound referrals a month.", "rate", "3,100 inbound referrals a month"),
        ("one thousand nine hundred a month", "rate", "one thousand nine hundred a month"),
        ("9 of 20 reports", "rate", "9 of 20"),
        ("2-3 days for support", "duration", "2-3 days"),
        ("Their overtime was 212 hours.", "duration", "212 hours"),
        ("14 pack stations", "count", "14 pack"),
    ],
)
def test_a_fact_is_read_with_what_it_measures(said: str, kind: str, text: str) -> None:
    assert (kind, text) in [(quantity.kind, quantity.text) for quantity in quantities(one(said))]


@pytest.mark.parametrize("said", ["Call at 10:30.", "In 2024.", "Version 1.1.", "One moment.", "", "It is late."])
def test_other_numbers_measure_nothing(said: str) -> None:
    assert quantities(one(said)) == ()


def test_a_range_is_no_change() -> None:
    assert [quantity.kind for quantity in quantities(one("It takes 2 to 3 days."))] == ["duration"]


def test_what_businesses_measure_is_known_by_name() -> None:
    assert names_an_indicator(one("DIO 96, two years ago 81."))
    assert not names_an_indicator(one("We have 96 chairs."))
