"""The rule-based fallback: which question to ask from the state alone, by the table of five situations."""

from __future__ import annotations

from typing import NamedTuple

from engine import memory
from engine.model.qbs import PainDepthLevel, QBSQuestionRecommendation, QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension, QualificationState
from engine.model.state import ConversationState
from engine.pain import PainDepthTracker
from engine.rules.echo import echo_of
from engine.rules.wordings import wording

WELL_KNOWN = 0.7


class Seed(NamedTuple):
    """One row of the seed table."""

    situation: str
    question_type: QBSQuestionType
    target: Dimension
    delivery: VossDelivery


FIRST_INTERACTION = Seed(
    "first interaction", QBSQuestionType.PAIN_FUNNEL, Dimension.NEED, VossDelivery.CALIBRATED_QUESTION
)
SEEDS = {
    PainDepthLevel.NOT_EXPLORED: Seed(
        "no problem explored yet", QBSQuestionType.PAIN_FUNNEL, Dimension.PAIN, VossDelivery.LABEL
    ),
    PainDepthLevel.SURFACE: Seed(
        "a problem named, its consequences not",
        QBSQuestionType.IMPACT,
        Dimension.METRICS,
        VossDelivery.CALIBRATED_QUESTION,
    ),
    PainDepthLevel.BUSINESS_IMPACT: Seed(
        "consequences known",
        QBSQuestionType.SOLUTION,
        Dimension.DECISION_CRITERIA,
        VossDelivery.CALIBRATED_QUESTION,
    ),
    PainDepthLevel.EMOTIONAL: Seed(
        "what it does to people is known", QBSQuestionType.CONFIRMATION, Dimension.CHAMPION, VossDelivery.MIRROR
    ),
}

# Which dimensions a type of question can well ask for, the most useful first.
USEFUL: dict[QBSQuestionType, tuple[Dimension, ...]] = {
    QBSQuestionType.PAIN_FUNNEL: (
        Dimension.PAIN,
        Dimension.NEED,
        Dimension.METRICS,
        Dimension.TIMELINE,
        Dimension.CHAMPION,
        Dimension.ECONOMIC_BUYER,
        Dimension.DECISION_CRITERIA,
        Dimension.AUTHORITY,
        Dimension.DECISION_PROCESS,
        Dimension.BUDGET,
    ),
    QBSQuestionType.IMPACT: (
        Dimension.METRICS,
        Dimension.PAIN,
        Dimension.ECONOMIC_BUYER,
        Dimension.TIMELINE,
        Dimension.NEED,
        Dimension.CHAMPION,
        Dimension.BUDGET,
        Dimension.AUTHORITY,
        Dimension.DECISION_CRITERIA,
        Dimension.DECISION_PROCESS,
    ),
    QBSQuestionType.SOLUTION: (
        Dimension.DECISION_CRITERIA,
        Dimension.NEED,
        Dimension.TIMELINE,
        Dimension.DECISION_PROCESS,
        Dimension.BUDGET,
        Dimension.METRICS,
        Dimension.ECONOMIC_BUYER,
        Dimension.AUTHORITY,
        Dimension.CHAMPION,
        Dimension.PAIN,
    ),
    QBSQuestionType.CONFIRMATION: (
        Dimension.CHAMPION,
        Dimension.DECISION_PROCESS,
        Dimension.AUTHORITY,
        Dimension.ECONOMIC_BUYER,
        Dimension.TIMELINE,
        Dimension.BUDGET,
        Dimension.DECISION_CRITERIA,
        Dimension.NEED,
        Dimension.METRICS,
        Dimension.PAIN,
    ),
}


def recommend_by_seed(state: ConversationState) -> QBSQuestionRecommendation:
    """The fallback question, from the state alone; unguarded.

    Type and delivery are those of the situation. So is the target, unless it is known with a confidence of
    `WELL_KNOWN` or more: then it is the most useful gap for the type. The wording is one not asked before.
    """
    pain = PainDepthTracker.load(state)
    seed = FIRST_INTERACTION if state.interaction_count == 0 else SEEDS[pain.depth]
    target = target_for(seed.question_type, state.qualification, preferred=seed.target)
    return QBSQuestionRecommendation(
        question_type=seed.question_type,
        meddic_bant_target=target,
        voss_delivery=seed.delivery,
        suggested_question=wording(
            seed.question_type,
            target,
            seed.delivery,
            asked=memory.asked(state),
            count=state.interaction_count,
            echo=_last_words(state) if seed.delivery is VossDelivery.MIRROR else None,
        ),
        rationale=f"Fallback: {seed.situation}; {_why(seed, target)}.",
        information_gaps=state.qualification.gaps,
        pain_depth=pain.depth,
        confidence=0.5,
        topic=pain.active_topic,
    )


def target_for(
    question_type: QBSQuestionType, known: QualificationState, *, preferred: Dimension | None = None
) -> Dimension:
    """The preferred target if it is not well known yet, else the most useful gap for the type.

    With no gap left it is the useful dimension known with the least confidence.
    """
    order = USEFUL[question_type] if preferred is None else (preferred, *USEFUL[question_type])
    if preferred is not None and known.signal(preferred).confidence < WELL_KNOWN:
        return preferred
    missing = next((dimension for dimension in order if not known.signal(dimension).identified), None)
    return missing or min(order, key=lambda dimension: known.signal(dimension).confidence)


def _why(seed: Seed, target: Dimension) -> str:
    name = str(target).replace("_", " ")
    if target is seed.target:
        return f"{name} is what it lacks"
    return f"{str(seed.target).replace('_', ' ')} is well known, so it asks for {name}"


def _last_words(state: ConversationState) -> str | None:
    """The customer's words to mirror, from the newest quote about the problem."""
    evidence = state.qualification.meddic.identified_pain.evidence
    return echo_of(evidence[-1].quote) if evidence else None
