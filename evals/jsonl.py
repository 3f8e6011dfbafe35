"""Strict reading of JSON lines: one object a line, split on "\\n" only; what is wrong is said with its line.

Tolerated, since nothing is lost by it: a UTF-8 byte order mark, CRLF line ends, blank lines, and a last line
without an end. Everything else that a lenient reader would guess at is a `Problem`: another encoding, NaN and
Infinity, a key given twice (a lenient reader keeps the last), a line that is not one whole object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from engine.errors import InputError

BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_NOT_A_NUMBER = re.compile(rb"NaN|Infinity")
_COLUMN = re.compile(r"(.*) at line (\d+) column (\d+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file: what, and on which line (counted from 1) and turn (counted from 0)."""

    text: str
    file: Path
    line: int | None = None
    turn: int | None = None

    def __str__(self) -> str:
        return str(self.error())

    def error(self) -> InputError:
        return InputError(self.text, file=self.file, line=self.line, turn=self.turn)


@dataclass(frozen=True, slots=True)
class Line:
    """One line that holds an object. `raw` is the line as it stands in the file, without its end."""

    number: int
    raw: bytes
    fields: dict[str, Any]


def read_lines(file: Path) -> Iterator[Line | Problem]:
    """Every line of `file` that is not blank, in order: its object, or what is wrong with it.

    Raises InputError if there is no such file or it may not be read.
    """
    try:
        with file.open("rb") as stream:
            yield from _read_lines(stream, file)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=file) from error


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`. Raises ValueError, whose text says what is wrong and never quotes the content."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"not UTF-8 (byte 0x{raw[error.start]:02X} at column {error.start + 1}): "
            "the file is in another encoding, perhaps Latin-1 or Windows-1252; save it as UTF-8"
        ) from None
    try:
        parsed = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise ValueError(_plainly(str(error), raw)) from None
    if not isinstance(parsed, dict):
        raise ValueError(f"a JSON object {{...}} is expected, and this is a {_JSON_NAMES[type(parsed)]}")
    _KEYS_AND_NUMBERS.decode(text)
    return parsed


def _read_lines(stream: Iterator[bytes], file: Path) -> Iterator[Line | Problem]:
    number, empty = 0, True
    for number, line in enumerate(stream, start=1):
        if number == 1:
            if encoding := _other_encoding(line):
                yield Problem(f"the file is {encoding}; save it as UTF-8", file)
                return
            line = line.removeprefix(BOM)
        raw = line.removesuffix(b"\n").removesuffix(b"\r")
        if not raw.strip():
            continue
        empty = False
        try:
            yield Line(number, raw, parse_object(raw))
        except ValueError as error:
            yield Problem(str(error), file, number)
    if empty:
        yield Problem("the file is empty; one JSON object a line is expected", file)


def _other_encoding(beginning: bytes) -> str | None:
    """The name of an encoding that is not UTF-8, from its byte order mark or from the zeros it puts between."""
    for mark, name in _OTHER_ENCODINGS.items():
        if beginning.startswith(mark):
            return name
    return "UTF-16" if len(beginning) > 1 and 0 in beginning[:2] else None


def _plainly(message: str, raw: bytes) -> str:
    """A parser's message for people: the line is ours to say, and NaN is named as what it is."""
    found = _COLUMN.fullmatch(message)
    if found is None:
        return f"not valid JSON: {message}"
    what, line, column = found[1], int(found[2]), int(found[3])
    if line == 1 and (bad := _NOT_A_NUMBER.match(raw, column - 1)):
        return f"{bad[0].decode()} at column {column} is not a JSON number; use null where nothing is known"
    where = f"column {column}" if line == 1 else f"line {line}, column {column}"
    hint = "; each line must hold one whole object" if what.startswith("EOF") else ""
    return f"not valid JSON at {where}: {what}{hint}"


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for position, name in enumerate(names) if name in names[:position])
        raise ValueError(f"the key {twice[:60]!r} is given twice in one object")
    return fields


def _finite(number: str) -> None:
    if float(number) in (float("inf"), float("-inf")):
        raise ValueError("a number is too large; only finite numbers can be kept")


def _unread(_number: str) -> None:
    """Integers were read by the first parser; this pass only looks at keys."""


_KEYS_AND_NUMBERS = json.JSONDecoder(object_pairs_hook=_without_doubles, parse_float=_finite, parse_int=_unread)
_JSON_NAMES = {list: "list", str: "text", int: "number", float: "number", bool: "true or false", type(None): "null"}
