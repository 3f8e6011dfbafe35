"""The reliability diagram as Vega-Lite charts: what was said beside what came true, and how many outcomes say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Bins = Sequence[Mapping[str, Any]]

# Blue against orange stays apart for all common kinds of colour blindness, and the shapes do without colour.
COLOURS = ("#2a80c2", "#cc6a0c")
SHAPES = ("circle", "diamond")
QUIET = "#8a94a6"
_HEIGHT, _COUNTS_HEIGHT = 440, 140  # pixels, axes included
_AXIS_PIXELS = 48  # so that both charts begin at the same place


def diagram(series: Mapping[str, Bins], came: str = "answered") -> dict[str, Any]:
    """One mark for each bin of each series (one or two), with the interval of its share. On the diagonal is right."""
    rows = list(_rows(series))
    names = list(series)
    return {
        "height": _HEIGHT,
        "layer": [_diagonal(), _intervals(rows, names, came), _marks(rows, names, came)],
        "resolve": {"legend": {"color": "independent", "shape": "independent"}},
        "config": {"view": {"stroke": None}},
    }


def counts(bins: Bins) -> dict[str, Any]:
    """How many outcomes are in each bin, from its lowest to its highest confidence."""
    rows = [
        {
            "low": own["lowest"] - 0.003,
            "high": own["highest"] + 0.003,
            "Outcomes": own["n"],
            "Said": f"{own['lowest']:.0%} to {own['highest']:.0%}",
        }
        for own in bins
    ]
    return {
        "height": _COUNTS_HEIGHT,
        "data": {"values": rows},
        "mark": {"type": "rect", "color": QUIET, "opacity": 0.55},
        "encoding": {
            "x": _share_axis("low", "Said: where each bin lies"),
            "x2": {"field": "high"},
            "y": {
                "field": "Outcomes",
                "type": "quantitative",
                "scale": {"zero": True},
                "axis": {"tickCount": 2, "minExtent": _AXIS_PIXELS, "grid": False, "format": ",d"},
            },
            "y2": {"datum": 0},
            "tooltip": [{"field": "Said"}, {"field": "Outcomes", "format": ","}],
        },
        "config": {"view": {"stroke": None}},
    }


def described(series: Mapping[str, Bins], came: str = "answered") -> str:
    """The diagram in words, for those who do not see it."""
    return " ".join(
        f"{name}: "
        + "; ".join(f"said {own['confidence']:.0%}, {own['share']:.0%} of {own['n']:,} {came}" for own in bins)
        + "."
        for name, bins in series.items()
    )


def _rows(series: Mapping[str, Bins]) -> Iterator[dict[str, Any]]:
    for name, bins in series.items():
        for own in bins:
            yield {
                "Series": name,
                "confidence": own["confidence"],
                "share": own["share"],
                "low": own["low"],
                "high": own["high"],
                "Outcomes": own["n"],
                "Conversations": own["conversations"],
                "Said": f"{own['confidence']:.1%} ({own['lowest']:.0%} to {own['highest']:.0%})",
                "Came": f"{own['share']:.1%} ({own['low']:.1%} to {own['high']:.1%})",
            }


def _share_axis(field: str, title: str) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [0, 1], "nice": False},
        "axis": {"format": ".0%", "title": title, "tickCount": 6, "grid": True},
    }


def _y(field: str, came: str) -> dict[str, Any]:
    axis = _share_axis(field, f"{came.capitalize()}, with 95 % interval")
    return {**axis, "axis": {**axis["axis"], "minExtent": _AXIS_PIXELS}}


def _diagonal() -> dict[str, Any]:
    return {
        "data": {"values": [{"said": 0, "right": 0}, {"said": 1, "right": 1}]},
        "mark": {"type": "line", "strokeDash": [5, 4], "color": QUIET, "strokeWidth": 1.5},
        "encoding": {
            "x": {"field": "said", "type": "quantitative"},
            "y": {"field": "right", "type": "quantitative"},
        },
    }


def _tooltip(came: str) -> list[dict[str, str]]:
    return [
        {"field": "Series", "title": "Whose"},
        {"field": "Said", "title": "Said, on average"},
        {"field": "Came", "title": came.capitalize()},
        {"field": "Outcomes", "format": ","},
        {"field": "Conversations", "format": ","},
    ]


def _intervals(rows: list[dict[str, Any]], names: list[str], came: str) -> dict[str, Any]:
    return {
        "data": {"values": rows},
        "mark": {"type": "rule", "strokeWidth": 2, "strokeCap": "round", "opacity": 0.75},
        "encoding": {
            "x": _share_axis("confidence", "Said, on average"),
            "y": _y("low", came),
            "y2": {"field": "high"},
            "color": _by_series(names, COLOURS),
            "tooltip": _tooltip(came),
        },
    }


def _marks(rows: list[dict[str, Any]], names: list[str], came: str) -> dict[str, Any]:
    legend = {"title": None, "orient": "top", "symbolSize": 90, "labelLimit": 0}
    return {
        "data": {"values": rows},
        "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
        "encoding": {
            "x": _share_axis("confidence", "Said, on average"),
            "y": _y("share", came),
            "color": _by_series(names, COLOURS, legend),
            "shape": _by_series(names, SHAPES, legend),
            "tooltip": _tooltip(came),
        },
    }


def _by_series(names: list[str], values: Sequence[str], legend: dict[str, Any] | None = None) -> dict[str, Any]:
    scale = {"domain": names, "range": list(values[: len(names)])}
    return {"field": "Series", "type": "nominal", "scale": scale, "legend": legend}
