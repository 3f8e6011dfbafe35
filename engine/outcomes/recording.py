"""A recommendation that was made, recorded as an outcome for each thing that it is watched for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from engine.model.analysis import Analysis
from engine.model.conversation import Turn
from engine.model.outcome import OfferedChoice, Outcome, OutcomeDetails, OutcomeType
from engine.model.state import ConversationState
from engine.outcomes.sql import DETAILS_VERSION, OUTCOME_COLUMNS, listed, outcome_of, statement
from engine.state.database import TenantSession
from engine.state.inquiry import Inquiry
from engine.state.statements import Call

_RECORD = statement("""
insert into qbs.outcomes (
    tenant_id, outcome_id, state_id, idempotency_key, action_type, outcome_type,
    predicted_confidence, recommended_at, closes_at, details, schema_version
) values (
    :tenant_id, :outcome_id, :state_id, :key, :action_type, :outcome_type,
    :confidence, coalesce(:recommended_at::timestamptz, now()),
    coalesce(:recommended_at::timestamptz, now()) + make_interval(secs => :seconds::float), :details, :version
) on conflict do nothing
""")
_RECORDED = statement(
    f"select {listed(OUTCOME_COLUMNS)} from qbs.outcomes "  # noqa: S608  # made of names
    "where tenant_id = :tenant_id and outcome_id = :outcome_id",
    OUTCOME_COLUMNS,
)


async def record_qbs_outcome(
    session: TenantSession,
    state: ConversationState,
    turn: Turn,
    analysis: Analysis,
    *,
    types: Sequence[OutcomeType] = tuple(OutcomeType),
    at: datetime | None = None,
    key: str | None = None,
    propensity: float | None = None,
    choices: Sequence[OfferedChoice] = (),
    calibration: str | None = None,
    calibrated_confidence: float | None = None,
) -> tuple[Outcome, ...]:
    """Record the recommendation of `analysis` as an outcome of each of `types`, in that order, in one round trip.

    `state` is the state that is saved with it: after the customer's `turn` that was answered. `at` is when the
    recommendation was made, not when the customer wrote: a message that was delivered days late is answered today.
    None is now by the clock of Postgres, which also times the messages, so that no reply seems older than its question.
    `key` makes a second delivery change nothing and return what was recorded first; without it that
    is the turn of this contact's conversation.
    """
    details = outcome_details(
        state,
        turn,
        analysis,
        propensity=propensity,
        choices=choices,
        calibration=calibration,
        calibrated_confidence=calibrated_confidence,
    )
    return await session.ask(
        recording_outcomes(session.tenant_id, state, turn, analysis, details, at=at, types=types, key=key)
    )


def recording_outcomes(
    tenant_id: UUID,
    state: ConversationState,
    turn: Turn,
    analysis: Analysis,
    details: OutcomeDetails,
    *,
    at: datetime | None = None,
    types: Sequence[OutcomeType] = tuple(OutcomeType),
    key: str | None = None,
) -> Inquiry[tuple[Outcome, ...]]:
    """What `record_qbs_outcome` does, to be sent along with something else."""
    key = key or f"{state.state_id}:{turn.index}"
    recommendation = analysis.question.recommendation
    calls: list[Call] = []
    for outcome_type in types:
        own_key = f"{key}:{outcome_type}"
        outcome_id = uuid5(tenant_id, own_key)
        calls += (
            _RECORD(
                tenant_id=tenant_id,
                outcome_id=outcome_id,
                state_id=UUID(state.state_id),
                key=own_key,
                action_type=action_type_of(analysis),
                outcome_type=outcome_type,
                confidence=recommendation.confidence,
                recommended_at=at,
                seconds=outcome_type.window.total_seconds(),
                details=details.model_dump_json().encode(),
                version=DETAILS_VERSION,
            ),
            _RECORDED(tenant_id=tenant_id, outcome_id=outcome_id),
        )
    return Inquiry(tuple(calls), lambda answers: tuple(outcome_of(rows[0]) for rows in answers[1::2]))


def action_type_of(analysis: Analysis) -> str:
    """What the recommendation of an analysis counts as."""
    return f"qbs_{analysis.question.recommendation.question_type}"


def outcome_details(
    state: ConversationState,
    turn: Turn,
    analysis: Analysis,
    *,
    propensity: float | None = None,
    choices: Sequence[OfferedChoice] = (),
    calibration: str | None = None,
    calibrated_confidence: float | None = None,
) -> OutcomeDetails:
    """What is known when a recommendation is made. The source is that of the question, not of the whole analysis."""
    recommendation, source = analysis.question.recommendation, analysis.question.source
    return OutcomeDetails(
        target=recommendation.meddic_bant_target,
        delivery=recommendation.voss_delivery,
        engagement=recommendation.engagement_signal,
        pain_depth=recommendation.pain_depth,
        stage=state.deal_stage,
        persona=state.persona_type,
        interaction_count=state.interaction_count,
        turn=turn.index,
        channel=turn.channel or state.last_channel,
        analyzer=source.kind,
        model=source.model,
        prompt=source.prompt,
        fallback_reason=source.fallback_reason,
        guardrails=tuple(change.rule for change in analysis.changes if change.subject == "question"),
        propensity=propensity,
        choices=tuple(choices),
        calibration=calibration,
        calibrated_confidence=calibrated_confidence,
    )
