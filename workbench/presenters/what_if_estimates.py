"""What asking otherwise would have done: in a sentence, as a chart of intervals, and as figures with their meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evals.learning.off_policy import Estimates
from evals.records import Estimate
from workbench.presenters.calibration_table import Heading, Line, table
from workbench.presenters.figures import UNKNOWN
from workbench.presenters.words import Word

HEADLINE, LOGGED = "it would have been", "as it was asked"
# Names are those of `qbs outcomes what-if`.
FIGURES: Mapping[str, Word] = {
    "doubly_robust": Word(
        HEADLINE,
        "Doubly robust: what a model expects under the policy, corrected by what came where it asked the same. Right "
        "if either the probabilities or the model are. Its interval includes the worst case for what could not be "
        "asked.",
    ),
    "self_normalised": Word(
        "self-normalised weights",
        "SNIPS: the replies, weighted by how much more likely the policy asks so than the log did, over the sum of the "
        "weights. No model; steadier than plain weights, a little biased.",
    ),
    "inverse_propensity": Word(
        "plain weights",
        "IPS: the mean of weight × reply. No model and right on average, but it varies the most.",
    ),
    "logged": Word(LOGGED, "The reply rate of the same outcomes as they are."),
}
DIFFERENCE = Word("difference", "It would have been, less as it was asked: of the same outcomes, so it varies less.")

_COLOURS = ("#2a80c2", "#7c8696", "#7c8696", "#cc6a0c")
_SHAPES = ("diamond", "circle", "circle", "square")
_STEP = 44


def headline(found: Estimates) -> str:
    """`49.3 % would have answered, where 48.6 % did: 0.7 points more (-1.0 to 2.3), which may be luck.`"""
    own, logged, difference = found.doubly_robust, found.logged, found.difference
    if own.value is None or logged.value is None or difference.value is None:
        return "There is no figure."
    more = "more" if difference.value >= 0 else "fewer"
    points = f"{100 * abs(difference.value):.1f} points {more}"
    head = f"{_share(own.value)} would have answered, where {_share(logged.value)} did: {points}"
    if difference.low is None or difference.high is None:
        return f"{head}."
    between = f"({100 * difference.low:+.1f} to {100 * difference.high:+.1f})"
    luck = "which may be luck" if difference.low <= 0 <= difference.high else "beyond luck"
    return f"{head} {between}, {luck}."


def figures_table(found: Estimates) -> str:
    """Every estimate and the difference, with intervals."""
    headings = [
        Heading("", words=True),
        Heading("Reply rate", "Of these turns. Hover over a line for how it is told."),
        Heading("95 % interval", "All outcomes of a conversation are taken together."),
    ]
    kinds = {"doubly_robust": "strong", "logged": ""}
    lines = [_line(word, getattr(found, name), kinds.get(name, "quiet")) for name, word in FIGURES.items()]
    difference = found.difference
    lines.insert(1, _line(DIFFERENCE, difference, "part", points=True))
    return table(headings, lines)


def chart(found: Estimates) -> dict[str, Any]:
    """Each estimate with its interval, and a line where the logged rate is."""
    rows = [
        {
            "Figure": word.name,
            "rate": own.value,
            "low": own.value if own.low is None else own.low,
            "high": own.value if own.high is None else own.high,
            "shown": shown(own),
        }
        for name, word in FIGURES.items()
        if (own := getattr(found, name)).value is not None
    ]
    names = [word.name for word in FIGURES.values()]
    y = {"field": "Figure", "type": "nominal", "sort": names, "axis": _names_axis()}
    x = {
        "type": "quantitative",
        "scale": {"zero": False, "nice": True},
        "axis": {"format": ".1~%", "title": "Reply rate", "tickCount": 6},
    }
    tooltip = [{"field": "Figure"}, {"field": "shown", "title": "Reply rate"}]
    return {
        "height": {"step": _STEP},
        "layer": [
            {
                "data": {"values": [{"rate": found.logged.value}]},
                "mark": {"type": "rule", "strokeDash": [4, 4], "color": "#8a94a6"},
                "encoding": {"x": {**x, "field": "rate"}},
            },
            {
                "data": {"values": rows},
                "mark": {"type": "rule", "strokeWidth": 2.5, "strokeCap": "round"},
                "encoding": {
                    "y": y,
                    "x": {**x, "field": "low"},
                    "x2": {"field": "high"},
                    "color": _by_figure(names, _COLOURS),
                    "tooltip": tooltip,
                },
            },
            {
                "data": {"values": rows},
                "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
                "encoding": {
                    "y": y,
                    "x": {**x, "field": "rate"},
                    "color": _by_figure(names, _COLOURS),
                    "shape": _by_figure(names, _SHAPES),
                    "tooltip": tooltip,
                },
            },
        ],
        "config": {"view": {"stroke": None}},
    }


def described(found: Estimates) -> str:
    """The chart in words, for those who do not see it."""
    return " ".join(f"{word.name}: {shown(getattr(found, name))}." for name, word in FIGURES.items())


def shown(own: Estimate) -> str:
    """`49.3 % (47.3 to 51.2 %)`."""
    if own.value is None:
        return UNKNOWN
    around = "" if own.low is None or own.high is None else f" ({100 * own.low:.1f} to {100 * own.high:.1f} %)"
    return f"{_share(own.value)}{around}"


def _line(word: Word, own: Estimate, kind: str, *, points: bool = False) -> Line:
    if own.value is None:
        return Line([word.name, UNKNOWN, ""], word.meaning, kind)
    value = f"{100 * own.value:+.1f} points" if points else _share(own.value)
    sign = "+" if points else ""
    between = "" if own.low is None or own.high is None else f"{100 * own.low:{sign}.1f} to {100 * own.high:{sign}.1f}"
    unit = "" if points or not between else " %"
    return Line([word.name, value, between + unit], word.meaning, kind)


def _names_axis() -> dict[str, Any]:
    return {"title": None, "labelLimit": 220, "domain": False, "ticks": False}


def _by_figure(names: list[str], values: tuple[str, ...]) -> dict[str, Any]:
    return {"field": "Figure", "type": "nominal", "scale": {"domain": names, "range": list(values)}, "legend": None}


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"
