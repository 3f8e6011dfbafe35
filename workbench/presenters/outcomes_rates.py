"""Rates by a dimension or a crossing: rows of a table, and the dot-and-interval chart with both rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals.learning.pooling import Pooled
from workbench.presenters.outcomes_headline import counts
from workbench.presenters.outcomes_words import FEW, SPLITS, Watched, between, cell_name, percent, shown

Spec = dict[str, Any]

BLUE, ORANGE, QUIET = "#2a80c2", "#cc6a0c", "#8a94a6"  # apart for common colour blindness, on white and on black
COUNTED, PULLED = "As counted", "Pulled toward the whole"
MOST_DRAWN = 30
_STEP = 32  # pixels a line
_ROOM = 2.0  # points beside the outermost interval


@dataclass(frozen=True, slots=True)
class RateRow:
    """A cell with its rate as counted and pulled toward the whole. `few` marks cells of fewer than FEW resolved."""

    name: str
    key: tuple[str | None, ...]
    found: Pooled

    @property
    def few(self) -> bool:
        return self.found.raw.n < FEW


def rows(by: Sequence[str], found: Sequence[Pooled]) -> list[RateRow]:
    """The highest pulled rate first, so that chance does not lead; what has nothing resolved comes last."""
    ordered = sorted(found, key=lambda own: (not own.raw.n, -own.value))
    return [RateRow(cell_name(by, own.raw.cell.key), own.raw.cell.key, own) for own in ordered]


def table(by: Sequence[str], found: Sequence[RateRow], watched: Watched) -> list[dict[str, Any]]:
    """What the page shows, a dictionary a row; rates in percent."""
    return [
        {
            **{SPLITS[name].title: shown(name, word) for name, word in zip(by, row.key, strict=True)},
            "n": row.found.raw.n,
            watched.rate: percent(row.found.raw.value),
            "95 %": between(row.found.raw.low, row.found.raw.high),
            "Pulled": percent(row.found.value),
            "95 % ": between(row.found.low, row.found.high),
            "Own weight": percent(row.found.weight),
            "Size": "◌ small" if row.few else "",
            **{name.replace("_", " ").capitalize(): number for name, number in counts(row.found.raw.cell).items()},
        }
        for row in found
    ]


def chart(found: Sequence[RateRow], watched: Watched, title: str) -> Spec:
    """Circles as counted, diamonds pulled toward the whole; hollow circles are small cells."""
    drawn = _drawn(found)
    values = [value for row in drawn for value in _marks(row)]
    order = [_label(row) for row in drawn]
    ends = [value[end] for value in values for end in ("low", "high") if value[end] is not None]
    scale = (max(0.0, min(ends, default=0.0) - _ROOM), min(100.0, max(ends, default=100.0) + _ROOM))
    place = {
        "y": {
            "field": "Cell",
            "type": "nominal",
            "sort": order,
            "axis": {"title": None, "labelLimit": 250, "domain": False, "ticks": False},
        },
        "yOffset": {"field": "Rate", "type": "nominal", "sort": [COUNTED, PULLED]},
    }
    return {
        "title": title,
        "height": {"step": _STEP, "for": "position"},
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2.5, "strokeCap": "round"},
                "encoding": {
                    **place,
                    "x": _x("low", watched, scale),
                    "x2": {"field": "high"},
                    "color": _by_rate([BLUE, ORANGE]),
                    "strokeDash": _by_rate([[1, 0], [5, 3]]),
                    "tooltip": _tooltip(),
                },
            },
            _dots(place, _x("rate", watched, scale)),
        ],
        "resolve": {"legend": {"color": "independent", "shape": "independent"}},
        "config": {"view": {"stroke": None}},
    }


def _dots(place: Spec, x: Mapping[str, Any]) -> Spec:
    """Hollow where a cell is small, and where the rate is pulled."""
    return {
        "mark": {"type": "point", "size": 85, "opacity": 1, "strokeWidth": 2},
        "encoding": {
            **place,
            "x": x,
            "color": _by_rate([BLUE, ORANGE], legend=True),
            "shape": _by_rate(["circle", "diamond"], legend=True),
            "fill": {
                "condition": [
                    {"test": f"datum.few || datum.Rate === '{PULLED}'", "value": "transparent"},
                ],
                "value": BLUE,
            },
            "tooltip": _tooltip(),
        },
    }


def left_out(found: Sequence[RateRow]) -> int:
    """How many cells the chart leaves to the table."""
    return len(found) - len(_drawn(found))


def described(found: Sequence[RateRow], watched: Watched) -> str:
    """The chart in words, for those who do not see it."""
    return " ".join(
        f"{row.name}: {watched.rate.lower()} {percent(row.found.raw.value)} "
        f"({between(row.found.raw.low, row.found.raw.high)}), "
        f"pulled toward the whole {percent(row.found.value)}, n {row.found.raw.n:,}{', small' if row.few else ''}."
        for row in _drawn(found)
    )


def _drawn(found: Sequence[RateRow]) -> list[RateRow]:
    """Those with anything resolved; of very many, the largest."""
    resolved = [row for row in found if row.found.raw.n]
    kept = sorted(resolved, key=lambda row: -row.found.raw.n)[:MOST_DRAWN]
    return [row for row in resolved if row in kept]


def _label(row: RateRow) -> str:
    return f"{row.name} (small)" if row.few else row.name


def _marks(row: RateRow) -> list[dict[str, Any]]:
    raw = row.found.raw
    both = (
        (COUNTED, raw.value, raw.low, raw.high),
        (PULLED, row.found.value, row.found.low, row.found.high),
    )
    return [
        {
            "Cell": _label(row),
            "Rate": kind,
            "rate": _hundred(value),
            "low": _hundred(low),
            "high": _hundred(high),
            "few": row.few,
            "Figure": percent(value),
            "95 %": between(low, high),
            "n": raw.n,
        }
        for kind, value, low, high in both
    ]


def _hundred(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 3)


def _tooltip() -> list[dict[str, str]]:
    return [{"field": field} for field in ("Cell", "Rate", "Figure", "95 %", "n")]


def _x(field: str, watched: Watched, scale: tuple[float, float]) -> Mapping[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": list(scale), "nice": True, "clamp": True},
        "axis": {"title": f"{watched.rate}, %", "grid": True, "tickCount": 6},
    }


def _by_rate(values: Sequence[Any], *, legend: bool = False) -> dict[str, Any]:
    return {
        "field": "Rate",
        "type": "nominal",
        "scale": {"domain": [COUNTED, PULLED], "range": list(values)},
        "legend": {"title": None, "orient": "top", "symbolSize": 90} if legend else None,
    }
