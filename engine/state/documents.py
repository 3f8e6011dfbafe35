"""The JSON documents of production state, with the version of their schema: to and from values.

What is written is always of `SCHEMA_VERSION`. What is read may be older: the functions in `READERS` bring it, one
version at a time, to what is written today. To change a document's schema: raise `SCHEMA_VERSION`, and add under the
version before a pure function for each kind of document whose shape changed; a kind without one stayed as it was.

jsonb holds neither NUL nor lone surrogates nor infinite numbers. In documents, which quote customers and models, NUL
is left out and each lone surrogate becomes U+FFFD, and the count of both is given; an infinite number is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from math import isfinite
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from engine.errors import InputError, SchemaVersionError, StateError

SCHEMA_VERSION = 1

ValueT = TypeVar("ValueT")
Reader = Callable[[Any], Any]


class Kind(StrEnum):
    """The documents there are, by the column that holds them."""

    QUALIFICATION = "qualification_data"
    METADATA = "metadata"
    NEXT_ACTIONS = "next_actions"
    ANALYSIS = "analysis"


READERS: Mapping[int, Mapping[Kind, Reader]] = MappingProxyType({})
"""From each older version, and for each kind of document, the function that makes the next version of it."""


@dataclass(frozen=True, slots=True)
class Where:
    """Whose document it is. Written out only when something is wrong with it."""

    tenant_id: UUID
    state_id: UUID
    turn: int | None = None

    def __str__(self) -> str:
        turn = "" if self.turn is None else f", turn {self.turn}"
        return f"tenant {self.tenant_id}, state {self.state_id}{turn}"


@dataclass(frozen=True, slots=True)
class Written:
    """A document as it is stored. `cleaned` counts the characters that jsonb cannot hold and that were replaced."""

    json: bytes
    cleaned: int = 0


def write(kind: Kind, value: BaseModel | Mapping[str, Any] | Sequence[str]) -> Written:
    """The document of a value. Raises InputError for what JSON has no form for, without repeating it."""
    try:
        json = to_json(value)
    except PydanticSerializationError:
        json = None
    if json is not None and not any(sign in json for sign in _SUSPECT):
        return Written(json)
    plain = value.model_dump() if isinstance(value, BaseModel) else value
    clean, count = _cleaned(kind, plain)
    try:
        return Written(to_json(clean), count)
    except PydanticSerializationError:
        raise InputError(f"{kind} holds something that JSON has no form for; keep text, numbers and lists") from None


def read(shape: type[ValueT], kind: Kind, json: bytes, version: int, where: object) -> ValueT:
    """The value of a document of this or an older version; `shape` is a model, or any type that pydantic knows.

    Raises SchemaVersionError for a newer version, StateError for a document that does not hold what it should; their
    text begins with `where`, which says whose it is, and names the field, without what it holds.
    """
    reading: TypeAdapter[ValueT] = _reading(shape)  # type: ignore[arg-type]  # a type can be hashed
    try:
        if version == SCHEMA_VERSION:
            return reading.validate_json(json)
        return reading.validate_python(upgraded(kind, from_json(json), version, where))
    except ValidationError as error:
        raise StateError(_broken(kind, error, where)) from None


def upgraded(
    kind: Kind,
    document: Any,
    version: int,
    where: object,
    *,
    readers: Mapping[int, Mapping[Kind, Reader]] = READERS,
    current: int = SCHEMA_VERSION,
) -> Any:
    """A document of an older version as one of `current`, through each version between.

    Raises SchemaVersionError for a newer one, and for one so old that no reader is left for it.
    """
    if version > current:
        raise SchemaVersionError(
            f"{where}: {kind} was written as version {version}, and this program reads up to {current}; "
            "use the newer version of the program that wrote it"
        )
    for older in range(version, current):
        if older not in readers:
            raise SchemaVersionError(f"{where}: {kind} is of version {older}, which this program no longer reads")
        document = readers[older].get(kind, _unchanged)(document)
    return document


def clean_text(text: str) -> tuple[str, int]:
    """The text without NUL and with U+FFFD for each lone surrogate, and how many of both there were."""
    if "\0" not in text and text.isascii():
        return text, 0
    without = text.replace("\0", "")
    clean = "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in without)
    return clean, len(text) - len(without) + sum(a != b for a, b in zip(clean, without, strict=True))


_SUSPECT = (b"\\u0000", b"NaN", b"Infinity")


@cache
def _reading(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def _unchanged(document: Any) -> Any:
    return document


def _cleaned(kind: Kind, value: Any) -> tuple[Any, int]:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float) and not isfinite(value):
        raise InputError(f"{kind} holds a number that is infinite or none at all; leave it out")
    if isinstance(value, Mapping):
        pairs = [(clean_text(str(key)), _cleaned(kind, item)) for key, item in value.items()]
        return {key: item for (key, _), (item, _) in pairs}, sum(a + b for (_, a), (_, b) in pairs)
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_cleaned(kind, item) for item in value]
        return [item for item, _ in items], sum(count for _, count in items)
    return value, 0


def _broken(kind: Kind, error: ValidationError, where: object) -> str:
    """Which field, and what is wrong with it. The name of a field that should not be there is content, and left out."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    unknown = first["type"] == "extra_forbidden"
    path = first["loc"][:-1] if unknown else first["loc"]
    field = ".".join([kind, *(str(part) for part in path)])
    what = "there is a field that does not belong there" if unknown else first["type"]
    return f"{where}: {field} cannot be read: {what}; restore it from a backup, or correct it in the database"
