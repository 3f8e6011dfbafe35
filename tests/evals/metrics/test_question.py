"""Question metrics, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.model.qbs import EngagementSignal, PainFunnelState
from engine.model.qualification import Dimension
from engine.pain import PainDepthTracker
from evals.metrics import find_metric
from evals.metrics.judged import JudgedTurn
from tests.evals.metrics.turns import FALLBACK, analysis, judged, value_of
from tests.evals.values import conversation


def test_a_type_is_right_if_it_is_among_the_acceptable_ones():
    turns = [
        judged(analysis(question_type="impact"), {"question_types": ["pain_funnel", "impact"]}),
        judged(analysis(question_type="solution"), {"question_types": ["pain_funnel", "impact"]}),
    ]
    assert value_of(find_metric("question.type"), *turns) == 0.5


@pytest.mark.parametrize(
    ("target", "kind", "depth", "wanted"),
    [
        ("budget", "impact", "surface", 1.0),
        ("need", "impact", "surface", 0.0),
        ("pain", "pain_funnel", "surface", 1.0),
        ("pain", "pain_funnel", "emotional", 0.0),
        ("need", "confirmation", "surface", None),
    ],
    ids=["not heard of", "already said", "pain goes deeper", "pain is explored", "confirming what is known"],
)
def test_a_target_is_a_gap_if_no_label_has_named_it(target: str, kind: str, depth: str, wanted: float | None):
    turn = judged(
        analysis(meddic_bant_target=target, question_type=kind),
        {"pain_depth": depth},
        said=frozenset({Dimension.NEED, Dimension.PAIN}),
    )
    assert value_of(find_metric("question.target"), turn) == wanted


def test_without_any_gap_there_is_no_target_to_judge():
    turn = judged(analysis(), {"pain_depth": "emotional"}, said=frozenset(Dimension))
    assert value_of(find_metric("question.target"), turn) is None


def engaged(labelled: str, claimed: str) -> JudgedTurn:
    return judged(analysis(engagement_signal=claimed), {"engagement": labelled})


def test_engagement_accuracy_and_mean_f1_of_a_worked_example():
    turns = [engaged("factual", "factual")] * 3 + [engaged("resistant", "factual"), engaged("resistant", "resistant")]
    assert value_of(find_metric("question.engagement"), *turns) == pytest.approx(4 / 5)
    assert value_of(find_metric("question.engagement_macro_f1"), *turns) == pytest.approx((6 / 7 + 2 / 3) / 2)


@pytest.mark.parametrize("labelled", EngagementSignal)
def test_each_engagement_has_its_own_cell(labelled: EngagementSignal):
    wrong = next(other for other in EngagementSignal if other is not labelled)
    assert value_of(find_metric("question.engagement"), engaged(labelled, labelled)) == 1.0
    assert value_of(find_metric("question.engagement"), engaged(labelled, wrong)) == 0.0


def depth(labelled: str, claimed: str) -> JudgedTurn:
    return judged(analysis(pain_depth=claimed), {"pain_depth": labelled})


def test_pain_depth_is_a_quadratic_weighted_kappa():
    # The worked example of the agreement between labellers: 1 - 2 / 14.
    turns = [
        depth("not_explored", "not_explored"),
        depth("not_explored", "surface"),
        depth("emotional", "business_impact"),
        depth("emotional", "emotional"),
    ]
    assert value_of(find_metric("question.pain_depth"), *turns) == pytest.approx(6 / 7)


def backing(should: bool, state: PainFunnelState | None = None, engagement: str = "factual") -> JudgedTurn:
    """A turn at which probing is wrong or not, the pain state before it, and the engagement that was sensed."""
    turn = judged(analysis(engagement_signal=engagement), {"back_off": should, "question_types": ["confirmation"]})
    before = PainDepthTracker.save(turn.record.before, state or PainFunnelState())
    return replace(turn, record=turn.record.model_copy(update={"before": before}))


BACKED_OFF = {
    "resistance now": (None, "resistant", True),
    "told to before": (PainFunnelState(backing_off=True), "factual", True),
    "three probes in vain": (PainFunnelState(probes=3), "factual", True),
    "three probes that opened up": (PainFunnelState(probes=3, opened_up=True), "factual", False),
    "opens up again": (PainFunnelState(backing_off=True), "high_energy", False),
    "nothing of it": (None, "factual", False),
}


@pytest.mark.parametrize(("state", "engagement", "wanted"), BACKED_OFF.values(), ids=BACKED_OFF)
def test_the_engine_backs_off_as_its_guardrail_decides(state: PainFunnelState | None, engagement: str, wanted: bool):
    found = value_of(find_metric("question.back_off_recall"), backing(True, state, engagement))
    assert found == float(wanted)


def test_backing_off_precision_and_recall_of_a_worked_example():
    turns = [
        *[backing(True, engagement="resistant")] * 3,
        backing(False, engagement="resistant"),
        *[backing(True)] * 2,
        backing(False),
    ]
    assert value_of(find_metric("question.back_off_precision"), *turns) == pytest.approx(3 / 4)
    assert value_of(find_metric("question.back_off_recall"), *turns) == pytest.approx(3 / 5)
    assert value_of(find_metric("question.back_off_f1"), *turns) == pytest.approx(2 / 3)


ASKED = "What does the morning shift do when the line stops?"
REPEATED: dict[str, tuple[str, float | None]] = {
    "the same words": ("What does the morning shift do when the line stops?", 1.0),
    "nearly the same": ("And what does the morning shift do when the line stops?", 1.0),
    "after another lead-in": ("I see. What does the morning shift do when the line stops?", 1.0),
    "what the seller asked": ("How is it going, part 0?", 1.0),
    "another question": ("Who else looks at that number?", 0.0),
    "no question": ("I will write that down.", None),
}


@pytest.mark.parametrize(("text", "wanted"), REPEATED.values(), ids=REPEATED)
def test_a_question_nearly_as_asked_before_is_repeated(text: str, wanted: float | None):
    talk = conversation()
    earlier = judged(analysis(suggested_question=ASKED), turn=1, of=talk)
    turn = judged(analysis(suggested_question=text), turn=3, of=talk, earlier=(earlier,))
    assert value_of(find_metric("question.repetition"), turn) == wanted


def test_what_a_fallback_asked_is_no_question_of_the_model():
    talk = conversation()
    earlier = judged(analysis(suggested_question=ASKED, source=FALLBACK), turn=1, of=talk)
    turn = judged(analysis(suggested_question=ASKED), turn=3, of=talk, earlier=(earlier,))
    assert value_of(find_metric("question.repetition"), turn) == 0.0


@pytest.mark.parametrize("name", ["type", "target", "engagement", "pain_depth", "back_off_recall"])
def test_without_a_label_there_is_no_data(name: str):
    turn: Any = judged(analysis(engagement_signal="resistant"))
    assert value_of(find_metric(f"question.{name}"), turn) is None
