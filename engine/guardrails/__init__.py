"""What a model's answer may claim, checked by pure rules; every change is recorded beside the original."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from engine.contacts import TRUST_AFTER_INTERACTIONS, allowed_triggers, known_contacts
from engine.guardrails.conduct import CONDUCT_RULES, guard_recommendation
from engine.guardrails.grounding import GROUNDING_RULES, guard_extraction
from engine.model.analysis import Analysis, GuardrailChange, GuardrailRule
from engine.model.conversation import Speaker, Turn
from engine.model.qbs import ExpansionTrigger
from engine.model.state import ConversationState

EXPANSION_RULES: tuple[GuardrailRule, ...] = ("known_contact", "too_early")
ANALYSIS_RULES: tuple[GuardrailRule, ...] = (*GROUNDING_RULES, *CONDUCT_RULES, *EXPANSION_RULES)


def guard(
    state: ConversationState,
    turn: Turn,
    history: Sequence[Turn],
    analysis: Analysis,
    rules: Collection[GuardrailRule] = ANALYSIS_RULES,
) -> Analysis:
    """What may be used of an analysis, with what was changed and the originals. Guarding twice changes nothing.

    `state` is the state before the turn, `history` the turns before it. Fewer `rules` are for trying out what each is
    worth.
    """
    raw = analysis.raw
    found, grounding = guard_extraction(raw.extraction.found, turn, history, rules)
    proposed = raw.question.recommendation
    recommendation, conduct = guard_recommendation(state, history, proposed, rules)
    triggers, expansion = guard_triggers(state, (*history, turn), raw.expansion.triggers, rules)
    return Analysis(
        extraction=raw.extraction.model_copy(update={"found": found}),
        question=raw.question.model_copy(
            update={"recommendation": recommendation, "proposed": None if recommendation == proposed else proposed}
        ),
        expansion=raw.expansion.model_copy(update={"triggers": triggers}),
        guarded=True,
        changes=(*grounding, *conduct, *expansion),
        raw_found=None if found == raw.extraction.found else raw.extraction.found,
        raw_triggers=None if triggers == raw.expansion.triggers else raw.expansion.triggers,
    )


def guard_triggers(
    state: ConversationState,
    turns: Sequence[Turn],
    proposed: tuple[ExpansionTrigger, ...],
    rules: Collection[GuardrailRule] = EXPANSION_RULES,
) -> tuple[tuple[ExpansionTrigger, ...], tuple[GuardrailChange, ...]]:
    """The people who may be reported now, and what was changed."""
    interactions = state.interaction_count if "too_early" in rules else TRUST_AFTER_INTERACTIONS
    if "known_contact" in rules:
        allowed = allowed_triggers(proposed, (*known_contacts(state), *_talking(turns)), interactions)
    else:
        allowed = tuple(own for trigger in proposed for own in allowed_triggers((trigger,), (), interactions))
    compared = _side_by_side(proposed, allowed)
    return allowed, tuple(_change(before, after) for before, after in compared if before != after)


def _side_by_side(
    proposed: tuple[ExpansionTrigger, ...], allowed: tuple[ExpansionTrigger, ...]
) -> Iterator[tuple[ExpansionTrigger, ExpansionTrigger | None]]:
    """Each proposed person with what was allowed of it. Of a name proposed twice, the first is the one allowed."""
    left = list(allowed)
    for trigger in proposed:
        kept = bool(left) and left[0].mentioned_name_or_role == trigger.mentioned_name_or_role
        yield trigger, left.pop(0) if kept else None


def _change(before: ExpansionTrigger, after: ExpansionTrigger | None) -> GuardrailChange:
    name = before.mentioned_name_or_role
    if after is None:
        return GuardrailChange(
            rule="known_contact", subject=name, before="reported", after="left out", reason="already known or named"
        )
    return GuardrailChange(
        rule="too_early", subject=name, before=before.urgency, after=after.urgency, reason="trust comes first"
    )


def _talking(turns: Sequence[Turn]) -> set[str]:
    """Seller and contact by the names they speak under. A colleague who joins may well be new."""
    return {turn.name for turn in turns if turn.name and turn.speaker is not Speaker.OTHER}
