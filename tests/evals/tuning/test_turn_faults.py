"""What is right and wrong on single turns: by labels everything is right, and each change breaks what it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from engine.model.analysis import Analysis, FallbackReason
from engine.model.qbs import EngagementSignal, QBSQuestionType
from engine.model.qualification import QualificationState
from evals.records import Failure, TurnRecord
from evals.scoring import Scores, score
from evals.tuning.turn_faults import CHECKS, broken, turn_state
from tests.evals.runs_of import by_labels, shipped, talks, with_sources

WANTED = {QBSQuestionType.PAIN_FUNNEL, QBSQuestionType.IMPACT}


def scored(*records: TurnRecord) -> Scores:
    return score(records, shipped().labels, talks())


def example() -> TurnRecord:
    """A turn by labels that tells something, and where neither a confirmation nor high energy would be right."""
    for record in by_labels():
        label = shipped().labels[record.conversation_id][record.turn]
        if (
            label.dimensions
            and label.people
            and QBSQuestionType.CONFIRMATION not in label.question_types
            and label.engagement is not EngagementSignal.HIGH_ENERGY
        ):
            return record
    raise LookupError("the shipped conversations have changed")


RECORD = example()
TURN = (RECORD.conversation_id, RECORD.turn)


def changed(**parts: Any) -> TurnRecord:
    assert isinstance(RECORD.result, Analysis)
    return RECORD.model_copy(update={"result": RECORD.result.model_copy(update=parts)})


def asking(**changes: Any) -> TurnRecord:
    assert isinstance(RECORD.result, Analysis)
    question = RECORD.result.question
    recommendation = question.recommendation.model_copy(update=changes)
    return changed(question=question.model_copy(update={"recommendation": recommendation, "proposed": None}))


def forgetting() -> TurnRecord:
    assert isinstance(RECORD.result, Analysis)
    return changed(extraction=RECORD.result.extraction.model_copy(update={"found": QualificationState()}))


def missing_people() -> TurnRecord:
    assert isinstance(RECORD.result, Analysis)
    return changed(expansion=RECORD.result.expansion.model_copy(update={"triggers": ()}))


def failing() -> TurnRecord:
    return RECORD.model_copy(update={"result": Failure(error="ValueError", message="x"), "after": RECORD.before})


def falling_back() -> TurnRecord:
    assert isinstance(RECORD.result, Analysis)
    source = RECORD.result.question.source.model_copy(
        update={"kind": "rules", "fallback_reason": FallbackReason.TIMEOUT}
    )
    return with_sources(RECORD, question=source)


CHANGES: Mapping[str, Callable[[], TurnRecord]] = {
    "question.type": lambda: asking(question_type=QBSQuestionType.CONFIRMATION),
    "question.engagement": lambda: asking(engagement_signal=EngagementSignal.HIGH_ENERGY),
    "conduct.questions_per_message": lambda: asking(suggested_question="What is that worth? And who else says so?"),
    "conduct.jargon": lambda: asking(suggested_question="Who is the economic buyer for our MEDDIC?"),
    "expansion.f1": missing_people,
    "operations.failures": failing,
    "operations.fallbacks": falling_back,
}


def test_by_labels_what_was_labelled_is_right() -> None:
    state = turn_state(scored(RECORD), TURN)
    assert state.answered
    assert {"question.type", "question.engagement", "question.pain_depth", "expansion.f1"} <= state.right
    assert not {name for name in state.wrong if name.startswith("extraction.") and name.endswith(".f1")}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_breaks_what_it_is_about(name: str) -> None:
    before, after = turn_state(scored(RECORD), TURN), turn_state(scored(CHANGES[name]()), TURN)
    assert name in {check.name for check in broken(before, after)}
    assert broken(before, before) == ()


def test_a_dimension_that_is_not_heard_any_more_is_named() -> None:
    label = shipped().labels[RECORD.conversation_id][RECORD.turn]
    found = broken(turn_state(scored(RECORD), TURN), turn_state(scored(forgetting()), TURN))
    assert {f"extraction.{item.dimension}.f1" for item in label.dimensions} <= {check.name for check in found}


def test_what_was_wrong_before_cannot_break_but_a_fallback_always_counts() -> None:
    wrong = turn_state(scored(CHANGES["question.type"]()), TURN)
    assert "question.type" not in {check.name for check in broken(wrong, wrong)}
    fallen = turn_state(scored(falling_back()), TURN)
    assert [check.name for check in broken(fallen, fallen)] == ["operations.fallbacks"]


def test_of_several_samples_one_wrong_one_is_enough() -> None:
    samples = [RECORD, CHANGES["question.type"]().model_copy(update={"sample": 1})]
    state = turn_state(scored(*samples), TURN)
    assert "question.type" in state.wrong
    assert "question.type" not in state.right


def test_a_turn_that_a_run_has_not_got_is_neither() -> None:
    state = turn_state(scored(RECORD), ("nobody", 1))
    assert (state.right, state.wrong, state.answered) == (frozenset(), frozenset(), False)


def test_every_check_has_a_name_of_its_own_and_words() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(check.title for check in CHECKS)
