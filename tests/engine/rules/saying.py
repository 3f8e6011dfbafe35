"""A customer who says one thing, with what the seller had asked before and what was known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.model.analysis import Analysis
from engine.model.conversation import Channel
from engine.model.qbs import QBSQuestionRecommendation
from engine.model.qualification import AnySignal, Dimension
from engine.model.state import ConversationState
from engine.rules import analyze_by_rules
from engine.rules.heard import Heard
from engine.rules.hearing import hear
from engine.rules.reading import read
from engine.rules.sentence import Sentence, sentence_of
from tests.engine.values import customer, seller, state


def hearing(text: str, *, asked: str | None = None, before: ConversationState | None = None) -> Heard:
    """The turn as heard; `asked` is the seller's message before it."""
    history = (seller(asked),) if asked is not None else ()
    return hear(before or state(last_channel=Channel.CHAT), customer(text), history)


def saying(text: str, *, asked: str | None = None, before: ConversationState | None = None) -> Analysis:
    """The raw analysis of the turn."""
    history = (seller(asked),) if asked is not None else ()
    return analyze_by_rules(before or state(last_channel=Channel.CHAT), customer(text), history)


def signal_of(dimension: Dimension, text: str, **circumstances: Any) -> AnySignal:
    return saying(text, **circumstances).extraction.found.signal(dimension)


def found_in(text: str, **circumstances: Any) -> Mapping[Dimension, AnySignal]:
    """The signals that are identified."""
    found = saying(text, **circumstances).extraction.found
    return {dimension: found.signal(dimension) for dimension in found.identified}


def recommended(text: str, **circumstances: Any) -> QBSQuestionRecommendation:
    return saying(text, **circumstances).question.recommendation


def one(text: str) -> Sentence:
    """A single sentence, read as a rule would get it."""
    return next(iter(read(text)), sentence_of(text))
