"""Everything on the Outcomes page as files for other programs: tables as CSV, Parquet or JSON.

Every row says whose outcomes it is about, which part of them, and whether they are simulated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evals.learning.facts import Cell
from evals.learning.funnel import FunnelStep
from evals.learning.pooling import Pooled
from evals.learning.rates import Rate
from evals.learning.trend import TrendPoint
from workbench.presenters.outcomes_headline import counts
from workbench.presenters.table_files import Format, json_file, written

Rows = Sequence[Mapping[str, Any]]
_FIGURES = frozenset({"rate", "low", "high", "share", "pooled", "pooled_low", "pooled_high", "own_weight"})


@dataclass(frozen=True, slots=True)
class About:
    """What every row of a file is about. `part` says in words which outcomes, empty if all."""

    tenant: str
    outcome_type: str
    simulated: bool
    part: str
    known_at: str

    def columns(self) -> dict[str, Any]:
        return asdict(self)


def file(about: About, rows: Rows, format_: Format) -> bytes:
    """The rows, each with what it is about before it; nothing is rounded."""
    found = [about.columns() | dict(row) for row in rows]
    if format_ == "JSON":
        return json_file(found)
    names = list(dict.fromkeys(name for row in found for name in row)) or list(about.columns())
    whole = [{name: row.get(name) for name in names} for row in found]
    return written(whole, {name: _type(whole, name) for name in names}, format_)


def counts_rows(rate: Rate) -> Rows:
    """The headline: the rate, and how many stand where."""
    return [_rate(rate) | counts(rate.cell)]


def cells_rows(by: Sequence[str], found: Sequence[Pooled]) -> Rows:
    """A row a cell: the rate as counted, pulled toward the whole, and every count."""
    return [
        dict(zip(by, own.raw.cell.key, strict=True))
        | _rate(own.raw)
        | {"pooled": own.value, "pooled_low": own.low, "pooled_high": own.high, "own_weight": own.weight}
        | _counts(own.raw.cell)
        for own in found
    ]


def trend_rows(points: Sequence[TrendPoint]) -> Rows:
    """A row a period."""
    return [
        {"begins": point.begins.isoformat()}
        | _rate(point.rate)
        | counts(point.rate.cell)
        | {"promoted": "; ".join(f"{mark.at.isoformat()} {mark.name}" for mark in point.promotions)}
        for point in points
    ]


def funnel_rows(steps: Sequence[FunnelStep]) -> Rows:
    return [asdict(step) | {"share": step.share} for step in steps]


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "rate": rate.value,
        "low": rate.low,
        "high": rate.high,
        "interval": rate.method,
        "effective_n": rate.effective,
        "resolved": rate.n,
        "conversations": rate.cell.conversations,
    }


def _counts(cell: Cell) -> dict[str, int]:
    return {"outcomes": cell.outcomes, **counts(cell), "sent": cell.sent, "unsure_sent": cell.unsure_sent}


def _type(rows: Rows, name: str) -> str:
    values = [row.get(name) for row in rows if row.get(name) is not None]
    for kind, type_ in ((bool, "BOOLEAN"), (int, "BIGINT"), (float, "DOUBLE")):
        if values and all(type(value) is kind for value in values):
            return type_
    is_figure = all(isinstance(value, int | float) for value in values) if values else name in _FIGURES
    return "DOUBLE" if is_figure else "VARCHAR"
