"""A small world for searches: conversations whose words no two share, and a model that rewards one instruction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.llm.fake import FirstOf, SchemaAnswers
from engine.llm.fake.answers import Answer
from engine.llm.fake.chat import ChatRequest, content_of
from engine.model.conversation import Conversation
from engine.prompts import Prompt, PromptLibrary
from engine.prompts.transcript import parse
from evals.labels import TurnLabel
from evals.library import Dataset, load_dataset
from evals.tuning.sections import sections_of
from tests.evals.values import conversation, label, write_lines

KNOWN_INSTRUCTION = "Quote what hurts, letter by letter."
MODEL = "openai/fake-model"


def talk(number: int, turns: int = 2) -> Conversation:
    """Every turn of it has words that stand in no other conversation."""
    own = conversation(f"talk-{number}", turns)
    said = [
        turn.model_copy(update={"text": f"In plant {number} part {turn.index} of the line stops, which hurts."})
        for turn in own.turns
    ]
    return own.model_copy(update={"turns": tuple(said)})


def talks_with_labels(folder: Path, number: int = 8) -> Dataset:
    """Conversations in whose every turn the customer names a pain."""
    talks = [talk(own) for own in range(number)]
    write_lines(folder / "conversations.jsonl", *talks)
    write_lines(folder / "labels.jsonl", *(own for each in talks for own in labels_of(each)))
    return load_dataset(folder)


def labels_of(of: Conversation) -> list[TurnLabel]:
    return [
        label(turn.index, of.id, dimensions=[{"dimension": "pain", "value": turn.text, "quote": turn.text}])
        for turn in of.customer_turns
    ]


def extraction() -> Prompt:
    return PromptLibrary().load("extraction")


class RewardsAnInstruction:
    """Finds a turn's pain only where the instructions say the known one. Proposes `proposals`, one after the other.

    A proposal is text to be put before the section as it is, or a whole section if it begins with `=`.
    """

    def __init__(self, proposals: Sequence[str]) -> None:
        self.proposals = list(proposals)
        self.seen: list[str] = []
        self.reflections: list[str] = []

    def answer(self, chat: ChatRequest) -> Answer | None:
        self.seen.append(chat.text)
        if chat.reply_name == "RewrittenSection":
            return {"reason": "They need it.", "text": self._proposed(chat)}
        if chat.reply_name == "QualificationReport":
            return _found(chat) if KNOWN_INSTRUCTION in content_of(chat.messages[0]) else {"budget": None}
        return FirstOf(SchemaAnswers()).answer(chat)

    def _proposed(self, chat: ChatRequest) -> str:
        self.reflections.append(chat.text)
        text = self.proposals[(len(self.reflections) - 1) % len(self.proposals)]
        section = chat.text.split("\n====\n")[1]
        return text.removeprefix("=") if text.startswith("=") else f"{text}\n\n{section}"


def _found(chat: ChatRequest) -> Mapping[str, Any]:
    latest = parse(chat.text)[-1]
    quotes = [{"turn": latest.index, "quote": latest.text}]
    return {"pain": {"value": latest.text, "confidence": 0.9, "evidence": quotes}}


def system_of(prompt: Prompt) -> str:
    return sections_of(prompt)["system"]
