"""Two mentions of one person, team or role are one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.people import is_role, normalise_mention, parse_mention, same_person

SAME = [
    ("the CFO", "our CFO"),
    ("CFO", "Chief Financial Officer"),
    ("the new CFO", "cfo"),
    ("Dr. Anjali Menon", "anjali menon"),
    ("Walt", "Walt Brzezicki"),
    ("W. Brzezicki", "Walt Brzezicki"),
    ("Mr Kienzle", "Mr. Dr. Kienzle"),
    ("Yusuf Erdem (General Counsel)", "our general counsel"),
    ("Nadia Elmassri, Enterprise Architect (opened the evaluation)", "Nadia"),
    ("Jule (customer service team lead)", "Jule"),
    ("director of IT", "the IT director"),
    ("the finance team", "finance"),
    ("Managing Director", "our MD"),
    ("Purchasing", "procurement"),
    ("Walt's", "Walt"),
]
DIFFERENT = [
    ("Teresa Okafor", "Teresa Lindgren"),
    ("CFO", "CIO"),
    ("the finance director", "finance"),
    ("manager", "production manager"),
    ("Tom (analyst)", "Ann (analyst)"),
    ("Walt", "Walter"),
    ("the board", "Walt"),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_the_same_person_is_recognised(a: str, b: str) -> None:
    assert same_person(a, b)
    assert same_person(b, a)


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_different_people_stay_different(a: str, b: str) -> None:
    assert not same_person(a, b)
    assert not same_person(b, a)


@pytest.mark.parametrize(
    ("mention", "normal"),
    [
        ("our CFO", "cfo"),
        ("The Chief Financial Officer", "cfo"),
        ("Dr. Ferreira-Holt", "ferreira holt"),
        ("the head of quality", "quality head"),
        ("Walt’s", "walt"),
        ("the", ""),
        ("", ""),
    ],
)
def test_a_mention_without_what_does_not_matter(mention: str, normal: str) -> None:
    assert normalise_mention(mention) == normal


def test_a_name_and_its_roles_are_told_apart() -> None:
    assert parse_mention("Yusuf Erdem (General Counsel)") == ("yusuf erdem", frozenset({"general counsel"}))
    assert parse_mention("the CFO") == (None, frozenset({"cfo"}))
    assert is_role("works council")
    assert not is_role("Henk")


@given(st.text(max_size=60), st.text(max_size=60))
def test_sameness_is_symmetric_and_normal_forms_are_stable(a: str, b: str) -> None:
    assert same_person(a, b) == same_person(b, a)
    assert normalise_mention(normalise_mention(a)) == normalise_mention(a)
