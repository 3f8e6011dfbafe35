"""A drafted reply: who wrote it, and what became of it."""

from __future__ import annotations

from engine.model.analysis import Source
from engine.model.conversation import Conversation, Speaker
from workbench.presenters.provenance import Origin
from workbench.presenters.provenance import origin as answered_by
from workbench.presenters.words import FALLBACKS

_ON_FAILURE = "Where a model's reply cannot be had or used, rules write one round the same question."
_BY_RULES = Origin("Fixed rules, no model", "Rules wrote it round the question. No model took part.", False)


def origin(source: Source) -> Origin:
    """Who wrote the draft; a fallback is mistaken neither for a model's reply nor for a choice."""
    if source.fallback_reason is not None:
        word = FALLBACKS[source.fallback_reason]
        asked = f" {source.model} was to write." if source.model else ""
        return Origin(f"Rules in the model's place: {word.name}", f"{word.meaning}{asked} {_ON_FAILURE}", True)
    return _BY_RULES if source.kind == "rules" else answered_by(source)


def what_became(conversation: Conversation, answered: int, draft: str) -> str:
    """What the seller did after message `answered`: sent the draft, or said something else; empty if nothing yet."""
    said = [turn for turn in conversation.turns if turn.index > answered and turn.speaker is Speaker.SELLER]
    if not said:
        return ""
    if said[0].text == draft:
        return f"Sent as turn {said[0].index}."
    return f"The seller answered in their own words, in turn {said[0].index}."
