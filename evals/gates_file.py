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

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import InputError
from evals.gates import Gate, parse
from evals.metrics.judged import View
from evals.toml_file import line_of, read_toml

TooLittle = Literal["pass", "fail"]


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


def gates_in(entries: Sequence[GateEntry], otherwise: TooLittle, text: str, file: Path) -> tuple[Gate, ...]:
    """The gates of a file's entries; `otherwise` is for those that do not say what follows from too little data.

    Raises InputError with the line of the first condition that cannot be read.
    """
    gates = []
    for number, entry in enumerate(entries):
        line = line_of(text, ("gate", number, "fail_if"))
        try:
            condition = parse(entry.fail_if)
        except InputError as error:
            raise InputError(error.problem, file=file, line=line) from None
        gates.append(Gate(condition, entry.name, (entry.not_enough_data or otherwise) == "fail"))
    return tuple(gates)
