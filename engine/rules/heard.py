"""What was heard in one customer turn: its sentences, what the seller had asked, who was mentioned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.model.conversation import Channel, Turn
from engine.model.qualification import AnySignal, Dimension
from engine.model.state import ConversationState
from engine.rules.depth import Problem
from engine.rules.money import Amount
from engine.rules.people import Mentioned
from engine.rules.quantities import Quantity
from engine.rules.reading import clause_span, gist, quote
from engine.rules.sentence import Sentence

LONG_SENTENCE = 110  # characters


class Finding(NamedTuple):
    """One dimension heard in one sentence: value, honest confidence, verbatim quote."""

    value: str
    confidence: float
    quote: str


class Figures(NamedTuple):
    """What one sentence says in numbers: measured facts, and money."""

    quantities: tuple[Quantity, ...]
    amounts: tuple[Amount, ...]


NO_FIGURES = Figures((), ())


@dataclass(frozen=True, slots=True)
class Heard:
    """A customer turn as the rules hear it; `engine.rules.hearing` makes it.

    `known` is what was known of each dimension before, `asked` the dimensions that the seller's last message asked
    for, `people` everybody mentioned, `emotion` how much of it the message shows (see `engine.rules.depth.feeling`),
    `figures` what the sentences say in numbers, by the identity of the sentence.
    """

    state: ConversationState
    turn: Turn
    history: Sequence[Turn]
    sentences: tuple[Sentence, ...]
    channel: Channel | None
    word_count: int
    known: Mapping[Dimension, AnySignal]
    asked: frozenset[Dimension]
    seller_asked: bool
    people: tuple[Mentioned, ...]
    problems: tuple[Problem, ...]
    emotion: float
    figures: Mapping[int, Figures]

    def people_in(self, sentence: Sentence) -> list[Mentioned]:
        return [mention for mention in self.people if mention.sentence is sentence] if self.people else []

    def quantities_in(self, sentence: Sentence) -> tuple[Quantity, ...]:
        return self.figures.get(id(sentence), NO_FIGURES).quantities

    def amounts_in(self, sentence: Sentence) -> tuple[Amount, ...]:
        return self.figures.get(id(sentence), NO_FIGURES).amounts


def finding(sentence: Sentence, at: int, confidence: float, value: str | None = None) -> Finding:
    """A finding that quotes the sentence around `at`; its value is what the quote says there, if none is given."""
    return Finding(value or _essence(sentence, at), confidence, quote(sentence, at))


def _essence(sentence: Sentence, at: int) -> str:
    """The sentence in one line; of a long one, what follows from the clause at `at`."""
    if len(sentence.text) <= LONG_SENTENCE:
        return gist(sentence.text)
    start, _ = clause_span(sentence, at)
    return gist(sentence.text[start:])


def strongest(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, the most confident first; the earlier first among equals."""
    return tuple(sorted(findings, key=lambda found: -found.confidence))
