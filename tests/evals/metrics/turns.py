"""Judged turns for the tests of metrics, as short as they can be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.model.analysis import Analysis, Expansion, Extraction, FallbackReason, Question, Source
from engine.model.qbs import ExpansionTrigger
from engine.model.qualification import Dimension, Evidence, Signal, qualification_from
from engine.model.state import opening_state
from evals.metrics.judged import JudgedTurn
from evals.metrics.metric import Metric
from evals.records import Failure, TurnRecord
from tests.evals.values import conversation, label, recommendation

LLM = Source(kind="llm", model="m", latency_ms=100.0, tokens_in=10, tokens_out=2, attempts=1, cost_usd=0.01)
FALLBACK = Source(kind="rules", model="m", fallback_reason=FallbackReason.TIMEOUT, attempts=1, cost_usd=0.0)


def signal(quote: str, turn: int = 1, value: str = "v", confidence: float = 0.8) -> Signal:
    return Signal(value=value, confidence=confidence, evidence=(Evidence(quote=quote, turn=turn),))


def analysis(
    signals: dict[str, Signal] | None = None,
    people: Iterable[ExpansionTrigger | str] = (),
    source: Source = LLM,
    sources: dict[str, Source] | None = None,
    **question: Any,
) -> Analysis:
    """An analysis that no guardrail has changed; `question` are fields of its recommendation."""
    found = qualification_from({Dimension(name): own for name, own in (signals or {}).items()})
    triggers = [ExpansionTrigger(mentioned_name_or_role=who) if isinstance(who, str) else who for who in people]
    of = {"extraction": source, "question": source, "expansion": source, **(sources or {})}
    return Analysis(
        extraction=Extraction(found=found, source=of["extraction"]),
        question=Question(recommendation=recommendation(**question), source=of["question"]),
        expansion=Expansion(triggers=tuple(triggers), source=of["expansion"]),
        guarded=True,
    )


def record(result: Analysis | Failure, turn: int = 1, *, interaction: int = 0, of: Any = None, sample: int = 0):
    talk = of or conversation()
    before = opening_state(talk).model_copy(update={"interaction_count": interaction})
    return TurnRecord(
        run_id="r", conversation_id=talk.id, turn=turn, sample=sample, before=before, result=result, after=before
    )


def judged(
    result: Analysis | Failure | None = None,
    labels: dict[str, Any] | None = None,
    turn: int = 1,
    *,
    interaction: int = 0,
    of: Any = None,
    **fields: Any,
) -> JudgedTurn:
    """A judged turn; without `labels` nobody labelled it, and what is said is what its own label says."""
    talk = of or conversation()
    own = None if labels is None else label(turn, talk.id, **labels)
    return JudgedTurn(
        record=record(result or analysis(), turn, interaction=interaction, of=talk),
        conversation=talk,
        label=own,
        **{"said": frozenset(item.dimension for item in own.dimensions) if own else frozenset(), **fields},
    )


def value_of(metric: Metric, *turns: JudgedTurn) -> float | None:
    """The metric over these turns, as scoring counts them."""
    totals = np.zeros(len(metric.tally.parts))
    for turn in turns:
        if turn.counts(metric.tally.answer) and (counted := metric.tally.observe(turn)) is not None:
            for part, amount in counted.items():
                totals[metric.tally.positions[part]] += amount
    value = float(metric.of_totals(totals))
    return None if np.isnan(value) else value


def said(name: str, value: str = "v", quote: str = "q") -> dict[str, str]:
    """A labelled dimension."""
    return {"dimension": name, "value": value, "quote": quote}
