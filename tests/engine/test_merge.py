"""What was known and what was found become one, by confidence."""

from __future__ import annotations

import pytest
from hypothesis import given

from engine.merge import extend_signal, joined_evidence, merge_qualification_signals, merge_signal, without_doubles
from engine.model.qualification import Dimension, Evidence, ListSignal, QualificationState, Signal, qualification_from
from tests.engine.values import qualifications, signal


@pytest.mark.parametrize(
    ("current", "found", "value", "confidence"),
    [
        (Signal(), signal("50k", 0.1), "50k", 0.1),
        (signal("50k", 0.1), Signal(), "50k", 0.1),
        (signal("50k", 0.6), signal("80k", 0.9), "80k", 0.9),
        (signal("50k", 0.9), signal("80k", 0.6), "50k", 0.9),
        (signal("50k", 0.6), signal("80k", 0.6), "50k", 0.6),
        (Signal(confidence=0.9), signal("80k", 0.2), "80k", 0.2),
        (signal("50k", 0.3), Signal(confidence=0.9), "50k", 0.3),
    ],
)
def test_the_more_confident_identified_signal_wins_with_its_own_confidence(
    current: Signal, found: Signal, value: str, confidence: float
) -> None:
    merged = merge_signal(current, found)
    assert (merged.value, merged.confidence) == (value, confidence)


def test_evidence_of_the_loser_is_kept_and_a_quote_stands_once() -> None:
    merged = merge_signal(signal("50k", 0.9, ("we have 50k", 1)), signal("80k", 0.5, ("80k", 3), ("We have  50K", 3)))
    assert merged.evidence == (Evidence(quote="we have 50k", turn=1), Evidence(quote="80k", turn=3))
    assert joined_evidence(merged.evidence) == "we have 50k | 80k"


def test_decision_criteria_are_extended_in_order() -> None:
    def criteria(*values: str, confidence: float) -> QualificationState:
        return qualification_from({Dimension.DECISION_CRITERIA: ListSignal(values=values, confidence=confidence)})

    merged = merge_qualification_signals(
        criteria("SSO", "on premises", confidence=0.6), criteria("sso", "audit log", confidence=0.4)
    )
    assert merged.meddic.decision_criteria.values == ("SSO", "on premises", "audit log")
    assert merged.meddic.decision_criteria.confidence == 0.6


@pytest.mark.parametrize(
    ("current", "found", "values", "confidence", "grounded"),
    [
        (("SSO", 0.9, True), ("free", 0.4, False), ("SSO",), 0.9, True),
        (("free", 0.4, False), ("SSO", 0.9, True), ("SSO",), 0.9, True),
        (("free", 0.4, False), ("SSO", 0.3, True), ("SSO",), 0.4, True),
        (("free", 0.4, False), ("cheap", 0.2, False), ("free", "cheap"), 0.4, False),
    ],
)
def test_criteria_without_grounds_never_join_those_that_have_them(
    current: tuple[str, float, bool],
    found: tuple[str, float, bool],
    values: tuple[str, ...],
    confidence: float,
    grounded: bool,
) -> None:
    sides = [ListSignal(values=(value,), confidence=sure, grounded=ok) for value, sure, ok in (current, found)]
    merged = extend_signal(*sides)
    assert (merged.values, merged.confidence, merged.grounded) == (values, confidence, grounded)


def test_next_questions_are_replaced_only_by_others_and_insights_are_added_once() -> None:
    current = QualificationState(key_insights=("A",), recommended_next_questions=("Q1",))
    kept = merge_qualification_signals(current, QualificationState(key_insights=("a", "B")))
    assert (kept.key_insights, kept.recommended_next_questions) == (("A", "B"), ("Q1",))
    replaced = merge_qualification_signals(current, QualificationState(recommended_next_questions=("Q2",)))
    assert replaced.recommended_next_questions == ("Q2",)


def test_doubles_are_dropped_where_they_come_second() -> None:
    assert without_doubles(["b", "A", "B ", "a"]) == ("b", "A")


@given(qualifications, qualifications)
def test_merging_the_same_extraction_twice_changes_nothing(
    current: QualificationState, found: QualificationState
) -> None:
    once = merge_qualification_signals(current, found)
    assert merge_qualification_signals(once, found) == once


@given(qualifications, qualifications)
def test_confidence_never_falls_and_evidence_only_grows(current: QualificationState, found: QualificationState) -> None:
    merged = merge_qualification_signals(current, found)
    for dimension in current.identified:
        before, after = current.signal(dimension), merged.signal(dimension)
        assert after.identified
        assert after.confidence >= before.confidence
        assert after.evidence[: len(before.evidence)] == before.evidence
    known = merge_qualification_signals(QualificationState(), current)
    assert merged.overall_confidence >= known.overall_confidence


@given(qualifications, qualifications)
def test_a_value_keeps_the_confidence_it_came_with(current: QualificationState, found: QualificationState) -> None:
    merged = merge_qualification_signals(current, found)
    for dimension in set(Dimension) - {Dimension.DECISION_CRITERIA}:
        sides = {(side.signal(dimension).value, side.signal(dimension).confidence) for side in (current, found)}
        assert (merged.signal(dimension).value, merged.signal(dimension).confidence) in sides


@given(qualifications)
def test_completion_counts_identified_dimensions(state: QualificationState) -> None:
    assert state.completion == pytest.approx((4 * state.bant.completion + 6 * state.meddic.completion) / 10)
    assert set(state.gaps) | set(state.identified) == set(Dimension)
