"""Answers by the rules: the structured calls of a turn, as the offline analyzer and the drafts by rules answer them.

Two things couple this module to those that ask, and both are tested against them: the transcript in the prompt, which
is read back by the prompts' own `parse`, and the reply schemas, which are known here by name and field. Beyond the
transcript nothing of the prompt is read: who is known there and what was remembered do not reach the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

from engine.advance import advance
from engine.guardrails import guard
from engine.llm.fake import by_wording
from engine.llm.fake.answers import Answer
from engine.llm.fake.chat import ChatRequest
from engine.model.analysis import Analysis
from engine.model.conversation import Channel, Speaker, Turn
from engine.model.qualification import AnySignal, ListSignal
from engine.model.state import ConversationState
from engine.prompts.transcript import parse
from engine.rules import analyze_by_rules
from engine.rules.drafting import draft_by_rules

MAX_REMEMBERED = 1024

_NOTHING_KNOWN = ConversationState(state_id="fake", tenant_id="fake", account_id="fake", contact_id="fake")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the rules make of a transcript: the analysis of its last customer turn, raw and guarded, the state after
    it, and the turns up to it."""

    analysis: Analysis
    guarded: Analysis
    after: ConversationState
    turns: tuple[Turn, ...]


class RulesAnswers:
    """Answers the calls whose reply is in `SHAPES` and whose messages hold a transcript; None to anything else.

    Where a message is to be judged instead of written, its wording is rated.

    The three calls of a turn share most of their transcript, and so do the turns of a conversation: what was read
    once is remembered, the newest `MAX_REMEMBERED` readings of it.
    """

    def __init__(self) -> None:
        self._readings: dict[int, Reading] = {}

    def answer(self, chat: ChatRequest) -> Answer | None:
        if chat.reply_name == by_wording.REPLY_NAME:
            return by_wording.rated(parse(chat.text))
        shape = SHAPES.get(chat.reply_name or "")
        reading = self._read(parse(chat.text)) if shape else None
        return shape(reading) if shape and reading else None

    def _read(self, turns: Sequence[Turn]) -> Reading | None:
        """Carry a state through the customer's turns, as a replay does; None if there are none."""
        keys = list(accumulate(turns, lambda key, turn: hash((key, turn)), initial=0))[1:]
        state, reading = _NOTHING_KNOWN, None
        for at, turn in enumerate(turns):
            if turn.speaker is Speaker.CUSTOMER:
                reading = self._readings.get(keys[at]) or _reading(state, turn, turns[:at])
                self._remember(keys[at], reading)
                state = reading.after
        return reading

    def _remember(self, key: int, reading: Reading) -> None:
        self._readings[key] = reading
        if len(self._readings) > MAX_REMEMBERED:
            del self._readings[next(iter(self._readings))]


def _reading(state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Reading:
    analysis = analyze_by_rules(state, turn, history)
    guarded = guard(state, turn, history, analysis)
    return Reading(analysis, guarded, advance(state, turn, guarded), (*history, turn))


def _qualification_report(reading: Reading) -> dict[str, Any]:
    """Everything known so far, as one extraction over the whole transcript finds it."""
    known = reading.after.qualification
    return {dimension.value: _finding(signal) for dimension, signal in known.signals.items()} | {
        "key_insights": list(known.key_insights),
        "recommended_next_questions": list(known.recommended_next_questions),
    }


def _finding(signal: AnySignal) -> dict[str, Any] | None:
    if not signal.identified:
        return None
    said = {"values": list(signal.values)} if isinstance(signal, ListSignal) else {"value": signal.value}
    quotes = [{"turn": evidence.turn, "quote": evidence.quote} for evidence in signal.evidence]
    return said | {"confidence": signal.confidence, "evidence": quotes}


def _question_recommendation(reading: Reading) -> dict[str, Any]:
    return reading.analysis.question.recommendation.model_dump(mode="json")


def _people_mentioned(reading: Reading) -> dict[str, Any]:
    return {"people": [trigger.model_dump(mode="json") for trigger in reading.analysis.expansion.triggers]}


def _reply(reading: Reading, channel: Channel) -> dict[str, Any]:
    """The draft by rules, with the question that the rules recommend. Contact and seller are those who speak."""
    question = reading.guarded.question.recommendation
    return {"text": draft_by_rules(reading.after, reading.turns, question, channel).text}


# By the name of the reply schema of engine.qualification, engine.qbs, engine.expansion and engine.drafting.
SHAPES: Mapping[str, Callable[[Reading], dict[str, Any]]] = {
    "QualificationReport": _qualification_report,
    "QuestionRecommendation": _question_recommendation,
    "PeopleMentioned": _people_mentioned,
    "EmailReply": partial(_reply, channel=Channel.EMAIL),
    "ChatReply": partial(_reply, channel=Channel.CHAT),
    "CallReply": partial(_reply, channel=Channel.CALL),
}
