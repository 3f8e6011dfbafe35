"""What the fake model says: the protocol of an answer, and the ways that need no knowledge of the asking modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from engine.llm.fake.chat import ChatRequest, Json
from engine.llm.fake.filling import filled


@dataclass(frozen=True, slots=True)
class WholeCompletion:
    """A completion as it once came, malformed or not: served as it is, in the place of a structured answer."""

    body: Json


Answer = Mapping[str, Any] | WholeCompletion


class Answers(Protocol):
    """A way of answering."""

    def answer(self, chat: ChatRequest) -> Answer | None:
        """The arguments object of the structured answer, a whole completion, or None for want of an answer."""
        ...


class SchemaAnswers:
    """Fills whatever schema is asked for with small plain values."""

    def answer(self, chat: ChatRequest) -> Answer | None:
        """The filled schema; an empty object for JSON without one, None for plain chat."""
        if chat.form == "text":
            return None
        value = filled(chat.schema) if chat.schema else {}
        return value if isinstance(value, Mapping) else {}


class FirstOf:
    """Asks several ways in turn, until one has an answer."""

    def __init__(self, *ways: Answers) -> None:
        self._ways = ways

    def answer(self, chat: ChatRequest) -> Answer | None:
        found = (way.answer(chat) for way in self._ways)
        return next((answer for answer in found if answer is not None), None)
