"""What is changed in a call before it is asked once more: more room for the answer, or less to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.llm.completion import Call
from engine.model.analysis import FallbackReason

CUT_MARK = "\n[... left out: too long for the model ...]\n"


def with_more_room(call: Call) -> Call:
    """The call with twice the limit on its answer."""
    return replace(call, max_tokens=call.max_tokens * 2)


def with_less_to_read(call: Call) -> Call:
    """The call with its longest message cut to half: the middle goes, for the task stands first and the news last."""
    longest = max(call.messages, key=_length)
    return replace(call, messages=tuple(_cut(m) if m is longest else m for m in call.messages))


# Each is tried once in an ask.
REMEDIES: Mapping[FallbackReason, Callable[[Call], Call]] = {
    FallbackReason.TRUNCATED: with_more_room,
    FallbackReason.CONTEXT_TOO_LONG: with_less_to_read,
}


def _length(message: Mapping[str, Any]) -> int:
    return len(message.get("content") or "")


def _cut(message: Mapping[str, Any]) -> Mapping[str, Any]:
    text = str(message.get("content") or "")
    head, tail = len(text) // 6, len(text) // 3
    return {**message, "content": f"{text[:head]}{CUT_MARK}{text[len(text) - tail :]}"}
