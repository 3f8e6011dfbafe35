"""The pain ladder: how deep the pain has been explored, turn by turn, as a Vega-Lite chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine import memory
from engine.model.conversation import Conversation
from engine.model.qbs import PainDepthLevel
from workbench.presenters.sides import Side
from workbench.presenters.words import DEPTHS

HEIGHT = 290
_LANE = -0.75  # where the back-offs are, below the ladder
_APART = 0.05  # how far lines that would cover each other are set apart, in steps of the ladder
_DASHES = ([1, 0], [6, 3])
_NOW = "#8b93a3"  # seen on white and on black
_SHAPES = ("circle", "diamond")


def ladder(conversation: Conversation, sides: Sequence[Side], turn: int) -> dict[str, Any]:
    """The spec. Customer messages are counted from 1; lines differ by dash and point as well as by colour."""
    numbers = {item.index: number for number, item in enumerate(conversation.customer_turns, start=1)}
    names = [side.name for side in sides]
    return {
        "height": HEIGHT,
        "layer": [
            _backing_off([row for lane, side in enumerate(sides) for row in _spans(side, lane, numbers)], names),
            _current(numbers[turn]),
            *_lines(
                [row for lane, side in enumerate(sides) for row in _steps(side, lane, numbers)], names, len(numbers)
            ),
        ],
        "resolve": {"legend": {"color": "independent", "shape": "independent"}},
        "config": {"view": {"stroke": None}},
    }


def described(sides: Sequence[Side], turn: int) -> str:
    """The chart in words, for those who do not see it."""
    return " ".join(_described(side, turn) for side in sides)


def _described(side: Side, turn: int) -> str:
    after = side.after(turn)
    if after is None:
        return f"{side.name}: not analysed."
    pain = memory.pain(after)
    backing_off = ", backing off" if pain.backing_off else ""
    return f"{side.name}: {DEPTHS[pain.depth].name.lower()}{backing_off} after this message."


def _steps(side: Side, lane: int, numbers: dict[int, int]) -> Iterator[dict[str, Any]]:
    for index, record in sorted(side.records.items()):
        pain = memory.pain(record.after)
        yield {
            "message": numbers[index],
            "depth": pain.depth.rank + (lane - 0.5) * 2 * _APART,
            "Pain": DEPTHS[pain.depth].name,
            "Probing": "backing off" if pain.backing_off else "may go on",
            "Run": side.name,
        }


def _spans(side: Side, lane: int, numbers: dict[int, int]) -> Iterator[dict[str, Any]]:
    """One row per unbroken stretch of messages after which the side backed off."""
    begun: int | None = None
    last = 0
    for index, record in sorted(side.records.items()):
        if memory.pain(record.after).backing_off:
            begun = numbers[index] if begun is None else begun
        elif begun is not None:
            yield _span(side, lane, begun, last)
            begun = None
        last = numbers[index]
    if begun is not None:
        yield _span(side, lane, begun, last)


def _span(side: Side, lane: int, first: int, last: int) -> dict[str, Any]:
    edges = {"from": first - 0.3, "to": last + 0.3, "lane": _LANE - 4 * _APART * lane}
    return {**edges, "Run": side.name, "Probing": "backing off"}


def _backing_off(rows: list[dict[str, Any]], names: list[str]) -> dict[str, Any]:
    """A lane below the ladder, one bar per stretch."""
    return {
        "data": {"values": rows},
        "mark": {"type": "rule", "strokeWidth": 6, "strokeCap": "round", "opacity": 0.8},
        "encoding": {
            "x": {"field": "from", "type": "quantitative"},
            "x2": {"field": "to"},
            "y": _depths("lane"),
            "color": _by_run(names),
            "tooltip": [{"field": "Run"}, {"field": "Probing"}],
        },
    }


def _current(number: int) -> dict[str, Any]:
    return {
        "data": {"values": [{"message": number}]},
        "mark": {"type": "rule", "strokeDash": [2, 3], "strokeWidth": 1.5, "color": _NOW},
        "encoding": {"x": {"field": "message", "type": "quantitative"}},
    }


def _lines(rows: list[dict[str, Any]], names: list[str], last: int) -> list[dict[str, Any]]:
    places = {
        "x": _messages(last),
        "y": _depths("depth"),
        "tooltip": [{"field": field} for field in ("Run", "Pain", "Probing")],
    }
    legend = {"title": None, "orient": "top"}
    return [
        {
            "data": {"values": rows},
            "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
            "encoding": {**places, "color": _by_run(names), "strokeDash": _by_run(names, _DASHES)},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
            "encoding": {**places, "color": _by_run(names, None, legend), "shape": _by_run(names, _SHAPES, legend)},
        },
    ]


def _messages(last: int) -> dict[str, Any]:
    return {
        "field": "message",
        "type": "quantitative",
        "scale": {"domain": [0.5, last + 0.5], "nice": False},
        "axis": {"title": "Customer message", "values": list(range(1, last + 1)), "format": "d", "grid": False},
    }


def _depths(field: str) -> dict[str, Any]:
    names = ", ".join(f"'{DEPTHS[level].name}'" for level in PainDepthLevel)
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [-1.15, 3.3], "nice": False},
        "axis": {
            "title": None,
            "values": [_LANE - 2 * _APART, *(level.rank for level in PainDepthLevel)],
            "labelExpr": f"datum.value < 0 ? 'Backing off' : [{names}][datum.value]",
            "labelOverlap": False,
            "ticks": False,
        },
    }


def _by_run(
    names: list[str], values: Sequence[Any] | None = None, legend: dict[str, Any] | None = None
) -> dict[str, Any]:
    scale = {"domain": names} if values is None else {"domain": names, "range": list(values[: len(names)])}
    return {"field": "Run", "type": "nominal", "scale": scale, "legend": legend}
