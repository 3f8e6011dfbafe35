"""Requests as a client sends them, for the tests of the fake model."""

from __future__ import annotations

from typing import Any

import aiohttp

from engine.llm.fake import FakeModel

SCHEMA: dict[str, Any] = {
    "title": "Reply",
    "type": "object",
    "properties": {
        "mood": {"enum": ["warm", "cold"], "type": "string"},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "notes": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    },
    "required": ["mood", "confidence", "notes"],
}
FILLED = {"mood": "warm", "confidence": 0.0, "notes": ["answer"]}


def tool_call(model: str = "some-model", text: str = "Hello", **more: Any) -> dict[str, Any]:
    """A chat request that must call the tool `Reply`."""
    return {
        "model": model,
        "messages": [{"role": "system", "content": "Answer."}, {"role": "user", "content": text}],
        "tools": [{"type": "function", "function": {"name": "Reply", "parameters": SCHEMA}}],
        "tool_choice": {"type": "function", "function": {"name": "Reply"}},
        **more,
    }


def json_call(model: str = "some-model") -> dict[str, Any]:
    """A chat request for JSON content by schema."""
    return {
        "model": model,
        "messages": [{"role": "user", "content": "Hello"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "Reply", "schema": SCHEMA}},
    }


async def post(fake: FakeModel, body: Any, *, timeout_s: float = 10) -> tuple[int, Any, dict[str, str]]:
    """Status, JSON body (text where it is none) and headers of one chat request."""
    limit = aiohttp.ClientTimeout(total=timeout_s)
    async with (
        aiohttp.ClientSession(timeout=limit) as client,
        client.post(f"{fake.base_url}/chat/completions", json=body) as response,
    ):
        is_json = response.content_type == "application/json"
        return response.status, await response.json() if is_json else await response.text(), dict(response.headers)


def arguments_of(completion: dict[str, Any]) -> str:
    """The arguments text of the first tool call."""
    arguments: str = completion["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    return arguments
