"""Hearing a customer turn: everything that several rules need to know of it, worked out once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from types import ModuleType

from engine.contacts import known_contacts
from engine.model.conversation import Channel, Turn
from engine.model.state import ConversationState
from engine.rules import (
    asked,
    budget,
    buyers,
    champion,
    criteria,
    depth,
    engagement,
    hedges,
    metrics,
    needs,
    process,
    timing,
    triggers,
)
from engine.rules.asked import asked_about
from engine.rules.depth import feeling, problems
from engine.rules.heard import Figures, Heard
from engine.rules.money import amounts
from engine.rules.numbers import numbers_in
from engine.rules.people import Mentioned, addressed, mentioned, strangers
from engine.rules.phrases import PhraseIndex, Phrases
from engine.rules.quantities import quantities
from engine.rules.reading import read
from engine.rules.sentence import Sentence

NAMES_FROM_TURNS = 8

_WITH_PHRASES = (
    asked, budget, buyers, champion, criteria, depth, engagement, hedges, metrics, needs, process, timing, triggers,
)  # fmt: skip


def hear(state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Heard:
    """Reads a turn. `state` is the state before it, `history` the turns before it, whoever spoke."""
    channel = turn.channel or state.last_channel
    index = phrase_index()
    sentences = read(turn.text, wraps=channel is Channel.EMAIL, index=index)
    asked = asked_about(history, index)
    return Heard(
        state=state,
        turn=turn,
        history=history,
        sentences=sentences,
        channel=channel,
        word_count=len(turn.text.split()),
        known=state.qualification.signals,
        asked=asked.dimensions,
        seller_asked=asked.anything,
        people=mentioned(sentences),
        problems=problems(sentences),
        emotion=feeling(sentences),
        figures=_figures(sentences),
    )


def _figures(sentences: Sequence[Sentence]) -> dict[int, Figures]:
    found: dict[int, Figures] = {}
    for sentence in sentences:
        numbers = numbers_in(sentence)
        if numbers:
            found[id(sentence)] = Figures(quantities(sentence, numbers), amounts(sentence, numbers))
    return found


def strangers_in(heard: Heard) -> tuple[Mentioned, ...]:
    """Those mentioned who are neither known nor taking part."""
    if not heard.people:
        return ()
    talking = (turn.name for turn in heard.history[-NAMES_FROM_TURNS:])
    known = (*known_contacts(heard.state), heard.turn.name, *talking, *addressed(heard.sentences))
    return strangers(heard.people, [name for name in dict.fromkeys(known) if name])


@cache
def phrase_index() -> PhraseIndex:
    """All lists of phrases of the rules as one; made when the first turn is heard."""
    return PhraseIndex(phrases for module in _WITH_PHRASES for phrases in _lists_of(module))


def _lists_of(module: ModuleType) -> Iterator[Phrases]:
    for value in vars(module).values():
        yield from (
            item for item in (value.values() if isinstance(value, dict) else (value,)) if isinstance(item, Phrases)
        )
