"""A run and a turn as flat rows: what the index holds, lists, filters and exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine import memory
from engine.model.analysis import Analysis
from engine.model.qbs import QBSQuestionRecommendation
from engine.model.state import ConversationState
from engine.pain import PainDepthTracker, sense
from evals.records import Failure, RunStatus, TurnRecord
from evals.runs.lines import StoredRecord


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. `turns` to `cost_usd` count what is indexed of it; `problem` says why not more could be."""

    run_id: str
    status: RunStatus
    dataset: str
    dataset_hash: str
    variant: str
    reasoning_model: str | None
    fast_model: str | None
    state_mode: str
    samples: int
    conversations: int
    turns_expected: int
    created_at: datetime
    engine_hash: str
    commit: str | None
    dirty: bool | None
    turns: int
    failures: int
    fallbacks: int
    tokens_in: int
    tokens_out: int
    cost_usd: float | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One turn of one run. Everything between `error` and `byte_offset` is None where the turn is a failure.

    Times are in milliseconds; `latency_ms` is that of the slowest of the three calls. `back_off` says whether, after
    this message, probing was over; `changes` counts what the guardrails changed; `completion` (0 to 1), `stage` and
    `people` (known by then, and not contacted) are those of the state after the turn.
    """

    run_id: str
    conversation_id: str
    turn: int
    sample: int
    error: str | None
    extraction_source: str | None = None
    question_source: str | None = None
    expansion_source: str | None = None
    extraction_reason: str | None = None
    question_reason: str | None = None
    expansion_reason: str | None = None
    extraction_ms: float | None = None
    question_ms: float | None = None
    expansion_ms: float | None = None
    latency_ms: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None
    question_type: str | None = None
    target: str | None = None
    delivery: str | None = None
    confidence: float | None = None
    engagement: str | None = None
    pain_depth: str | None = None
    back_off: bool | None = None
    completion: float | None = None
    stage: str | None = None
    people: int | None = None
    changes: int | None = None
    byte_offset: int = 0
    byte_length: int = 0


def turn_row(stored: StoredRecord) -> TurnRow:
    """The flat row of a record."""
    record, place = stored.record, stored.place
    result = record.result
    error = result.error if isinstance(result, Failure) else None
    found = {} if isinstance(result, Failure) else _of_analysis(record, result)
    return TurnRow(
        run_id=record.run_id,
        conversation_id=record.conversation_id,
        turn=record.turn,
        sample=record.sample,
        error=error,
        byte_offset=place.offset,
        byte_length=place.length,
        **found,
    )


def _of_analysis(record: TurnRecord, result: Analysis) -> dict[str, Any]:
    recommendation = result.question.recommendation
    return {
        **_of_sources(result),
        "question_type": recommendation.question_type.value,
        "target": recommendation.meddic_bant_target.value,
        "delivery": recommendation.voss_delivery.value,
        "confidence": recommendation.confidence,
        "engagement": recommendation.engagement_signal.value,
        "pain_depth": recommendation.pain_depth.value,
        "back_off": _backs_off(record.before, recommendation),
        "completion": record.after.qualification.completion,
        "stage": record.after.deal_stage.value,
        "people": sum(not entry.contacted for entry in memory.expansion(record.after).entries),
        "changes": len(result.changes),
    }


def _of_sources(result: Analysis) -> dict[str, Any]:
    sources = result.sources
    return {
        **{f"{name}_source": source.kind for name, source in sources.items()},
        **{
            f"{name}_reason": source.fallback_reason and source.fallback_reason.value
            for name, source in sources.items()
        },
        **{f"{name}_ms": source.latency_ms for name, source in sources.items()},
        "latency_ms": result.latency_ms,
        "tokens_in": sum(source.tokens_in for source in sources.values()),
        "tokens_out": sum(source.tokens_out for source in sources.values()),
        "cost_usd": result.cost_usd,
    }


def _backs_off(before: ConversationState, recommendation: QBSQuestionRecommendation) -> bool:
    """Whether probing was over once this message was taken in, and before the next question was counted."""
    pain = sense(PainDepthTracker.load(before), recommendation.engagement_signal, recommendation.pain_depth)
    return PainDepthTracker.should_back_off(pain)
