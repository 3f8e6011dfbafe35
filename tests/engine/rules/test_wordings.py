"""Every wording gives something first, asks one open question in plain words, and is never used twice."""

from __future__ import annotations

import itertools
import re

import pytest

from engine import memory
from engine.model.qbs import QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension
from engine.rules.wordings import has_fresh, openings_for, wording
from engine.wording import jargon, questions

KINDS = list(itertools.product(QBSQuestionType, Dimension, VossDelivery))
FORBIDDEN = re.compile(
    r"\b(?:pain|meddic|bant|champion|economic buyer|stakeholder|qbs|probe|discovery)\b", re.IGNORECASE
)


@pytest.mark.parametrize(("question_type", "target", "delivery"), KINDS)
def test_each_wording_is_one_open_question_in_plain_words_after_something_else(
    question_type: QBSQuestionType, target: Dimension, delivery: VossDelivery
) -> None:
    for count in range(6):
        text = wording(question_type, target, delivery, asked=frozenset(), count=count)
        assert len(questions(text)) == 1
        assert text.endswith("?")
        assert questions(text)[0].split()[0] in {"What", "How"}
        assert not text.startswith(questions(text)[0])
        assert not FORBIDDEN.search(text)
        assert not jargon(text)
        assert len(text) <= 240


@pytest.mark.parametrize(("question_type", "target", "delivery"), KINDS[::7])
def test_no_wording_is_used_twice_however_often_one_asks(
    question_type: QBSQuestionType, target: Dimension, delivery: VossDelivery
) -> None:
    asked: frozenset[str] = frozenset()
    for _ in range(60):
        text = wording(question_type, target, delivery, asked=asked, count=3)
        assert memory.fingerprint(text) not in asked
        assert len(questions(text)) == 1
        asked |= {memory.fingerprint(text)}


def test_a_question_counts_as_asked_whatever_came_before_it() -> None:
    text = wording(QBSQuestionType.IMPACT, Dimension.METRICS, VossDelivery.LABEL, asked=frozenset(), count=0)
    asked = frozenset({memory.fingerprint(f"Thanks for that. {questions(text)[0]}")})
    again = wording(QBSQuestionType.IMPACT, Dimension.METRICS, VossDelivery.LABEL, asked=asked, count=0)
    assert questions(again) != questions(text)


def test_whether_a_fresh_question_is_left() -> None:
    asked: frozenset[str] = frozenset()
    kind = (QBSQuestionType.SOLUTION, Dimension.BUDGET)
    assert has_fresh(*kind, asked)
    for _ in range(10):
        text = wording(*kind, VossDelivery.CALIBRATED_QUESTION, asked=asked, count=0)
        asked |= {memory.fingerprint(text)}
    assert not has_fresh(*kind, asked)


def test_a_mirror_opens_with_the_customers_words() -> None:
    text = wording(
        QBSQuestionType.IMPACT, Dimension.PAIN, VossDelivery.MIRROR, asked=frozenset(), count=0, echo="by hand now"
    )
    assert text.startswith("By hand now... ")


def test_each_delivery_opens_in_its_own_way() -> None:
    for question_type in QBSQuestionType:
        labels = openings_for(question_type, VossDelivery.LABEL)
        assert all(text.startswith(("It sounds like", "It seems like", "It looks like")) for text in labels)
        assert all("?" not in text for delivery in VossDelivery for text in openings_for(question_type, delivery))
