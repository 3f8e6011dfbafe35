"""The reply rate over time, by week or month of the recommendation, and where a promotion falls in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Literal

from engine.errors import InputError
from evals.learning.facts.reading import Week
from evals.learning.facts.values import Cell
from evals.learning.rates import Rate, rate_of

Period = Literal["week", "month"]
_COUNTS = tuple(field.name for field in fields(Cell) if field.name not in ("key", "conversations", "squares"))


@dataclass(frozen=True, slots=True)
class Promotion:
    """Something that took over at a moment: a prompt set, a calibration."""

    at: datetime
    name: str


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The rate of a period that begins on `begins` (UTC), and the promotions in it: partly before, partly after."""

    begins: date
    rate: Rate
    promotions: tuple[Promotion, ...] = ()


def trend(
    weeks: Sequence[Week], promotions: Iterable[Promotion] = (), *, by: Period = "week", design_effect: float = 1.0
) -> tuple[TrendPoint, ...]:
    """A point for each period that has outcomes, in order. A week belongs to the month in which it begins.

    `design_effect` is that of all outcomes together (`evals.learning.rates.design_effect`): a week by itself says too
    little about how alike a conversation's outcomes are. Promotions before the first period are left out. Raises
    InputError for a promotion without its zone.
    """
    periods = [(begins, _together(group)) for begins, group in groupby(weeks, lambda week: _begin(week.monday, by))]
    marks = sorted(promotions, key=lambda promotion: _day(promotion.at))
    ends = [begins for begins, _ in periods[1:]] + [date.max]
    return tuple(
        TrendPoint(
            begins,
            _rate(cell, design_effect),
            tuple(mark for mark in marks if begins <= _day(mark.at) < end),
        )
        for (begins, cell), end in zip(periods, ends, strict=True)
    )


def _rate(cell: Cell, design_effect: float) -> Rate:
    """As if the period's outcomes were of as many conversations as the design effect says."""
    if cell.rate is None or design_effect <= 1:
        return rate_of(cell)
    conversations = max(2, round(cell.resolved / design_effect))
    squares = design_effect * cell.rate * (1 - cell.rate) * cell.resolved * (conversations - 1) / conversations
    return rate_of(replace(cell, conversations=conversations, squares=squares))


def _together(weeks: Iterable[Week]) -> Cell:
    cells = [week.cell for week in weeks]
    return Cell((), **{name: sum(getattr(cell, name) for cell in cells) for name in _COUNTS})


def _begin(monday: date, by: Period) -> date:
    return monday if by == "week" else monday.replace(day=1)


def _day(moment: datetime) -> date:
    if moment.tzinfo is None:
        raise InputError(f"{moment.isoformat()} is a time without its zone")
    return moment.astimezone(UTC).date()
