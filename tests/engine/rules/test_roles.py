"""Roles, teams and departments of the customer's side are heard, others are not."""

from __future__ import annotations

import pytest

from engine.rules.roles import is_executive, roles
from tests.engine.rules.saying import one


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Over 100k goes to our CFO.", ["CFO"]),
        ("The CFO signs.", ["CFO"]),
        ("the cfo signs", ["cfo"]),
        ("I report to the head of quality.", ["head of quality"]),
        ("Our IT director laughed.", ["IT director"]),
        ("It goes to the supervisory board.", ["supervisory board"]),
        ("The works council must be asked.", ["works council"]),
        ("Legal said no.", ["Legal"]),
        ("IT can stop it and procurement wants three quotes.", ["IT", "procurement"]),
        ("Our finance team will check.", ["finance team"]),
        ("The chief nurse decides.", ["chief nurse"]),
        ("Ask my boss.", ["boss"]),
        ("The VP of operations has the last word.", ["VP of operations"]),
    ],
)
def test_a_role_is_heard(said: str, expected: list[str]) -> None:
    assert [role.name for role in roles(one(said))] == expected


@pytest.mark.parametrize(
    "said",
    [
        "Your CFO called.",
        "I'm the head of quality.",
        "A manager would know.",
        "We want it to work.",
        "That is a legal question of finance law.",
        "It is on the board.",
        "The HR system is the master.",
        "Every team has one.",
        "The customers complain.",
    ],
)
def test_the_seller_the_speaker_and_anybody_are_none(said: str) -> None:
    assert roles(one(said)) == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CFO", True),
        ("Walt (CFO)", True),
        ("managing director", True),
        ("supervisory board", True),
        ("finance director", True),
        ("production manager", False),
        ("Henk", False),
    ],
)
def test_who_usually_releases_money(name: str, expected: bool) -> None:
    assert is_executive(name) is expected
