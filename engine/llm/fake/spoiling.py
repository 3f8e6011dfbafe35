"""Completions that arrive in good order and cannot be used."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import to_json

from engine.llm.fake.chat import ChatRequest, Json
from engine.llm.fake.completion import completion, envelope
from engine.llm.fake.faults import Fault
from engine.llm.fake.filling import allowed_types

REFUSAL = "I'm sorry, but I can't help with that."
PROSE = "Let me think about this conversation first. The customer seems open, and I would ask about the team next."

# Tried in this order: the first whose JSON type a field does not accept takes the field's place.
_MISFITS: tuple[tuple[str, Any], ...] = (
    ("string", "not what was asked for"),
    ("integer", 12345),
    ("array", ["not", "what", "was", "asked", "for"]),
    ("object", {"not": "what was asked for"}),
)


def spoiled(fault: Fault, chat: ChatRequest, number: int, answer: str) -> dict[str, Any]:
    """The completion that `answer` becomes under `fault`, which must be one of `SPOILS`."""
    return SPOILS[fault](chat, number, answer)


def _length(chat: ChatRequest, number: int, answer: str) -> dict[str, Any]:
    body = completion(chat, number, answer[: len(answer) // 2])
    body["choices"][0]["finish_reason"] = "length"
    limit = chat.body.get("max_tokens") or chat.body.get("max_completion_tokens")
    if isinstance(limit, int):
        usage = body["usage"]
        body["usage"] = usage | {"completion_tokens": limit, "total_tokens": usage["prompt_tokens"] + limit}
    return body


def _bad_json(chat: ChatRequest, number: int, answer: str) -> dict[str, Any]:
    return completion(chat, number, f"{answer[:-1]},, 'and': so on")


def _wrong_schema(chat: ChatRequest, number: int, answer: str) -> dict[str, Any]:
    return completion(chat, number, to_json(misfit(chat.schema or {})).decode())


def _nan(chat: ChatRequest, number: int, answer: str) -> dict[str, Any]:
    return completion(chat, number, with_nan(answer))


def _refusal(chat: ChatRequest, number: int, answer: str) -> dict[str, Any]:
    return envelope(chat, number, {"role": "assistant", "content": None, "refusal": REFUSAL}, REFUSAL, "stop")


def _null(chat: ChatRequest, number: int, answer: str) -> dict[str, Any]:
    return envelope(chat, number, {"role": "assistant", "content": None, "refusal": None}, "", "stop")


def _prose(chat: ChatRequest, number: int, answer: str) -> dict[str, Any]:
    return envelope(chat, number, {"role": "assistant", "content": PROSE, "refusal": None}, PROSE, "stop")


def _empty_choices(chat: ChatRequest, number: int, answer: str) -> dict[str, Any]:
    return completion(chat, number, answer) | {"choices": []}


SPOILS: Mapping[Fault, Callable[[ChatRequest, int, str], dict[str, Any]]] = {
    Fault.LENGTH: _length,
    Fault.BAD_JSON: _bad_json,
    Fault.WRONG_SCHEMA: _wrong_schema,
    Fault.NAN: _nan,
    Fault.REFUSAL: _refusal,
    Fault.NULL: _null,
    Fault.PROSE: _prose,
    Fault.EMPTY_CHOICES: _empty_choices,
}


def misfit(schema: Json) -> Any:
    """Good JSON that `schema` refuses: every field of a type it does not accept; a list where there are no fields."""
    fields = schema.get("properties") or {}
    return {name: _misfit_of(allowed_types(part, schema)) for name, part in fields.items()} or ["nothing", "fits"]


def _misfit_of(types: frozenset[str]) -> Any:
    accepted = types | {"integer"} if "number" in types else types
    return next((value for kind, value in _MISFITS if kind not in accepted), None)


def with_nan(answer: str) -> str:
    """The JSON text with NaN in the place of its first number; just NaN if it has none, or is not JSON."""
    try:
        replaced, done = _replace_first_number(json.loads(answer))
    except ValueError:
        return "NaN"
    return json.dumps(replaced if done else math.nan)


def _replace_first_number(value: Any) -> tuple[Any, bool]:
    """`value` with its first number, depth first, as NaN, and whether there was one."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return math.nan, True
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        replaced, done = _replace_first_number(part)
        if done:
            return _with(value, key, replaced), True
    return value, False


def _with(value: Any, key: Any, part: Any) -> Any:
    """A copy of a list or dictionary in which `part` stands at `key`."""
    copied = value.copy()
    copied[key] = part
    return copied
