"""Amounts in the currencies and notations of the world, and numbers that are no money."""

from __future__ import annotations

import pytest

from engine.rules.money import amounts
from engine.rules.numbers import number_of, spoken_number
from tests.engine.rules.saying import one

AMOUNTS = [
    ("We have $145,000 this year.", [("$145,000", 145_000, 145_000, "USD", None)]),
    ("EUR 50-60k a year", [("EUR 50-60k a year", 50_000, 60_000, "EUR", "year")]),
    ("between 50 and 60k", [("50 and 60k", 50_000, 60_000, None, None)]),
    ("up to 5.000 euro", [("5.000 euro", 5_000, 5_000, "EUR", None)]),
    ("1.234,56 EUR", [("1.234,56 EUR", 1_234.56, 1_234.56, "EUR", None)]),
    ("1,5m€ at most", [("1,5m€", 1_500_000, 1_500_000, "EUR", None)]),
    ("CHF 250'000", [("CHF 250'000", 250_000, 250_000, "CHF", None)]),
    ("250 000 NOK", [("250 000 NOK", 250_000, 250_000, "NOK", None)]),
    ("₹12,34,567 in all", [("₹12,34,567", 1_234_567, 1_234_567, "INR", None)]),
    ("S$ 84k", [("S$ 84k", 84_000, 84_000, "SGD", None)]),
    ("R$ 300 each", [("R$ 300", 300, 300, "BRL", None)]),
    ("¥2 million", [("¥2 million", 2_000_000, 2_000_000, "JPY", None)]),
    ("14 bucks a unit", [("14 bucks a unit", 14, 14, "USD", "unit")]),
    ("£740 a go, so £230k or so", [("£740", 740, 740, "GBP", None), ("£230k", 230_000, 230_000, "GBP", None)]),
    ("58 grand machine", [("58 grand", 58_000, 58_000, None, None)]),
    ("thirty-one thousand a month", [("thirty-one thousand a month", 31_000, 31_000, None, "month")]),
    ("one point one four million over three years", [("one point one four million", 1_140_000, 1_140_000, None, None)]),
    ("half a million dollars", [("half a million dollars", 500_000, 500_000, "USD", None)]),
    ("it's about 190k.", [("190k", 190_000, 190_000, None, None)]),
]

NO_MONEY = [
    "71% within 14 days",
    "we are 240 people",
    "call me on 020 7946 0018",
    "in 2024 and 2025",
    "12k units",
    "10k steps a day",
    "100m from here",
    "3 m wide",
    "a million reasons",
    "at 10:30 on the 14th",
    "version 1.1 of the sheet",
    "we won three deals",
    "two hundred and sixty of theirs",
    "0.06 to 0.085 a label",
    "the K-1s",
    "",
]


@pytest.mark.parametrize(("said", "expected"), AMOUNTS)
def test_an_amount_is_read_with_its_currency_and_period(said: str, expected: list[tuple[object, ...]]) -> None:
    assert [(a.text, a.low, a.high, a.currency, a.period) for a in amounts(one(said))] == expected


@pytest.mark.parametrize("said", NO_MONEY)
def test_a_number_without_currency_or_scale_is_no_money(said: str) -> None:
    assert amounts(one(said)) == ()


@pytest.mark.parametrize(
    ("written", "value"),
    [("5.000", 5000), ("1,200", 1200), ("3.5", 3.5), ("12,50", 12.5), ("1.234.567", 1_234_567), ("0.085", 0.085)],
)
def test_written_numbers_in_both_notations(written: str, value: float) -> None:
    assert number_of(written) == value


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("thirty-one", 31),
        ("two hundred and forty", 240),
        ("one thousand nine hundred", 1900),
        ("seventy-five", 75),
        ("one point one four million", 1_140_000),
        ("half a million", 500_000),
        ("a hundred thousand", 100_000),
    ],
)
def test_numbers_in_words(said: str, value: float) -> None:
    assert spoken_number(said) == value
