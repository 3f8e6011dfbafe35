"""The rate over time: a point with its interval a week or month, and a line where prompts were promoted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from evals.learning.trend import Promotion, TrendPoint
from workbench.presenters.outcomes_headline import counts
from workbench.presenters.outcomes_rates import BLUE, ORANGE, Spec
from workbench.presenters.outcomes_words import STATUSES, Watched, between, percent

_HEIGHT, _BARS_HEIGHT = 320, 270
# Told apart by lightness too, from what counts in the rate to what does not.
_STATUS_COLOURS = {
    "positive": BLUE,
    "negative": ORANGE,
    "late": "#e8b06a",
    "pending": "#c3c9d3",
    "early": "#9cc4e4",
    "superseded": "#a7aebb",
    "not_sent": "#6f7887",
}


def table(points: Sequence[TrendPoint], watched: Watched) -> list[dict[str, Any]]:
    """What the page shows, a dictionary a period."""
    return [
        {
            "From": point.begins,
            "n": point.rate.n,
            watched.rate: percent(point.rate.value),
            "95 %": between(point.rate.low, point.rate.high),
            "Promoted": ", ".join(f"{mark.name} on {mark.at:%d %b}" for mark in point.promotions),
        }
        for point in points
    ]


def chart(points: Sequence[TrendPoint], promotions: Sequence[Promotion], watched: Watched, title: str) -> Spec:
    """A band for the intervals, a line through the rates, and dashed verticals for `promotions`."""
    values = [
        {
            "begins": _day(point.begins),
            "rate": round(100 * point.rate.value, 3),
            "low": round(100 * (point.rate.low or 0), 3),
            "high": round(100 * (point.rate.high or 0), 3),
            "From": point.begins.isoformat(),
            "Figure": percent(point.rate.value),
            "95 %": between(point.rate.low, point.rate.high),
            "n": point.rate.n,
        }
        for point in points
        if point.rate.value is not None
    ]
    inside = [mark for mark in promotions if points and mark.at.date() >= points[0].begins]
    marks = [{"at": _moment(mark.at), "Promoted": mark.name, "On": f"{mark.at:%d %B %Y}"} for mark in inside]
    x = _x("begins", points)
    y = {"type": "quantitative", "scale": {"zero": True}, "axis": {"title": f"{watched.rate}, %", "tickCount": 5}}
    tooltip = [{"field": name} for name in ("From", "Figure", "95 %", "n")]
    return {
        "title": title,
        "height": _HEIGHT,
        "layer": [
            {
                "data": {"values": values},
                "mark": {"type": "area", "opacity": 0.18, "color": BLUE},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {
                "data": {"values": values},
                "mark": {"type": "line", "color": BLUE, "strokeWidth": 2},
                "encoding": {"x": x, "y": {**y, "field": "rate"}},
            },
            {
                "data": {"values": values},
                "mark": {"type": "point", "filled": True, "color": BLUE, "size": 55, "opacity": 1},
                "encoding": {"x": x, "y": {**y, "field": "rate"}, "tooltip": tooltip},
            },
            *_promoted(marks, points),
        ],
        "config": {"view": {"stroke": None}},
    }


def stands(points: Sequence[TrendPoint], title: str) -> Spec:
    """How many outcomes of each period stand where."""
    values = [
        {"begins": _day(point.begins), "Status": STATUSES[status].name, "outcomes": number, "order": order}
        for point in points
        for order, (status, number) in enumerate(counts(point.rate.cell).items())
        if number
    ]
    names = [STATUSES[status].name for status in _STATUS_COLOURS]
    return {
        "title": title,
        "height": _BARS_HEIGHT,
        "data": {"values": values},
        "mark": {"type": "bar", "width": {"band": 0.8}},
        "encoding": {
            "x": {**_x("begins", points), "type": "ordinal", "scale": {}, "axis": _ordinal_axis(points)},
            "y": {"field": "outcomes", "type": "quantitative", "axis": {"title": "Outcomes", "tickCount": 4}},
            "color": {
                "field": "Status",
                "type": "nominal",
                "scale": {"domain": names, "range": list(_STATUS_COLOURS.values())},
                "legend": {"title": None, "orient": "top"},
            },
            "order": {"field": "order"},
            "tooltip": [{"field": "begins", "title": "From"}, {"field": "Status"}, {"field": "outcomes"}],
        },
        "config": {"view": {"stroke": None}},
    }


def described(points: Sequence[TrendPoint], watched: Watched) -> str:
    """The chart in words, for those who do not see it."""
    told = (
        f"From {point.begins.isoformat()}: {percent(point.rate.value)} ({between(point.rate.low, point.rate.high)}), "
        f"n {point.rate.n:,}."
        for point in points
        if point.rate.value is not None
    )
    return f"{watched.rate} over time. {' '.join(told)}"


def _promoted(marks: Sequence[dict[str, Any]], points: Sequence[TrendPoint]) -> list[Spec]:
    if not marks:
        return []
    x = _x("at", points)
    tooltip = [{"field": "Promoted"}, {"field": "On"}]
    return [
        {
            "data": {"values": list(marks)},
            "mark": {"type": "rule", "strokeDash": [6, 4], "strokeWidth": 2, "color": ORANGE},
            "encoding": {"x": x, "tooltip": tooltip},
        },
        {
            "data": {"values": list(marks)},
            "mark": {
                "type": "text",
                "align": "left",
                "baseline": "top",
                "dx": 6,
                "dy": 2,
                "color": ORANGE,
                "limit": 220,
            },
            "encoding": {"x": x, "y": {"value": 0}, "text": {"field": "Promoted"}, "tooltip": tooltip},
        },
    ]


def _x(field: str, points: Sequence[TrendPoint]) -> dict[str, Any]:
    return {
        "field": field,
        "type": "temporal",
        "scale": {"type": "utc"},
        "axis": {"title": None, "format": _form(points), "grid": False, "tickCount": 8, "labelOverlap": True},
    }


def _ordinal_axis(points: Sequence[TrendPoint]) -> dict[str, Any]:
    said = f"utcFormat(toDate(datum.value), '{_form(points)}')"
    return {"title": None, "labelExpr": said, "labelOverlap": True, "labelAngle": 0, "grid": False, "ticks": False}


def _form(points: Sequence[TrendPoint]) -> str:
    years = {point.begins.year for point in points}
    return "%-d %b" if len(years) < 2 else "%b %Y"


def _day(begins: date) -> str:
    return f"{begins.isoformat()}T00:00:00Z"


def _moment(at: datetime) -> str:
    return at.isoformat()
