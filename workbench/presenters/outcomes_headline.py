"""What comes first: how many outcomes stand where, and the rate with its interval."""

from __future__ import annotations

from dataclasses import dataclass

from evals.learning.facts import Cell
from evals.learning.rates import Rate
from workbench.presenters.outcomes_words import STATUSES, Watched, between, percent
from workbench.text import count

IN_RATE = ("positive", "negative", "late")


@dataclass(frozen=True, slots=True)
class StatusLine:
    """How many outcomes stand somewhere; `in_rate` says whether they count there."""

    status: str
    name: str
    meaning: str
    outcomes: int
    in_rate: bool


@dataclass(frozen=True, slots=True)
class Headline:
    """The rate in figures and words, and every status by itself."""

    rate: str
    interval: str
    rests_on: str
    meaning: str
    lines: tuple[StatusLine, ...]


def counts(cell: Cell) -> dict[str, int]:
    """Every outcome once, by where it stands."""
    return {
        "positive": cell.positive,
        "negative": cell.resolved - cell.positive - cell.late,
        "late": cell.late,
        "pending": cell.pending,
        "early": cell.early,
        "superseded": cell.superseded,
        "not_sent": cell.not_sent,
    }


def headline(rate: Rate, watched: Watched) -> Headline:
    cell = rate.cell
    lines = (
        StatusLine(status, STATUSES[status].name, STATUSES[status].meaning, number, status in IN_RATE)
        for status, number in counts(cell).items()
    )
    conversations = f" of {count(cell.conversations, 'conversation')}" if cell.conversations else ""
    around = between(rate.low, rate.high)
    return Headline(
        rate=percent(rate.value),
        interval=f"95 % interval {around}" if around else "nothing is resolved yet",
        rests_on=f"n = {cell.resolved:,} resolved{conversations}",
        meaning=(
            f"{watched.rate}: positive / (positive + negative + late), of windows that were looked at. Interval: "
            f"{rate.method}, 95 %, worth {rate.effective:,.0f} independent outcomes."
        ),
        lines=tuple(lines),
    )
