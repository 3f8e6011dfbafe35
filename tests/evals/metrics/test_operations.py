"""What running it was like, worked by hand."""

from __future__ import annotations

from typing import get_args

import pytest

from engine.model.analysis import FallbackReason, GuardrailChange, GuardrailRule
from evals.metrics import find_metric
from evals.metrics.judged import View
from evals.metrics.operations import ANSWER_OF
from evals.records import Failure
from tests.evals.metrics.turns import FALLBACK, LLM, analysis, judged, value_of

DEADLINE = FALLBACK.model_copy(update={"fallback_reason": FallbackReason.DEADLINE})
FAILED = judged(Failure(error="KeyError", message="in f"))


def test_fallbacks_are_counted_by_answer_by_turn_and_by_reason():
    turns = [
        judged(analysis(sources={"question": FALLBACK, "expansion": DEADLINE})),
        judged(analysis(sources={"question": FALLBACK})),
        judged(analysis()),
        FAILED,
    ]
    wanted = {
        "operations.fallbacks": 3 / 9,
        "operations.fallback_turns": 2 / 3,
        "operations.fallbacks.timeout": 2 / 9,
        "operations.fallbacks.deadline": 1 / 9,
        "operations.fallbacks.refused": 0.0,
        "operations.failures": 1 / 4,
    }
    assert {name: value_of(find_metric(name), *turns) for name in wanted} == pytest.approx(wanted)


def test_fallbacks_are_the_same_in_both_views():
    turn = {view: judged(analysis(source=FALLBACK), view=view) for view in View}
    assert {value_of(find_metric("operations.fallbacks"), own) for own in turn.values()} == {1.0}


def test_tokens_and_cost_are_of_a_conversation():
    # Three customer turns, all answered: three calls each of 10 tokens in, 2 out and a cent.
    turns = [judged(analysis(), turn=turn) for turn in (1, 3, 5)]
    wanted = {
        "operations.tokens": 108,
        "operations.tokens_in": 90,
        "operations.tokens_out": 18,
        "operations.cost": 0.09,
    }
    assert {name: value_of(find_metric(name), *turns) for name in wanted} == pytest.approx(wanted)


def test_a_conversation_answered_in_part_counts_in_part():
    assert value_of(find_metric("operations.tokens"), judged(analysis(), turn=1)) == pytest.approx(108)


def test_an_unknown_price_is_no_data_and_rules_cost_nothing():
    unknown = LLM.model_copy(update={"cost_usd": None})
    assert value_of(find_metric("operations.cost"), judged(analysis(sources={"question": unknown}))) is None
    rules = LLM.model_copy(update={"kind": "rules", "cost_usd": None, "attempts": 0})
    assert value_of(find_metric("operations.cost"), judged(analysis(source=rules))) == 0.0


def changed(*rules: GuardrailRule, **fields: object):
    changes = [GuardrailChange(rule=rule, subject="s", before="b", after="a", reason="r") for rule in rules]
    return judged(analysis(**fields).model_copy(update={"changes": tuple(changes)}))


def test_guardrail_changes_are_shares_of_the_answers_they_are_about():
    turns = [changed("jargon", "one_question"), changed("known_contact", "known_contact"), changed(), changed()]
    wanted = {
        "operations.guardrails.question": 1 / 4,
        "operations.guardrails.extraction": 0.0,
        "operations.guardrails.expansion": 1 / 4,
        "operations.guardrails.jargon": 1 / 4,
        "operations.guardrails.known_contact": 1 / 4,
        "operations.guardrails.back_off": 0.0,
    }
    assert {name: value_of(find_metric(name), *turns) for name in wanted} == pytest.approx(wanted)


def test_what_was_changed_in_a_fallback_is_not_the_models():
    turns = [changed("jargon", sources={"question": FALLBACK}), changed()]
    assert value_of(find_metric("operations.guardrails.jargon"), *turns) == 0.0


def test_every_rule_about_an_analysis_has_its_metric():
    about_drafts = {"value_first", "placeholder", "too_long"}
    assert set(ANSWER_OF) == set(get_args(GuardrailRule)) - about_drafts
