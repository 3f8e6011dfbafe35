"""What a link names and is not there, in words, and what is shown instead."""

from __future__ import annotations

from engine.model.conversation import Conversation
from workbench.text import clip

_LONGEST = 60


def not_here(kind: str, wanted: str, instead: str | None) -> str:
    """`The link names a run that is not here: “x”. Shown instead: “y”.`"""
    shown = f" Shown instead: “{clip(instead, _LONGEST)}”." if instead else ""
    return f"The link names a {kind} that is not here: “{clip(wanted, _LONGEST)}”.{shown}"


def not_the_customers(conversation: Conversation, turn: int) -> str | None:
    """Why `turn` cannot be shown as asked; None if it can. Only what the customer says is analysed."""
    if any(item.index == turn for item in conversation.customer_turns):
        return None
    if turn >= len(conversation.turns):
        return (
            f"The link names turn {turn}, but the last turn is {len(conversation.turns) - 1}. Shown: the last message."
        )
    return f"Turn {turn} is not the customer's, and only the customer's are analysed. Shown: the one before it."
