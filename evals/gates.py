"""Conditions under which a comparison fails, as people write them: `extraction.f1 < -0.02`. Pure.

    condition = figure operator number | metric "is" verdict
    figure    = ["A." | "B."] metric [".low" | ".high"]
    operator  = "<" | "<=" | ">" | ">="
    verdict   = "better" | "worse" | "tied" | "not enough data"

Without a side, the figure is the difference B less A in the metric's own unit (a share from 0 to 1); a number may end
in %. `.low` and `.high` are the bounds of its 95 % interval.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from engine.errors import InputError
from evals.compare import Comparison
from evals.inference.verdict import Verdict
from evals.metrics import find_metric
from evals.records import Estimate

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_FIGURE = re.compile(r"[A-Za-z_][\w.]*")
_OPERATOR = re.compile(r"<=|>=|<|>|is\b")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?P<percent>\s?%)?")
_VERDICT = re.compile("|".join(re.escape(verdict) for verdict in Verdict))
_SIDES: dict[str, Side] = {"A.": "A", "B.": "B"}
_BOUNDS: dict[str, Bound] = {".low": "low", ".high": "high"}

Side = Literal["A", "B", "difference"]
Bound = Literal["low", "value", "high"]


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"  # the condition holds
    NOT_ENOUGH_DATA = "not enough data"


@dataclass(frozen=True, slots=True)
class Condition:
    """Fails a comparison when it holds. `text` is as it was written; `limit` is None for a condition on a verdict."""

    text: str
    metric: str
    side: Side = "difference"
    bound: Bound = "value"
    operator: str = "is"
    limit: float | None = None
    verdict: Verdict | None = None

    @property
    def needs_both(self) -> bool:
        """Whether it takes two runs to look at it."""
        return self.side != "B"


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition with a name, and whether too little data to tell fails it too."""

    condition: Condition
    name: str = ""
    fail_on_not_enough_data: bool = False

    @property
    def title(self) -> str:
        return self.name or self.condition.text


@dataclass(frozen=True, slots=True)
class Checked:
    """A gate and what came of it. `reason` is a sentence with the figure."""

    gate: Gate
    outcome: Outcome
    reason: str

    @property
    def failed(self) -> bool:
        too_little = self.outcome is Outcome.NOT_ENOUGH_DATA and self.gate.fail_on_not_enough_data
        return too_little or self.outcome is Outcome.FAILED


def parse(text: str) -> Condition:
    """Raises InputError that names the column, and what would be right there."""
    reading = _Reading(text)
    figure = reading.take(_FIGURE, "a metric, such as extraction.f1, is expected")
    side, metric, bound = _figure(figure, reading)
    sign = reading.take(_OPERATOR, "one of <, <=, >, >= or `is` is expected")
    if sign == "is":
        if side != "difference" or bound != "value":
            raise reading.error("a verdict is about a metric alone, without side or bound", 0)
        found = reading.take(_VERDICT, f"a verdict is expected: {', '.join(Verdict)}")
        reading.end()
        return Condition(text, metric, verdict=Verdict(found))
    number = reading.take(_NUMBER, "a number is expected, such as -0.02 or 5 %")
    reading.end()
    share = number.endswith("%")
    limit = float(number.removesuffix("%").strip()) / (100 if share else 1)
    return Condition(text, metric, side, bound, sign, limit)


def check(
    gates: Iterable[Gate],
    comparison: Comparison | None,
    own: Mapping[str, Estimate] | None = None,
    unusable: Mapping[str, str] | None = None,
) -> tuple[Checked, ...]:
    """Each gate with what came of it. `own` are the figures of a run that is compared with nothing.

    `unusable` are the metrics that no gate may rest on, and why: their gates are not decided.

    Raises InputError for a metric that was not compared, or for a condition that needs a second run.
    """
    reasons = unusable or {}
    return tuple(
        Checked(gate, Outcome.NOT_ENOUGH_DATA, reasons[gate.condition.metric])
        if gate.condition.metric in reasons
        else _checked(gate, comparison, own or {})
        for gate in gates
    )


