"""What a model fills in: the base of the reply schemas, and how a completion is read into one."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import PromptError
from engine.llm.libraries import instructor


class Reply(BaseModel):
    """The base of every reply schema, and of every model nested in one.

    A reply schema is private to the module that asks. Its name, docstring and field descriptions are part of the
    prompt. Fields that a model adds on its own are dropped; NaN and infinity are refused.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


ReplyT = TypeVar("ReplyT", bound=Reply)


@dataclass(frozen=True, slots=True)
class SchemaField:
    """One thing that a schema asks for and describes.

    `path` is `budget` for a field of the reply itself, `Finding.value` for one of a part of it, and the bare name
    (`Finding`, or that of the whole reply) for what the part as such is said to be. `type` is in plain words, None
    for a part as such. `description` is None where nothing is said.
    """

    path: str
    type: str | None
    required: bool
    description: str | None


def schema_fields(reply: type[Reply]) -> tuple[SchemaField, ...]:
    """Everything in the schema of `reply` that can be given a description, in the order in which a model reads it."""
    return tuple(field for _, field in _described(reply.model_json_schema()))


def described(reply: type[ReplyT], descriptions: Mapping[str, str], *, where: str) -> type[ReplyT]:
    """`reply` with these descriptions, by path, in its schema; it reads and checks what it did before.

    `reply` itself where there are none. Raises PromptError, which says `where`, for a path that is not in the schema.
    """
    if not descriptions:
        return reply
    try:
        return _with_descriptions(reply, tuple(sorted(descriptions.items())))
    except PromptError as error:
        raise PromptError(f"{where}: {error}") from None


def no_such_field(path: str, paths: Iterable[str]) -> str:
    return f"the reply has no field {path!r} that could be described; it has: {', '.join(paths)}"


@functools.lru_cache(maxsize=512)
def _with_descriptions(reply: type[ReplyT], descriptions: tuple[tuple[str, str], ...]) -> type[ReplyT]:
    paths = [field.path for field in schema_fields(reply)]
    if strange := [path for path, _ in descriptions if path not in paths]:
        raise PromptError(no_such_field(strange[0], paths))
    told = dict(descriptions)

    def model_json_schema(cls: type[ReplyT], *given: Any, **options: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super(described_reply, cls).model_json_schema(*given, **options)
        for place, field in _described(schema):
            if field.path in told:
                place["description"] = told[field.path]
        return schema

    body = {
        "__doc__": reply.__doc__,
        "__module__": reply.__module__,
        "model_json_schema": classmethod(model_json_schema),
    }
    described_reply: Any = type(reply.__name__, (reply,), body)
    result: type[ReplyT] = described_reply
    return result


def _described(schema: dict[str, Any]) -> Iterator[tuple[dict[str, Any], SchemaField]]:
    """Each place of a JSON schema that may carry a description, with what is there; the reply first, then its parts."""
    for name, part in ((schema["title"], schema), *schema.get("$defs", {}).items()):
        if "properties" not in part:
            continue  # a list of choices, whose names speak for themselves
        whole = part is schema
        yield part, SchemaField(_plain(name), None, True, part.get("description"))
        for own, place in part["properties"].items():
            path = own if whole else f"{_plain(name)}.{own}"
            required = own in part.get("required", ())
            said = place.get("description") or _said_of_choices(place, schema)
            yield place, SchemaField(path, _type_of(place, schema), required, said)


def _said_of_choices(place: Mapping[str, Any], schema: Mapping[str, Any]) -> str | None:
    """What the list of choices says that a place refers to: what both say alike stands there alone."""
    part = schema.get("$defs", {}).get(place.get("$ref", "").rpartition("/")[2], {})
    return part.get("description") if "enum" in part else None


def _type_of(place: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """`text`, `number from 0 to 1`, `list of Quote`, `Finding or nothing`, `one of high_energy, factual`."""
    if "anyOf" in place:
        return " or ".join(_type_of(choice, schema) for choice in place["anyOf"])
    if "$ref" in place:
        name = place["$ref"].rpartition("/")[2]
        part = schema["$defs"][name]
        return f"one of {', '.join(part['enum'])}" if "enum" in part else _plain(name)
    if place.get("type") == "array":
        return f"list of {_type_of(place['items'], schema)}"
    limits = f" from {place['minimum']:g} to {place['maximum']:g}" if {"minimum", "maximum"} <= place.keys() else ""
    names = {"string": "text", "null": "nothing", "integer": "whole number", "boolean": "true or false"}
    kind = str(place.get("type", "anything"))
    return names.get(kind, kind) + limits


def _plain(name: str) -> str:
    return name.lstrip("_")


@functools.lru_cache(maxsize=512)
def schema_of(reply: type[Reply]) -> Mapping[str, Any]:
    """Name, description and JSON schema ("parameters") of `reply`: the tool that the model must call.

    The same as instructor writes for it; made here, once per class, so that a recording answers the same request
    without instructor and whatever its version.
    """
    schema = reply.model_json_schema()
    parameters = {key: value for key, value in schema.items() if key not in ("title", "description")}
    parameters["required"] = sorted(schema.get("required", ()))
    return {
        "name": schema["title"],
        "description": schema.get(
            "description",
            f"Correctly extracted `{reply.__name__}` with all the required parameters with correct types",
        ),
        "parameters": parameters,
    }


@functools.lru_cache(maxsize=512)
def instructed(reply: type[ReplyT]) -> type[ReplyT]:
    """`reply` as instructor wants it, made once per class: given a plain model, instructor makes one at every call."""
    bases = (reply, instructor().OpenAISchema)
    return type(reply.__name__, bases, {"__doc__": reply.__doc__, "__module__": reply.__module__})


def reply_in(reply: type[ReplyT], body: Mapping[str, Any]) -> ReplyT | None:
    """The reply that a completion carries; None where anything is wrong with it, and instructor must say what.

    Checks what instructor checks in the tool calls that are in order: instructor's own way there is the same
    validation after some three milliseconds of preparation.
    """
    match body:
        case {"choices": [{"finish_reason": reason, "message": message}]} if reason != "length":
            pass
        case _:
            return None
    match message:
        case {"tool_calls": [{"function": {"arguments": str(arguments)}}, *_]} if message.get("refusal") is None:
            try:
                return reply.model_validate_json(arguments)
            except ValidationError:
                return None
    return None
