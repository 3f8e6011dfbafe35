from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.errors import SchemaVersionError, StateError
from engine.model.analysis import FallbackReason, GuardrailChange, Question, Source
from engine.model.conversation import Channel, DealStage, Persona
from engine.model.qbs import EngagementSignal, PainDepthLevel, QBSQuestionType
from engine.outcomes import OutcomeStatus, outcome_details
from engine.outcomes.sql import DETAILS_VERSION, OUTCOME_COLUMNS, outcome_of, statement
from engine.outcomes.tracker import stages_before
from tests.engine import values


def test_details_hold_everything_that_rates_are_split_by():
    state = values.state(
        deal_stage=DealStage.EVALUATION, persona_type=Persona.C_SUITE, interaction_count=4, last_channel=Channel.EMAIL
    )
    model = Source(kind="llm", model="openai/gpt", prompt="qbs_analysis@1a2b3c4d")
    analysis = values.analysis(
        question_type=QBSQuestionType.IMPACT,
        engagement_signal=EngagementSignal.HIGH_ENERGY,
        pain_depth=PainDepthLevel.SURFACE,
    )
    analysis = analysis.model_copy(
        update={"question": Question(recommendation=analysis.question.recommendation, source=model)}
    )
    details = outcome_details(state, values.customer("Two days.", index=7), analysis, propensity=0.25)
    assert details.model_dump(mode="json") == {
        "target": "need",
        "delivery": "calibrated_question",
        "engagement": "high_energy",
        "pain_depth": "surface",
        "stage": "evaluation",
        "persona": "c_suite",
        "interaction_count": 4,
        "turn": 7,
        "channel": "email",
        "analyzer": "llm",
        "model": "openai/gpt",
        "prompt": "qbs_analysis@1a2b3c4d",
        "fallback_reason": None,
        "guardrails": [],
        "propensity": 0.25,
        "calibration": None,
        "calibrated_confidence": None,
    }


def test_an_answer_from_rules_is_never_counted_as_one_from_a_model():
    fallback = Source(kind="rules", model="openai/gpt", fallback_reason=FallbackReason.TIMEOUT)
    analysis = values.analysis()
    analysis = analysis.model_copy(
        update={"question": Question(recommendation=analysis.question.recommendation, source=fallback)}
    )
    details = outcome_details(values.state(), values.customer("Two days."), analysis)
    assert (details.analyzer, details.fallback_reason) == ("rules", "timeout")


def test_the_channel_is_the_messages_own_where_it_has_one():
    turn = values.customer("Two days.").model_copy(update={"channel": Channel.CHAT})
    details = outcome_details(values.state(last_channel=Channel.EMAIL), turn, values.analysis())
    assert details.channel == "chat"


def test_guardrails_that_changed_the_question_are_named_and_others_are_not():
    changes = tuple(
        GuardrailChange(rule=rule, subject=subject, before="a", after="b", reason="c")
        for rule, subject in (("back_off", "question"), ("ungrounded_evidence", "budget"), ("jargon", "question"))
    )
    analysis = values.analysis().model_copy(update={"changes": changes})
    details = outcome_details(values.state(), values.customer("Two days."), analysis)
    assert details.guardrails == ("back_off", "jargon")


@pytest.mark.parametrize("propensity", [0.0, -0.1, 1.1])
def test_a_propensity_is_a_probability_above_zero(propensity):
    with pytest.raises(ValidationError):
        outcome_details(values.state(), values.customer("Two days."), values.analysis(), propensity=propensity)


@pytest.mark.parametrize(
    ("to", "earlier"),
    [
        ("prospecting", {"stalled"}),
        ("discovery", {"prospecting", "stalled"}),
        ("negotiation", {"prospecting", "discovery", "qualification", "evaluation", "stalled"}),
        ("closed_won", {"prospecting", "discovery", "qualification", "evaluation", "negotiation", "stalled"}),
        ("closed_lost", set()),
        ("stalled", set()),
    ],
)
def test_a_deal_moves_forward_along_the_stages_and_out_of_a_stall(to, earlier):
    assert set(stages_before(DealStage(to))) == earlier


def test_only_what_is_over_and_was_asked_is_in_a_rate():
    assert {status for status in OutcomeStatus if status.resolved} == {"positive", "negative", "late"}


def test_parameters_are_numbered_by_their_first_place_and_casts_are_none():
    made = statement("select :a::uuid, :b, 'x'::text, :a", ("one",))
    assert (made.sql, made.parameters) == (b"select $1::uuid, $2, 'x'::text, $1", ("a", "b"))
    assert made.name
    assert statement("select 1", prepared=False).name == b""


def test_details_of_a_newer_program_are_refused():
    row = dict.fromkeys(OUTCOME_COLUMNS) | {"schema_version": DETAILS_VERSION + 1}
    with pytest.raises(SchemaVersionError, match="newer"):
        outcome_of(row)


def test_a_row_of_somebody_elses_is_named_and_not_quoted():
    row = dict.fromkeys(OUTCOME_COLUMNS) | {"schema_version": DETAILS_VERSION, "details": b'{"target": "secret words"}'}
    with pytest.raises(StateError, match=r"details\.target") as refused:
        outcome_of(row)
    assert "secret words" not in str(refused.value)
