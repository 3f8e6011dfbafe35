"""The fallback covers the five situations of the table, asks for what is missing, and never repeats itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import memory
from engine.model.qbs import PainDepthLevel, PainFunnelState, QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension, ListSignal, QualificationState, qualification_from
from engine.model.state import ConversationState
from engine.rules import recommend_by_seed
from engine.rules.seed import USEFUL, target_for
from engine.wording import jargon, questions
from tests.engine.values import qualifications, signal, state

TABLE = [
    (0, PainDepthLevel.NOT_EXPLORED, "pain_funnel", "need", "calibrated_question"),
    (0, PainDepthLevel.EMOTIONAL, "pain_funnel", "need", "calibrated_question"),
    (1, PainDepthLevel.NOT_EXPLORED, "pain_funnel", "pain", "label"),
    (4, PainDepthLevel.SURFACE, "impact", "metrics", "calibrated_question"),
    (9, PainDepthLevel.BUSINESS_IMPACT, "solution", "decision_criteria", "calibrated_question"),
    (30, PainDepthLevel.EMOTIONAL, "confirmation", "champion", "mirror"),
]


def at(count: int, depth: PainDepthLevel, known: QualificationState | None = None) -> ConversationState:
    before = state(interaction_count=count, qualification=known or QualificationState())
    return memory.put(before, pain=PainFunnelState(depth=depth))


@pytest.mark.parametrize(("count", "depth", "question_type", "target", "delivery"), TABLE)
def test_the_five_situations(count: int, depth: PainDepthLevel, question_type: str, target: str, delivery: str) -> None:
    recommended = recommend_by_seed(at(count, depth))
    assert recommended.question_type == question_type
    assert recommended.meddic_bant_target == target
    assert recommended.voss_delivery == delivery
    assert recommended.pain_depth is depth
    assert recommended.information_gaps == tuple(Dimension)
    assert len(questions(recommended.suggested_question)) == 1


@pytest.mark.parametrize(
    ("confidence", "expected"), [(0.69, Dimension.METRICS), (0.7, Dimension.PAIN), (1.0, Dimension.PAIN)]
)
def test_a_target_that_is_well_known_gives_way_to_the_most_useful_gap(confidence: float, expected: Dimension) -> None:
    known = qualification_from({Dimension.METRICS: signal("31 days", confidence)})
    recommended = recommend_by_seed(at(3, PainDepthLevel.SURFACE, known))
    assert recommended.meddic_bant_target is expected
    assert recommended.question_type is QBSQuestionType.IMPACT
    assert recommended.voss_delivery is VossDelivery.CALIBRATED_QUESTION


def test_when_everything_is_known_the_least_sure_is_asked_for() -> None:
    signals = {d: signal("known", 0.9) for d in Dimension if d is not Dimension.DECISION_CRITERIA}
    known = qualification_from(
        {
            **signals,
            Dimension.DECISION_CRITERIA: ListSignal(values=("a",), confidence=0.9),
            Dimension.NEED: signal("n", 0.75),
        }
    )
    assert target_for(QBSQuestionType.SOLUTION, known, preferred=Dimension.DECISION_CRITERIA) is Dimension.NEED


@pytest.mark.parametrize("depth", list(PainDepthLevel))
def test_it_never_repeats_a_question_over_200_fallbacks(depth: PainDepthLevel) -> None:
    before, asked = at(0, depth), set()
    for count in range(200):
        question = recommend_by_seed(before).suggested_question
        print_ = memory.fingerprint(question)
        assert print_ not in asked
        asked.add(print_)
        before = memory.put(before, question=question).model_copy(update={"interaction_count": count + 1})


def test_it_mirrors_the_last_words_about_the_problem() -> None:
    said = signal("down", 0.8, ("The line went down on Tuesday.", 3))
    known = qualification_from({Dimension.PAIN: said})
    question = recommend_by_seed(at(5, PainDepthLevel.EMOTIONAL, known)).suggested_question
    assert question.startswith("Went down on Tuesday... ")


def test_every_type_can_ask_for_every_dimension() -> None:
    assert all(sorted(order) == sorted(Dimension) for order in USEFUL.values())


@settings(max_examples=60)
@given(st.integers(0, 400), st.sampled_from(PainDepthLevel), qualifications)
def test_it_answers_from_any_state_and_always_the_same(
    count: int, depth: PainDepthLevel, known: QualificationState
) -> None:
    before = at(count, depth, known)
    recommended = recommend_by_seed(before)
    assert recommended == recommend_by_seed(before)
    assert not jargon(recommended.suggested_question)
    assert len(questions(recommended.suggested_question)) == 1
