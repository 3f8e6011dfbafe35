"""A chat-completions request, reduced to what an answer depends on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal

from pydantic_core import from_json

Json = Mapping[str, Any]
Form = Literal["tool", "json", "text"]


class BadChatRequestError(ValueError):
    """The body is not a chat-completions request this server can answer; the text says why."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What was asked: by which model, after which messages, and in which form the answer is wanted.

    `form` is a tool call, JSON content, or text; `reply_name` and `schema` are those of the structured answer (both
    None for text; JSON content may come without either). `body` is the whole request, `size` its length in bytes.
    """

    model: str
    messages: tuple[Json, ...]
    form: Form
    reply_name: str | None
    schema: Json | None
    body: Json
    size: int
    tool_is_forced: bool = False

    @property
    def function(self) -> Json:
        """Name, description and parameters of the tool that is to be called; empty where none is."""
        tools = self.body.get("tools") if self.form == "tool" else ()
        functions = (tool["function"] for tool in tools or ())
        return next((function for function in functions if function.get("name") == self.reply_name), {})

    @property
    def opening(self) -> tuple[Json, ...]:
        """The messages before the first one that the model said."""
        return tuple(takewhile(lambda message: message.get("role") not in ("assistant", "tool"), self.messages))

    @property
    def text(self) -> str:
        """The text of the opening messages, one after the other."""
        return "\n".join(content_of(message) for message in self.opening)


def content_of(message: Json) -> str:
    """The text of a message, also of one that comes in parts."""
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""


def parse_chat(raw: bytes) -> ChatRequest:
    """Read a request body. Raises BadChatRequestError."""
    try:
        body = from_json(raw)
    except ValueError:
        raise BadChatRequestError("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadChatRequestError("the body is not a JSON object")
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str) or not model:
        raise BadChatRequestError("you must provide a model parameter")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise BadChatRequestError("'messages' must be a non-empty list of messages")
    if body.get("stream"):
        raise BadChatRequestError("the fake model server does not stream")
    form, name, schema = _wanted_reply(body, messages)
    forced = isinstance(body.get("tool_choice"), dict) or body.get("tool_choice") == "required"
    return ChatRequest(model, tuple(messages), form, name, schema, body, len(raw), forced)


def _wanted_reply(body: Json, messages: list[Json]) -> tuple[Form, str | None, Json | None]:
    if body.get("tools") and body.get("tool_choice") != "none":
        function = _chosen_function(body["tools"], body.get("tool_choice"))
        return "tool", function.get("name"), _object(function.get("parameters"), "parameters")
    wanted = _object(body.get("response_format"), "response_format")
    if wanted.get("type") == "json_schema":
        described = _object(wanted.get("json_schema"), "json_schema")
        return "json", described.get("name"), _object(described.get("schema"), "schema")
    if wanted.get("type") == "json_object":
        schema = _schema_in_words(messages)
        return "json", schema.get("title") if schema else None, schema
    return "text", None, None


def _chosen_function(tools: object, choice: object) -> Json:
    if not isinstance(tools, list):
        raise BadChatRequestError("'tools' must be a list")
    functions = [_object(_object(tool, "tool").get("function"), "function") for tool in tools]
    if not isinstance(choice, Mapping):
        return functions[0]
    name = _object(choice.get("function"), "function").get("name")
    for function in functions:
        if function.get("name") == name:
            return function
    raise BadChatRequestError(f"tool_choice names {name!r}, which is not among the tools")


def _object(value: object, name: str) -> Json:
    """`value` if it is an object, an empty one for None; raises BadChatRequestError."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadChatRequestError(f"'{name}' must be an object")
    return value


def _schema_in_words(messages: list[Json]) -> Json | None:
    """The first JSON object in the messages that looks like a schema: in JSON mode clients write it into the text."""
    decoder = json.JSONDecoder()
    for message in messages:
        text = content_of(message)
        start = text.find("{")
        while start >= 0:
            try:
                found, end = decoder.raw_decode(text, start)
            except ValueError:
                end = start + 1
            else:
                if isinstance(found, dict) and "properties" in found:
                    return found
            start = text.find("{", end)
    return None
