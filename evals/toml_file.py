"""A TOML file that a person wrote, checked: the first thing that is wrong is said in words, with its line."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from engine.errors import InputError

ModelT = TypeVar("ModelT", bound=BaseModel)
Place = tuple[str | int, ...]  # of a value: `("limits", "fallbacks")`, `("gate", 0, "fail_if")`

_SHOWN = 40  # characters of what stands there
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_HEADER = re.compile(r"^\s*(\[\[?)\s*([\w.\- ]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([\w\-]+(?:\s*\.\s*[\w\-]+)*)\s*=")

_WANTED = {
    "string_type": "a text in quotes",
    "tuple_type": 'a list, such as ["one", "two"]',
    "list_type": 'a list, such as ["one", "two"]',
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "finite_number": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "too_short": "a list of at least one",
    "string_too_short": "a text that is not empty",
    "greater_than_equal": "{ge:g} or more",
    "less_than_equal": "{le:g} or less",
    "literal_error": "{expected}",
    "enum": "{expected}",
}


def read_toml(file: Path, kind: type[ModelT]) -> tuple[ModelT, str]:
    """What a TOML file says, and its text. Raises InputError with the line for the first thing that is wrong."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=file) from error
    except UnicodeDecodeError:
        raise InputError("is not UTF-8", file=file) from None
    try:
        return kind.model_validate(tomllib.loads(text)), text
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(str(error), text, file) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(_wrong(first, kind), file=file, line=line_of(text, first["loc"])) from None


def line_of(text: str, place: Place) -> int | None:
    """The line on which a value stands, or else the table that lacks it. None where there is neither."""
    found: tuple[int, int | None] = (0, None)
    for number, own in _places(text):
        if own == place[: len(own)]:
            found = max(found, (len(own), number), key=lambda each: each[0])
    return found[1]


def _places(text: str) -> Iterator[tuple[int, Place]]:
    """Every line that begins a table or a value, with its place."""
    table: Place = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header[2]
            table = tuple(step.strip() for step in name.split("."))
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                table = (*table, counts[name])
            yield number, table
        elif key := _KEY.match(line):
            yield number, (*table, *(step.strip() for step in key[1].split(".")))


def _not_toml(message: str, text: str, file: Path) -> InputError:
    place = _POSITION.search(message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    column = f" (column {place[2]})" if place and place[2] else ""
    return InputError(f"not TOML: {_POSITION.sub('', message)}{column}", file=file, line=line)


def _wrong(detail: Any, kind: type[BaseModel]) -> str:
    """What is wrong with a value, and what is allowed there."""
    place: Place = detail["loc"]
    name = ".".join(step for step in place if isinstance(step, str)) or "the file"
    match detail["type"]:
        case "missing" if len(place) == 1:
            return f"there is no [[{name}]]"
        case "missing":
            return f"{name} is missing"
        case "extra_forbidden":
            return f"{name} has no meaning here; {_instead(place, kind)}"
        case "model_type" if isinstance(place[-1], str):
            return f"{name} is to be a table: its keys stand below a line [{name}]"
        case "model_type" | "list_type" if isinstance(detail["input"], dict) or isinstance(place[-1], int):
            return f"{name} is to be written [[{name}]], with two brackets on either side"
    wanted = _WANTED.get(detail["type"], "something else").format(**detail.get("ctx", {}))
    if isinstance(place[-1], int):
        return f"{name} holds {_shown(detail['input'])}; each of it has to be {wanted}"
    return f"{name} is {_shown(detail['input'])}; it has to be {wanted}"


def _instead(place: Place, kind: type[BaseModel]) -> str:
    """What a key that nothing knows was probably meant to be."""
    key, table = str(place[-1]), _table(kind, place[:-1])
    if len(place) > 1 and key in kind.model_fields:
        return f"{key} belongs at the beginning of the file, above the first line in brackets"
    known = list(table.model_fields) if table is not None else []
    if near := get_close_matches(key, known, n=3):
        return f"did you mean {' or '.join(near)}?"
    return f"there are: {', '.join(known)}" if known else "remove it"


def _table(kind: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """The model of the table in which a key stands."""
    for step in place:
        if isinstance(step, str):
            annotation = kind.model_fields[step].annotation if step in kind.model_fields else None
            inner = [each for each in (annotation, *get_args(annotation)) if isinstance(each, type)]
            models = [each for each in inner if issubclass(each, BaseModel)]
            if not models:
                return None
            kind = models[0]
    return kind


def _shown(value: object) -> str:
    """A value as it stands in the file, as far as it fits on a line."""
    if isinstance(value, list | dict):
        kind = "list" if isinstance(value, list) else "table"
        return f"a {kind}" if value else f"an empty {kind}"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
