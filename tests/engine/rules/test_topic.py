"""What a problem is about is named in the customer's words, and recognised when it comes up again."""

from __future__ import annotations

import pytest

from engine.model.qbs import PainFunnelState, PainTopic
from engine.rules.depth import problems
from engine.rules.reading import read
from engine.rules.topic import topic_of


def topic(text: str, pain: PainFunnelState | None = None) -> str | None:
    sentences = read(text)
    return topic_of(problems(sentences), pain or PainFunnelState(), sentences)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("The returns portal is broken.", "returns portal"),
        ("Their annual reviews are overdue.", "annual reviews"),
        ("We had 214 customer complaints.", "customer complaints"),
        ("It is fine.", None),
        ("", None),
    ],
)
def test_a_new_topic_is_a_few_telling_words(said: str, expected: str | None) -> None:
    assert topic(said) == expected


def test_a_known_topic_is_recognised_whatever_the_endings() -> None:
    known = PainFunnelState(topics=(PainTopic(name="annual reviews"), PainTopic(name="returns portal")))
    assert topic("Another annual review was late and overdue.", known) == "annual reviews"
    assert topic("The scanner is broken.", known) == "scanner"


def test_without_a_problem_the_active_topic_goes_on_where_it_is_spoken_of() -> None:
    active = PainFunnelState(topics=(PainTopic(name="returns portal"),), active_topic="returns portal")
    assert topic("The returns portal has its own login.", active) == "returns portal"
    assert topic("Thursday works.", active) is None
