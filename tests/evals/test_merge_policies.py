"""Merge policies: whose value a dimension keeps, with the evidence of both."""

from __future__ import annotations

import pytest

from engine.errors import InputError
from engine.merge import merge_qualification_signals
from engine.model.qualification import Dimension, Evidence, ListSignal, QualificationState, Signal, qualification_from
from evals.merge_policies import MEANINGS, find_policy, policies


def claim(value: str | None, confidence: float = 0.7, turn: int = 1, *, grounded: bool = True) -> QualificationState:
    """What one extraction says of the budget, quoting one turn."""
    evidence = (Evidence(quote=f"words of {turn}", turn=turn),)
    return state(Signal(value=value, confidence=confidence, evidence=evidence, grounded=grounded))


def state(signal: Signal) -> QualificationState:
    return qualification_from({Dimension.BUDGET: signal}, overall_confidence=signal.confidence / 10)


def kept(policy: str, *claims: QualificationState) -> Signal:
    known = QualificationState()
    for found in claims:
        known = find_policy(policy)(known, found)
    return known.bant.budget


TWO_VALUES = ("confidence", "latest", "latest-unless-doubtful", "first")


@pytest.mark.parametrize(
    ("first", "second", "kept_by"),
    [
        (("40k", 0.5), ("60k", 0.9), ("60k", "60k", "60k", "40k")),  # surer
        (("40k", 0.7), ("60k", 0.6), ("40k", "60k", "60k", "40k")),  # a little less sure
        (("40k", 0.9), ("60k", 0.5), ("40k", "60k", "40k", "40k")),  # much less sure
        (("40k", 0.7), ("60k", 0.7), ("40k", "60k", "60k", "40k")),  # a tie
        (("40k", 0.7), (None, 0.0), ("40k", "40k", "40k", "40k")),  # a quote without a value
    ],
)
def test_which_of_two_claims_is_kept(first, second, kept_by: tuple[str, ...]):
    for policy, value in zip(TWO_VALUES, kept_by, strict=True):
        found = kept(policy, claim(*first), claim(*second, turn=3))
        assert (policy, found.value) == (policy, value)
        assert [item.turn for item in found.evidence] == [1, 3]
        assert found.confidence == (first[1] if value == "40k" else second[1])


def test_a_claim_without_grounds_replaces_none_that_has_them():
    for policy in ("latest", "latest-unless-doubtful", "first"):
        assert kept(policy, claim("40k", 0.4), claim("60k", 0.4, turn=3, grounded=False)).value == "40k"
    assert kept("latest", claim("40k", grounded=False), claim("60k", turn=3, grounded=False)).value == "60k"


def test_two_mentions_take_two_turns():
    once = claim("40k")
    assert kept("two-mentions", once).value is None
    assert len(kept("two-mentions", once).evidence) == 1
    assert kept("two-mentions", once, once).value is None
    assert kept("two-mentions", once, claim("60k", 0.6, turn=3)).value == "60k"
    assert kept("two-mentions", once, claim("60k", 0.9, turn=3), claim("50k", 0.8, turn=5)).value == "60k"


@pytest.mark.parametrize("policy", MEANINGS)
def test_merging_the_same_twice_changes_nothing(policy: str):
    merge, known = find_policy(policy), claim("40k")
    for found in (claim("60k", 0.8, turn=3), claim(None, 0.0, turn=5), QualificationState()):
        once = merge(known, found)
        assert merge(once, found) == once
        known = once


@pytest.mark.parametrize("policy", MEANINGS)
def test_lists_and_insights_are_merged_as_by_the_engine_and_confidence_is_the_mean(policy: str):
    criteria = [ListSignal(values=(value,), confidence=0.6) for value in ("price", "support")]
    first, second = (
        qualification_from(
            {Dimension.DECISION_CRITERIA: signal},
            key_insights=(f"insight {number}",),
            recommended_next_questions=("?",),
        )
        for number, signal in enumerate(criteria)
    )
    merged, own = find_policy(policy)(first, second), merge_qualification_signals(first, second)
    assert merged == own
    assert merged.meddic.decision_criteria.values == ("price", "support")
    assert merged.overall_confidence == pytest.approx(0.06)


def test_every_policy_has_a_meaning_and_an_unknown_one_is_named():
    assert set(policies()) == set(MEANINGS)
    assert find_policy("confidence") is merge_qualification_signals
    with pytest.raises(InputError, match="did you mean latest"):
        find_policy("latst")