def _checked(gate: Gate, comparison: Comparison | None, own: Mapping[str, Estimate]) -> Checked:
    condition = gate.condition
    if comparison is None:
        if condition.needs_both or condition.metric not in own:
            raise InputError(f"{condition.text!r} needs a run to compare with; without one, only B. can be looked at")
        return _by_figure(gate, own[condition.metric])
    row = comparison.row(condition.metric)
    if condition.verdict is not None:
        holds = row.verdict is condition.verdict
        return Checked(gate, Outcome.FAILED if holds else Outcome.PASSED, f"it is {row.verdict}: {row.reason}")
    figures = {"A": row.first, "B": row.second, "difference": row.difference}
    return _by_figure(gate, figures[condition.side])


def _by_figure(gate: Gate, found: Estimate) -> Checked:
    """A difference that the condition does not catch passes only if its whole interval lies beyond the limit."""
    condition = gate.condition
    figure: float | None = getattr(found, condition.bound)
    if figure is None or condition.limit is None:
        return Checked(gate, Outcome.NOT_ENOUGH_DATA, f"{_what(condition)} is not known")
    if _OPERATORS[condition.operator](figure, condition.limit):
        return Checked(gate, Outcome.FAILED, f"{_what(condition)} is {figure:.4g}")
    if condition.side == "difference" and condition.bound == "value" and not _is_clear(condition, found):
        return Checked(gate, Outcome.NOT_ENOUGH_DATA, f"{_what(condition)} is {figure:.4g}, {_around(found)}")
    return Checked(gate, Outcome.PASSED, f"{_what(condition)} is {figure:.4g}")


def _is_clear(condition: Condition, found: Estimate) -> bool:
    """Whether the condition holds nowhere in the interval of a difference."""
    if found.low is None or found.high is None or condition.limit is None:
        return False
    end = found.low if condition.operator in ("<", "<=") else found.high
    return not _OPERATORS[condition.operator](end, condition.limit)


def _around(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return "and how sure that is, is not known"
    return f"but may be anything from {found.low:.4g} to {found.high:.4g}"


def _what(condition: Condition) -> str:
    figure = "the difference" if condition.side == "difference" else f"{condition.side}'s figure"
    bounds = {"low": f"the low bound of {figure}", "high": f"the high bound of {figure}", "value": figure}
    return bounds[condition.bound]


def _figure(figure: str, reading: _Reading) -> tuple[Side, str, Bound]:
    """Side, metric and bound of what was written. Raises InputError for an unknown metric."""
    side: Side = next((own for prefix, own in _SIDES.items() if figure.startswith(prefix)), "difference")
    name = figure if side == "difference" else figure[2:]
    bound: Bound = next((own for suffix, own in _BOUNDS.items() if name.endswith(suffix)), "value")
    name = name if bound == "value" else name.removesuffix(f".{bound}")
    try:
        find_metric(name)
    except InputError as error:
        raise reading.error(str(error), reading.last) from None
    return side, name, bound


class _Reading:
    """A text while it is read from left to right."""

    def __init__(self, text: str) -> None:
        self.last = 0  # where the last thing that was taken began
        self._text = text
        self._position = 0

    def take(self, pattern: re.Pattern[str], expected: str) -> str:
        self._skip_spaces()
        found = pattern.match(self._text, self._position)
        if found is None:
            raise self.error(expected, self._position)
        self.last, self._position = found.start(), found.end()
        return found.group()

    def end(self) -> None:
        self._skip_spaces()
        if self._position < len(self._text):
            raise self.error("nothing more is expected", self._position)

    def error(self, what: str, position: int) -> InputError:
        return InputError(f"{self._text!r}, column {position + 1}: {what}")

    def _skip_spaces(self) -> None:
        rest = self._text[self._position :]
        self._position += len(rest) - len(rest.lstrip())
