"""Agreement between two labellings, against worked examples and scikit-learn."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from evals.agreement import Agreement, agreement, cohen_kappa, quadratic_kappa
from tests.evals.values import label

WORKED = {
    # Two doctors, 50 patients: 20 yes/yes, 15 no/no, 5 and 10 apart: po 0.7, pe 0.5.
    "the textbook's table": ("y" * 20 + "n" * 15 + "y" * 5 + "n" * 10, "y" * 20 + "n" * 15 + "n" * 5 + "y" * 10, 0.4),
    "full agreement": ("aabb", "aabb", 1.0),
    "full disagreement": ("ab", "ba", -1.0),
    "what chance gives": ("aabb", "abab", 0.0),
    "one labeller who never varies": ("aaaa", "aaab", 0.0),
    "nobody varies, and they agree": ("aaaa", "aaaa", None),
    "nobody varies, and they disagree": ("aa", "bb", 0.0),
    "nothing labelled": ("", "", None),
}


@pytest.mark.parametrize(("first", "second", "kappa"), WORKED.values(), ids=WORKED)
def test_cohens_kappa_of_worked_examples(first: str, second: str, kappa: float | None):
    found = cohen_kappa(first, second)
    assert found is None if kappa is None else found == pytest.approx(kappa)


@pytest.mark.parametrize(
    ("first", "second", "kappa"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3], 1.0),
        ([0, 1, 2, 3], [3, 2, 1, 0], -1.0),
        ([0, 0, 3, 3], [0, 1, 2, 3], 6 / 7),  # squared distances: 2 observed, 14 by chance
        ([1, 1], [1, 1], None),
        ([], [], None),
    ],
)
def test_quadratic_kappa_of_worked_examples(first: list[int], second: list[int], kappa: float | None):
    found = quadratic_kappa(first, second)
    assert found is None if kappa is None else found == pytest.approx(kappa)


@pytest.mark.parametrize("seed", range(20))
def test_both_kappas_equal_those_of_scikit_learn(seed: int):
    from sklearn.metrics import cohen_kappa_score

    choose = random.Random(seed)
    first = [choose.randint(0, 3) for _ in range(40)]
    second = [value if choose.random() < 0.6 else choose.randint(0, 3) for value in first]
    assert cohen_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))
    assert quadratic_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second, weights="quadratic"))


def test_labellings_of_different_lengths_are_a_mistake():
    with pytest.raises(ValueError, match="argument"):
        cohen_kappa("ab", "a")


FIRST = (
    label(1, engagement="factual", pain_depth="surface", question_types=["impact"]),
    label(3, engagement="resistant", pain_depth="surface", back_off=True, question_types=["solution"]),
    label(
        5,
        engagement="high_energy",
        pain_depth="emotional",
        question_types=["impact", "solution"],
        dimensions=[{"dimension": "budget", "value": "40k", "quote": "40k"}],
        people=[{"mention": "our CFO", "quote": "q"}, {"mention": "Ines Faro", "quote": "q"}],
    ),
)
SECOND = (
    label(5, "another", engagement="factual"),
    label(5, engagement="high_energy", pain_depth="business_impact", question_types=["impact"],
          dimensions=[{"dimension": "budget", "value": "about 40k", "quote": "40k"},
                      {"dimension": "need", "value": "n", "quote": "q"}],
          people=[{"mention": "the CFO", "quote": "q"}]),
    label(3, engagement="topic_shift", pain_depth="surface", back_off=True, question_types=["solution"]),
    label(1, engagement="factual", pain_depth="surface", question_types=["impact"]),
)  # fmt: skip

EXPECTED: dict[str, tuple[str, Any, Any, int]] = {
    "engagement": ("kappa", 4 / 7, 2 / 3, 3),
    "pain_depth": ("quadratic_kappa", 1 - 1 * 3 / 11, 2 / 3, 3),
    "back_off": ("kappa", 1.0, 1.0, 3),
    "question_types.impact": ("kappa", 1.0, 1.0, 3),
    "question_types.solution": ("kappa", 0.4, 2 / 3, 3),
    "question_types.confirmation": ("kappa", None, 1.0, 3),
    "dimensions.budget": ("kappa", 1.0, 1.0, 3),
    "dimensions.need": ("kappa", 0.0, 2 / 3, 3),
    "dimensions.champion": ("kappa", None, 1.0, 3),
    "dimensions": ("kappa", 28 / 43, 29 / 30, 30),
    "people.any": ("kappa", 1.0, 1.0, 3),
    "people.named": ("f1", 2 / 3, 2 / 3, 3),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_agreement_on_each_label_over_the_turns_that_both_labelled(name: str):
    found = {item.label: item for item in agreement(FIRST, SECOND)}[name]
    measure, value, observed, n = EXPECTED[name]
    assert (found.measure, found.n) == (measure, n)
    assert found.value is None if value is None else found.value == pytest.approx(value)
    assert found.observed == pytest.approx(observed)


def test_without_a_common_turn_nothing_is_known():
    for item in agreement([label(1)], [label(3)]):
        assert (item.value, item.observed, item.n) == (None, None, 0)


def test_agreement_is_symmetric():
    def numbers(found: tuple[Agreement, ...]) -> list[tuple[str, float]]:
        return [(item.label, math.nan if item.value is None else round(item.value, 12)) for item in found]

    assert repr(numbers(agreement(FIRST, SECOND))) == repr(numbers(agreement(SECOND, FIRST)))
