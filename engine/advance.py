"""The fold: one state, one customer turn and its analysis give the next state. Pure."""

from __future__ import annotations

from collections.abc import Callable

from engine import memory
from engine.contacts import remember
from engine.merge import merge_qualification_signals
from engine.model.analysis import Analysis
from engine.model.conversation import Turn
from engine.model.qbs import ExpansionTrigger, PainFunnelState, QBSQuestionRecommendation, Urgency
from engine.model.qualification import QualificationState
from engine.model.state import ConversationState
from engine.pain import PainDepthTracker

# What was known, and what was found, to what is known now.
Merge = Callable[[QualificationState, QualificationState], QualificationState]


def advance(
    state: ConversationState, turn: Turn, analysis: Analysis, *, merge: Merge = merge_qualification_signals
) -> ConversationState:
    """The state after `turn`: merged qualification, pain, people and questions remembered, counters moved on.

    The deal stage stays: what a model says alone never changes it. Another `merge` is for trying one out. Raises
    ValueError for an analysis that has not been through the guardrails.
    """
    if not analysis.guarded:
        raise ValueError("advance takes an analysis that has been through engine.guardrails.guard")
    found = analysis.extraction.found
    if turn.time is not None and found.identified:
        found = found.model_copy(update={"last_updated": turn.time})
    qualification = merge(state.qualification, found)
    recommendation = analysis.question.recommendation
    triggers = analysis.expansion.triggers
    moved = state.model_copy(
        update={
            "qualification": qualification,
            "interaction_count": state.interaction_count + 1,
            "last_interaction": turn.time or state.last_interaction,
            "last_channel": turn.channel or state.last_channel,
            "confidence_score": qualification.overall_confidence,
            "next_actions": _next_actions(recommendation, triggers),
        }
    )
    return memory.put(
        moved,
        pain=_pain_after(state, turn, analysis),
        expansion=remember(memory.expansion(state), triggers, state.interaction_count) if triggers else None,
        question=recommendation.suggested_question or None,
    )


def _pain_after(state: ConversationState, turn: Turn, analysis: Analysis) -> PainFunnelState:
    """The pain topics that this turn brought evidence of, then the reaction and the question."""
    recommendation, interaction = analysis.question.recommendation, state.interaction_count
    pain = PainDepthTracker.load(state)
    named = analysis.extraction.found.meddic.identified_pain
    evidence = tuple(item for item in named.evidence if item.turn == turn.index)
    if named.value is not None and named.grounded and evidence:
        pain = PainDepthTracker.add_pain_topic(
            pain,
            recommendation.topic or named.value,
            depth=recommendation.pain_depth,
            evidence=evidence,
            interaction=interaction,
        )
    return PainDepthTracker.update_from_recommendation(pain, recommendation, interaction=interaction)


def _next_actions(recommendation: QBSQuestionRecommendation, triggers: tuple[ExpansionTrigger, ...]) -> tuple[str, ...]:
    """What the seller should do next, in words: the question if there is one, then introductions allowed now."""
    ask = [f"Ask: {recommendation.suggested_question}"] if recommendation.suggested_question else []
    introductions = [
        f"Ask for an introduction to {trigger.mentioned_name_or_role}"
        for trigger in triggers
        if trigger.urgency is Urgency.IMMEDIATE
    ]
    return (*ask, *introductions)
