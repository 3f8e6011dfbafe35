"""A file of gates, in TOML: which conditions fail a comparison, with names; what is wrong with it is said by line.

view = "model"              # or "all"; "model" if not given
not_enough_data = "pass"    # or "fail"; for all gates that do not say otherwise

[[gate]]
name = "understanding does not get worse"
fail_if = "extraction.f1.high < -0.02"

[[gate]]
fail_if = "B.extraction.precision < 0.6"
not_enough_data = "fail"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import InputError
from evals.gates import Gate, parse
from evals.metrics.judged import View

_HEADER = re.compile(r"^\s*\[\[\s*gate\s*\]\]")
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

TooLittle = Literal["pass", "fail"]
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Gates:
    """What a file of gates says."""

    view: View
    gates: tuple[Gate, ...]


class GateEntry(BaseModel):
    """One `[[gate]]` as it is written."""

    model_config = ConfigDict(extra="forbid")

    fail_if: str
    name: str = ""
    not_enough_data: TooLittle | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    gate: list[GateEntry] = Field(min_length=1)
    view: View = View.MODEL
    not_enough_data: TooLittle = "pass"


def read_gates(file: Path) -> Gates:
    """The gates in `file`. Raises InputError with its line for the first thing that is wrong."""
    found, text = read_toml(file, _File)
    return Gates(found.view, gates_in(found.gate, found.not_enough_data, text, file))


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
        raise _wrong(error, text, file) from None


def gates_in(entries: Sequence[GateEntry], otherwise: TooLittle, text: str, file: Path) -> tuple[Gate, ...]:
    """The gates of a file's entries; `otherwise` is for those that do not say what follows from too little data.

    Raises InputError with the line of the first condition that cannot be read.
    """
    gates = []
    for number, entry in enumerate(entries):
        try:
            condition = parse(entry.fail_if)
        except InputError as error:
            raise InputError(str(error), file=file, line=line_of(text, ("gate", number, "fail_if"))) from None
        gates.append(Gate(condition, entry.name, (entry.not_enough_data or otherwise) == "fail"))
    return tuple(gates)


def _not_toml(message: str, text: str, file: Path) -> InputError:
    place = _POSITION.search(message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    column = f" (column {place[2]})" if place and place[2] else ""
    return InputError(f"not TOML: {_POSITION.sub('', message)}{column}", file=file, line=line)


def _wrong(error: ValidationError, text: str, file: Path) -> InputError:
    detail = error.errors(include_url=False, include_input=False)[0]
    place = detail["loc"]
    name = ".".join(str(step) for step in place if isinstance(step, str)) or "the file"
    said = {
        "missing": f"{name} is missing" if place != ("gate",) else "there is no [[gate]]",
        "extra_forbidden": f"{name} has no meaning here; remove it or correct its name",
    }
    return InputError(said.get(detail["type"], f"{name}: {detail['msg']}"), file=file, line=line_of(text, place))


def line_of(text: str, place: tuple[Any, ...]) -> int | None:
    """The line of a key, or of the gate that lacks it. None if it cannot be found."""
    lines = text.splitlines()
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    number = next((step for step in place if isinstance(step, int)), None)
    if number is not None and number >= len(headers):
        return None
    start = headers[number] if number is not None else 0
    ends = [header for header in headers if header > start] if number is not None else headers
    block = range(start, ends[0] if ends else len(lines))
    key = re.compile(rf"^\s*{re.escape(str(place[-1]))}\s*=")
    found = next((line for line in block if key.match(lines[line])), None)
    if found is None:
        return start + 1 if number is not None else None
    return found + 1
