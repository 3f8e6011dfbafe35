"""The pure fold on one core: rules analyzer plus advance, and how its cost grows with the conversation."""

from __future__ import annotations

import time

from engine.advance import advance
from engine.guardrails import guard
from engine.model.conversation import Conversation, Speaker
from engine.model.state import ConversationState, opening_state
from engine.rules import analyze_by_rules
from tests.benchmarks.conversations import long_conversation
from tests.benchmarks.figure import Figure, median_seconds


def fold(conversation: Conversation) -> ConversationState:
    state = opening_state(conversation)
    for turn in conversation.turns:
        if turn.speaker is Speaker.CUSTOMER:
            history = conversation.before(turn.index)
            state = advance(state, turn, guard(state, turn, history, analyze_by_rules(state, turn, history)))
    return state


def seconds_per_turn(turns: int, conversations: int) -> tuple[float, float]:
    """Median CPU seconds per turn (a message, whoever says it) and per analysed customer turn."""
    whole = long_conversation(turns * conversations)
    pieces = [_renumbered(whole, start, turns) for start in range(0, turns * conversations, turns)]
    analysed = sum(len(piece.customer_turns) for piece in pieces)
    seconds = median_seconds(lambda: [fold(piece) for piece in pieces], clock=time.process_time)
    return seconds / (turns * conversations), seconds / analysed


def measure() -> list[Figure]:
    (short, analysed), (long, _) = seconds_per_turn(20, 20), seconds_per_turn(200, 2)
    return [
        Figure("pure fold, 20-turn conversations", 1 / short, "turns/s", 2000, "at least", "whoever speaks"),
        Figure("the same, analysed customer turns", 1 / analysed, "turns/s"),
        Figure("pure fold, 200-turn conversations", 1 / long, "turns/s"),
        Figure("cost per turn, 200-turn against 20-turn conversations", long / short, "times", 1.5),
    ]


def _renumbered(whole: Conversation, start: int, length: int) -> Conversation:
    turns = tuple(
        turn.model_copy(update={"index": index}) for index, turn in enumerate(whole.turns[start : start + length])
    )
    return whole.model_copy(update={"turns": turns})
