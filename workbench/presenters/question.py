"""The question that a side would ask after a turn, and what was sensed in choosing it."""

from __future__ import annotations

from dataclasses import dataclass

from engine import memory
from engine.model.analysis import GuardrailChange
from workbench.presenters.sides import Side
from workbench.presenters.words import (
    DELIVERIES,
    DEPTHS,
    DIMENSIONS,
    ENGAGEMENTS,
    QUESTION_TYPES,
    RULES,
    Word,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A recommendation as it is shown. Labels name a kind of question without wording it: `question` is then empty,
    and nobody has said how likely an answer is.
    """

    question: str
    why: str
    confidence: float | None
    question_type: Word
    target: Word
    delivery: Word
    engagement: Word
    depth: Word
    backing_off: bool


@dataclass(frozen=True, slots=True)
class Corrected:
    """One thing that a guardrail changed."""

    rule: Word
    subject: str
    before: str
    after: str
    reason: str


def asked(side: Side, turn: int) -> Asked | None:
    """None if the side has no answer at this turn."""
    analysis, after = side.analysis(turn), side.after(turn)
    if analysis is None or after is None:
        return None
    recommendation = analysis.question.recommendation
    worded = bool(recommendation.suggested_question)
    return Asked(
        question=recommendation.suggested_question,
        why=recommendation.rationale if worded else "",
        confidence=recommendation.confidence if worded else None,
        question_type=QUESTION_TYPES[recommendation.question_type],
        target=DIMENSIONS[recommendation.meddic_bant_target],
        delivery=DELIVERIES[recommendation.voss_delivery],
        engagement=ENGAGEMENTS[recommendation.engagement_signal],
        depth=DEPTHS[memory.pain(after).depth],
        backing_off=memory.pain(after).backing_off,
    )


def corrections(side: Side, turn: int) -> tuple[Corrected, ...]:
    """What the guardrails changed at this turn, in the order in which they did."""
    analysis = side.analysis(turn)
    return () if analysis is None else tuple(corrected(change) for change in analysis.changes)


def corrected(change: GuardrailChange) -> Corrected:
    """One change in the words of people."""
    names = {dimension.value: word.name for dimension, word in DIMENSIONS.items()}
    subject = names.get(change.subject, change.subject)
    return Corrected(RULES[change.rule], subject, _in_words(change.before), _in_words(change.after), change.reason)


def _in_words(described: str) -> str:
    """`pain_funnel: What ...?` with the type's name as people know it; anything else as it is."""
    names = {kind.value: word.name for kind, word in QUESTION_TYPES.items()}
    kind, colon, rest = described.partition(":")
    return f"{names[kind]}{colon}{rest}" if kind in names else described
