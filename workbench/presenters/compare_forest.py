"""The forest plot as Vega-Lite charts: each difference with its interval, better to the right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evals.inference.verdict import Verdict
from evals.report.forest import Panel

_STEP = 26  # pixels a line
_BETWEEN = 15  # pixels more for each further run on a line
_SHAPES = ("triangle-up", "triangle-down", "square", "circle")
_ORDER = (Verdict.BETTER, Verdict.WORSE, Verdict.TIED, Verdict.NOT_ENOUGH_DATA)
# Blue against orange stays apart for all common kinds of colour blindness, and these do on white and on black.
_COLOURS = ("#2a80c2", "#cc6a0c", "#7c8696", "#98a1b0")
_QUIET = "#8a94a6"
_TITLES_PIXELS = 235
_ROOM_FOR_WORDS = 1.2  # beyond the last interval
_LABEL = "datum.value === 0 ? '0' : format(datum.value, '+.3~g')"


def forest(panels: Mapping[str, Panel]) -> dict[str, Any]:
    """One chart of panels with the same scale, by the name of the run that was compared with the first."""
    rows = [row for run, panel in panels.items() for row in _rows(run, panel, several=len(panels) > 1)]
    begins, ends = zip(*(panel.scale for panel in panels.values()), strict=True)
    titles = list(dict.fromkeys(row["Measure"] for row in rows))
    places = _Places(titles, list(panels), (min(begins), _ROOM_FOR_WORDS * max(ends)))
    return {
        "height": {"step": _STEP + _BETWEEN * (len(panels) - 1), "for": "position"},
        "layer": [
            _bands(rows, places),
            _zero(),
            _intervals(rows, places),
            _marks(rows, places),
            _words(rows, places),
        ],
        "resolve": {"legend": {"color": "independent", "shape": "independent"}},
        "config": {"view": {"stroke": None}},
    }


def described(panels: Mapping[str, Panel]) -> str:
    """The chart in words, for those who do not see it."""
    return " ".join(
        f"{run}: {'; '.join(f'{line.title} {line.shown}, {line.verdict}' for line in panel.lines)}."
        for run, panel in panels.items()
    )


class _Places:
    """Where things are: measures from top to bottom, runs below each other within a measure."""

    def __init__(self, titles: Sequence[str], runs: Sequence[str], scale: tuple[float, float]) -> None:
        self._titles = titles
        self._runs = runs
        self._scale = scale

    def y(self, *, title: str | None = None) -> dict[str, Any]:
        places: dict[str, Any] = {
            "y": {
                "field": "Measure",
                "type": "nominal",
                "sort": list(self._titles),
                "axis": {
                    "title": title,
                    "labelLimit": _TITLES_PIXELS,
                    "minExtent": _TITLES_PIXELS,
                    "domain": False,
                    "ticks": False,
                },
            }
        }
        if len(self._runs) > 1:
            places["yOffset"] = {"field": "Run", "type": "nominal", "sort": list(self._runs)}
        return places

    def x(self, field: str) -> dict[str, Any]:
        return {
            "field": field,
            "type": "quantitative",
            "scale": {"domain": list(self._scale), "nice": False, "clamp": True},
            "axis": {"title": "← worse | better →", "labelExpr": _LABEL, "tickCount": 6, "grid": True},
        }


def _rows(run: str, panel: Panel, *, several: bool) -> Iterator[dict[str, Any]]:
    name = f"{run}: " if several else ""
    for line in panel.lines:
        yield {
            "Run": run,
            "Measure": line.title,
            "gain": line.gain,
            "low": line.gain if line.low is None else line.low,
            "high": line.gain if line.high is None else line.high,
            "band_low": -line.margin,
            "band_high": line.margin,
            "Verdict": line.verdict.value,
            "Difference": line.shown,
            "Conversations": line.n,
            "words": f"{name}{line.shown} {line.verdict}",
        }


_DECIDED = (Verdict.BETTER, Verdict.WORSE)


def _tooltip() -> list[dict[str, str]]:
    return [{"field": field} for field in ("Measure", "Run", "Difference", "Verdict", "Conversations")]


def _bands(rows: list[dict[str, Any]], places: _Places) -> dict[str, Any]:
    """The differences that nobody would act on."""
    return {
        "data": {"values": rows},
        "mark": {"type": "bar", "height": 15, "opacity": 0.22, "color": _QUIET, "clip": True},
        "encoding": {**places.y(), "x": places.x("band_low"), "x2": {"field": "band_high"}},
    }


def _zero() -> dict[str, Any]:
    return {
        "data": {"values": [{"zero": 0}]},
        "mark": {"type": "rule", "strokeWidth": 1.5, "color": _QUIET},
        "encoding": {"x": {"field": "zero", "type": "quantitative"}},
    }


def _intervals(rows: list[dict[str, Any]], places: _Places) -> dict[str, Any]:
    return {
        "data": {"values": rows},
        "mark": {"type": "rule", "strokeWidth": 2.5, "strokeCap": "round", "clip": True},
        "encoding": {
            **places.y(),
            "x": places.x("low"),
            "x2": {"field": "high"},
            "color": _by_verdict(_COLOURS),
            "tooltip": _tooltip(),
        },
    }


def _marks(rows: list[dict[str, Any]], places: _Places) -> dict[str, Any]:
    legend = {"title": None, "orient": "top", "symbolSize": 80}
    return {
        "data": {"values": rows},
        "mark": {"type": "point", "filled": True, "size": 95, "opacity": 1},
        "encoding": {
            **places.y(),
            "x": places.x("gain"),
            "color": _by_verdict(_COLOURS, legend),
            "shape": _by_verdict(_SHAPES, legend),
            "tooltip": _tooltip(),
        },
    }


def _words(rows: list[dict[str, Any]], places: _Places) -> dict[str, Any]:
    """The difference beside the end of its interval that points outwards."""
    return {
        "data": {"values": [row for row in rows if row["Verdict"] in _DECIDED]},
        "mark": {"type": "text", "align": "left", "dx": 8, "fontSize": 11},
        "encoding": {
            **places.y(),
            "x": places.x("high"),
            "text": {"field": "words"},
            "color": _by_verdict(_COLOURS),
        },
    }


def _by_verdict(values: Sequence[str], legend: dict[str, Any] | None = None) -> dict[str, Any]:
    scale = {"domain": [verdict.value for verdict in _ORDER], "range": list(values)}
    return {"field": "Verdict", "type": "nominal", "scale": scale, "legend": legend}
