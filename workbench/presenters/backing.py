"""Why a value is believed: the quote that backs it, and what speaks against trusting it."""

from __future__ import annotations

import re

from engine.guardrails.grounding import normalised
from engine.model.analysis import GuardrailRule
from engine.model.qualification import Dimension, Evidence
from workbench.presenters.sides import Side
from workbench.presenters.words import Word

NO_QUOTE = Word("no verbatim quote", "The value is not backed by words found in a message of the customer's.")
MACHINE = Word("not trusted: addresses the machine", "The quoted message gives orders to software.")

_DOUBTS: dict[GuardrailRule, Word] = {"ungrounded_evidence": NO_QUOTE, "addresses_the_machine": MACHINE}
_WORD = re.compile(r"\w+")
_SHORTEST = 3  # characters of a word that says something; numbers always do


def backing(side: Side, turn: int, dimension: Dimension) -> Evidence | None:
    """The piece of evidence that says most of the value; failing that the one of the message that set it.

    The newest where that leaves a choice. None where there is no evidence.
    """
    after = side.after(turn)
    if after is None or not (signal := after.qualification.signal(dimension)).evidence:
        return None
    value = signal.value or ""
    said = {item: _shared(value, item.quote) for item in signal.evidence}
    set_at = None if any(said.values()) else _set_at(side, turn, dimension)
    return max(signal.evidence, key=lambda item: (said[item], item.turn == set_at, item.turn))


def doubt_of(side: Side, turn: int, dimension: Dimension) -> Word | None:
    """Why the value counts as ungrounded; None if it does not, or nothing is known."""
    after = side.after(turn)
    if after is None or not (signal := after.qualification.signal(dimension)).identified or signal.grounded:
        return None
    for index in sorted((index for index in side.records if index <= turn), reverse=True):
        analysis = side.analysis(index)
        for change in () if analysis is None else analysis.changes:
            if change.subject == dimension and change.rule in _DOUBTS:
                return _DOUBTS[change.rule]
    return NO_QUOTE


def _shared(value: str, quote: str) -> float:
    """How much of the value the quote says, from 0 to 1."""
    value, quote = normalised(value), normalised(quote)
    if value and value in quote:
        return 1.0
    words = _words(value)
    return len(words & _words(quote)) / len(words) if words else 0.0


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text) if len(word) > _SHORTEST or word.isdigit()}


def _set_at(side: Side, turn: int, dimension: Dimension) -> int | None:
    """The turn since which the value has been what it is."""
    found, value = None, None
    for index in sorted((index for index in side.records if index <= turn), reverse=True):
        at = side.records[index].after.qualification.signal(dimension).value
        if found is not None and at != value:
            break
        found, value = index, at
    return found
