"""A chat completion: the envelope around an answer, with ids and estimated usage."""

from __future__ import annotations

import time
from typing import Any

from engine.llm.fake.chat import ChatRequest, Json

CHARACTERS_PER_TOKEN = 4


def completion(chat: ChatRequest, number: int, answer: str) -> dict[str, Any]:
    """The completion that carries `answer` in the form that was asked for: a tool call's arguments, or content.

    As OpenAI does, a tool that had to be called ends with `stop`, one that was chosen freely with `tool_calls`.
    """
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    if chat.form == "tool":
        function = {"name": chat.reply_name, "arguments": answer}
        message["tool_calls"] = [{"id": f"call_fake{number}", "type": "function", "function": function}]
        return envelope(chat, number, message, answer, "stop" if chat.tool_is_forced else "tool_calls")
    message["content"] = answer
    return envelope(chat, number, message, answer, "stop")


def envelope(chat: ChatRequest, number: int, message: Json, said: str, finish_reason: str) -> dict[str, Any]:
    """A completion with one choice. Usage counts four characters as a token."""
    tokens_in, tokens_out = estimated_tokens(chat.size), estimated_tokens(len(said))
    return {
        "id": f"chatcmpl-fake{number}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": chat.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }


def estimated_tokens(characters: int) -> int:
    return max(1, characters // CHARACTERS_PER_TOKEN)


def answer_in(body: Json) -> str | None:
    """The answer that a completion carries, a tool call's arguments or the content; None if it carries neither."""
    choices = body.get("choices") or []
    message = choices[0].get("message") or {} if choices else {}
    calls = message.get("tool_calls") or []
    found = calls[0].get("function", {}).get("arguments") if calls else message.get("content")
    return found if isinstance(found, str) else None
