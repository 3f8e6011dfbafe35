"""Conversations of any length, made from the shipped ones, for benchmarks."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path

from engine.model.conversation import Conversation, Turn
from evals.library import load_dataset

SHIPPED = Path(__file__).resolve().parents[2] / "datasets" / "b2b_discovery"


def long_conversation(turns: int) -> Conversation:
    """The shipped turns one after another, cut or repeated to this many; repeated ones are numbered."""
    conversations = load_dataset(SHIPPED).conversations
    everything = [turn for conversation in conversations for turn in conversation.turns]
    taken = islice(cycle(everything), turns)
    renumbered = tuple(
        Turn(index=index, speaker=turn.speaker, name=turn.name, text=f"{turn.text} ({index})")
        for index, turn in enumerate(taken)
    )
    return conversations[0].model_copy(update={"turns": renumbered, "stage_changes": ()})
