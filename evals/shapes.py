"""The fields of a line as a typed value, or everything that is wrong with them.

No message quotes what a person wrote in a conversation: problems are shown, logged and sent around.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from evals.jsonl import Line, Problem, read_lines

ModelT = TypeVar("ModelT", bound=BaseModel)

# Control characters (but tab and line ends), lone surrogates, and marks that reorder the text around them.
_UNWELCOME = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
# What a line of JSON has in it if any of its texts holds such a character: an escape, or the character in UTF-8. Most
# lines have neither, and going through all of their texts takes longer than reading them.
_MAYBE = re.compile(rb"\\[ubf]|\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
_KINDS = {"Cc": "a control character", "Cs": "half of a surrogate pair", "Cf": "a mark that reorders text"}
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Shaped(Generic[ModelT]):
    """A value and the line that it was read from."""

    value: ModelT
    line: Line


def read_shapes(model: type[ModelT], file: Path) -> Iterator[Shaped[ModelT] | Problem]:
    """Every line of `file` as a `model`, or each thing that is wrong with it. Raises InputError as `read_lines`."""
    for line in read_lines(file):
        if isinstance(line, Problem):
            yield line
        elif _MAYBE.search(line.raw) and (problems := tuple(_character_problems(line, file))):
            yield from problems
        else:
            yield from _shaped(model, line, file)


def shaped(model: type[ModelT], fields: dict[str, Any], file: Path) -> ModelT | tuple[Problem, ...]:
    """The one object that a whole file holds as a `model`, or each thing that is wrong with it."""
    line = Line(1, b"", fields)
    found: list[Shaped[ModelT] | Problem] = [*_character_problems(line, file)]
    problems = []
    for item in found or _shaped(model, line, file):
        if isinstance(item, Shaped):
            return item.value
        problems.append(Problem(item.text, file))
    return tuple(problems)


def _shaped(model: type[ModelT], line: Line, file: Path) -> Iterator[Shaped[ModelT] | Problem]:
    try:
        yield Shaped(model.model_validate(line.fields), line)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            yield Problem(_said(detail), file, line.number, _turn(detail["loc"], line))


def _character_problems(line: Line, file: Path) -> Iterator[Problem]:
    for place, name in _unwelcome(line.fields, ()):
        yield Problem(f"{_place(place)} holds {name}; remove it", file, line.number, _turn(place, line))


def unwelcome_character(text: str) -> str | None:
    """The first character that a text may not hold, named as U+202E and what it is; None if there is none.

    NUL and lone surrogates cannot be stored, other controls come from broken exports, and reordering marks let
    a text show something else than it says. Direction marks (U+200E, U+200F) and joiners are welcome.
    """
    found = _UNWELCOME.search(text)
    if found is None:
        return None
    character = found[0]
    kind = _KINDS[unicodedata.category(character)]
    name = "NUL" if character == "\0" else unicodedata.name(character, "")
    return f"U+{ord(character):04X} {name}".rstrip() + f" ({kind})"


def _unwelcome(value: Any, path: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        if name := unwelcome_character(value):
            yield path, name
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _unwelcome(item, (*path, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _unwelcome(item, (*path, position))


def _turn(path: Place, line: Line) -> int | None:
    """The turn that a problem is about: the one in its path, or the one that a label line is for."""
    if len(path) > 1 and path[0] == "turns" and isinstance(path[1], int):
        return path[1]
    turn = line.fields.get("turn")
    return turn if isinstance(turn, int) else None


def _place(path: Place) -> str:
    """`turns[3].text`; the whole object is "the line"."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{_name(step)}" for step in path)
    return text.removeprefix(".") or "the line"


def _name(key: str) -> str:
    """A key as it can be shown: short, and nothing in it that a terminal would obey."""
    return key[:60] if key.isprintable() else ascii(key[:60])


def _said(detail: ErrorDetails) -> str:
    place, context = _place(detail["loc"]), detail.get("ctx", {})
    if detail["type"] == "extra_forbidden":
        return f"{place} is not a field of this format; remove it or correct its name"
    if detail["type"] == "missing":
        return f"{place} is missing"
    if detail["type"] == "too_short":
        return f"{place} is empty, or nothing in it can be read"
    if detail["type"] == "string_too_long":
        return f"{place} is too long; at most {context['max_length']:,} characters"
    if detail["type"] == "string_pattern_mismatch":
        return f"{place} may hold letters, digits, dots, dashes and underscores only, beginning with a letter or digit"
    message = detail["msg"].removeprefix("Value error, ")
    return message if detail["type"] == "value_error" and place == "the line" else f"{place}: {message}"
