"""What a live engine would report: each confidence, and the probability that a calibration makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.calibration import Calibration, calibrated
from workbench.presenters.calibration_diagram import QUIET
from workbench.presenters.calibration_words import cell_name
from workbench.presenters.figures import percent

_STEPS = 50
_MOST = 6  # curves that can be told apart
_EXAMPLES = (0.2, 0.5, 0.8)
_COLOURS = ("#2a80c2", "#cc6a0c", "#12876f", "#8a4fbf", "#b3372f", "#7c8696")
_DASHES = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [12, 4], [4, 4])
_HEIGHT = 300


def corrected_cells(calibration: Calibration, counts: Mapping[str, int]) -> tuple[str, ...]:
    """The cells that have a map of their own, those with the most outcomes first, as many as can be told apart."""
    ordered = sorted(calibration.cells, key=lambda cell: (-counts.get(cell, 0), cell))
    return tuple(ordered[:_MOST])


def curve(calibration: Calibration, cells: Sequence[str]) -> dict[str, Any]:
    """A line for each of these cells, beside the dashed one that changes nothing."""
    rows = [
        {"Cell": cell_name(cell), "said": step / _STEPS, "reported": reported(calibration, cell, step / _STEPS)}
        for cell in cells
        for step in range(_STEPS + 1)
    ]
    names = [cell_name(cell) for cell in cells]
    legend = {"title": None, "orient": "top", "symbolStrokeWidth": 3}
    return {
        "height": _HEIGHT,
        "layer": [
            {
                "data": {"values": [{"said": 0, "reported": 0}, {"said": 1, "reported": 1}]},
                "mark": {"type": "line", "strokeDash": [5, 4], "color": QUIET, "strokeWidth": 1.5},
                "encoding": {"x": _axis("said", "Said by the engine"), "y": _axis("reported", "Reported")},
            },
            {
                "data": {"values": rows},
                "mark": {"type": "line", "strokeWidth": 2.5},
                "encoding": {
                    "x": _axis("said", "Said by the engine"),
                    "y": _axis("reported", "Reported"),
                    "color": _by_cell(names, _COLOURS, legend),
                    "strokeDash": _by_cell(names, _DASHES, legend),
                    "tooltip": [
                        {"field": "Cell"},
                        {"field": "said", "title": "Said", "format": ".0%"},
                        {"field": "reported", "title": "Reported", "format": ".1%"},
                    ],
                },
            },
        ],
        "config": {"view": {"stroke": None}},
    }


def examples(calibration: Calibration, cell: str) -> str:
    """`20 % becomes 22 %, 50 % becomes 41 %, 80 % becomes 63 %`."""
    told = [f"{percent(said)} becomes {percent(reported(calibration, cell, said))}" for said in _EXAMPLES]
    return ", ".join(told)


def described(calibration: Calibration, cells: Sequence[str]) -> str:
    """The curves in words, for those who do not see them."""
    return " ".join(f"{cell_name(cell)}: {examples(calibration, cell)}." for cell in cells)


def reported(calibration: Calibration, cell: str, confidence: float) -> float:
    """What is reported in a cell that has a map, or lies in one that has."""
    parts = cell.split("/")
    chain = ["/".join(parts[:1]), "/".join(parts[:2]), cell] if len(parts) > 1 else [cell]
    found = calibrated(calibration, dict.fromkeys(chain), confidence)
    return confidence if found is None else found


def _axis(field: str, title: str) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [0, 1], "nice": False},
        "axis": {"format": ".0%", "title": title, "tickCount": 6, "grid": True},
    }


def _by_cell(names: Sequence[str], values: Sequence[Any], legend: Mapping[str, Any]) -> dict[str, Any]:
    scale = {"domain": list(names), "range": list(values[: len(names)])}
    return {"field": "Cell", "type": "nominal", "scale": scale, "legend": legend}
