"""Which choices go with a reply, as a forest of odds ratios or of differences in points, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from evals.learning.association import Association, Effect
from workbench.presenters.outcomes_rates import BLUE, QUIET, Spec
from workbench.presenters.outcomes_words import SPLITS, by_title, shown
from workbench.text import count

Scale = Literal["odds", "points"]
SCALES: dict[Scale, str] = {"odds": "Odds ratio", "points": "Difference in points"}
_STEP = 26  # pixels a line
_MINUS = "\N{MINUS SIGN}"
_ROOM = 1.06  # beside the outermost interval
_RATIOS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.5, 2, 3, 5, 10, 20, 50)
_WIDEST = 64.0  # odds ratios beyond this, either way, are cut off


def rests_on(found: Association) -> str:
    """`9,730 resolved outcomes of 2,918 conversations, accounting for persona and stage.`"""
    left_out = ", ".join(f"{SPLITS[name].title.lower()} {shown(name, level)}" for name, level in found.left_out)
    rare = f" Left out, since fewer than 10 outcomes have it: {left_out}." if left_out else ""
    return (
        f"{count(found.n, 'resolved outcome')} of {count(found.conversations, 'conversation')}, accounting for "
        f"{by_title(found.adjusted_for)}. 95 % intervals, by conversation.{rare}"
    )


def table(found: Association) -> list[dict[str, Any]]:
    """What the page shows, a dictionary an effect."""
    return [
        {
            "Choice": SPLITS[effect.dimension].title,
            "This": shown(effect.dimension, effect.level),
            "Against": shown(effect.dimension, effect.reference),
            "n": effect.n,
            "Odds ratio": f"{effect.odds_ratio:.2f}",
            "95 %": f"{effect.odds_low:.2f} to {effect.odds_high:.2f}",
            "Difference": _points(effect.difference),
            "95 % ": f"{_points(effect.difference_low)} to {_points(effect.difference_high)}",
            "Apart": "○" if _crosses(effect) else "●",
        }
        for effect in found.effects
    ]


def chart(found: Association, scale: Scale, title: str) -> Spec:
    """Each level against the most frequent one; filled where the interval leaves out no difference."""
    values = lines(found, scale)
    place = {
        "y": {
            "field": "Line",
            "type": "nominal",
            "sort": [value["Line"] for value in values],
            "axis": {"title": None, "labelLimit": 330, "domain": False, "ticks": False},
        }
    }
    axis: dict[str, Any] = {"title": f"{SCALES[scale]}: ← fewer replies | more replies →", "grid": True}
    how: dict[str, Any] = {"zero": False}
    if scale == "odds":
        low, high = min(value["low"] for value in values) / _ROOM, max(value["high"] for value in values) * _ROOM
        how = {"type": "log", "domain": [low, high], "nice": False, "clamp": True}
        axis |= {"format": "~g", "values": [mark for mark in _RATIOS if low <= mark <= high]}
    x = {"type": "quantitative", "scale": how, "axis": axis}
    tooltip = [{"field": name} for name in ("Line", "Effect", "95 %", "n")]
    return {
        "title": title,
        "height": {"step": _STEP, "for": "position"},
        "data": {"values": values},
        "layer": [
            {
                "data": {"values": [{"none": 1 if scale == "odds" else 0}]},
                "mark": {"type": "rule", "strokeWidth": 1.5, "color": QUIET},
                "encoding": {"x": {**x, "field": "none"}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 2.5, "strokeCap": "round", "color": BLUE},
                "encoding": {**place, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "tooltip": tooltip},
            },
            {
                "mark": {"type": "point", "size": 90, "opacity": 1, "color": BLUE, "strokeWidth": 2},
                "encoding": {
                    **place,
                    "x": {**x, "field": "value"},
                    "fill": {"condition": {"test": "datum.apart", "value": BLUE}, "value": "#ffffff"},
                    "tooltip": tooltip,
                },
            },
        ],
        "config": {"view": {"stroke": None}},
    }


def lines(found: Association, scale: Scale) -> list[dict[str, Any]]:
    """What is drawn, a line an effect: `apart` says that the interval leaves out no difference."""
    return [_line(effect, scale) for effect in found.effects]


def described(found: Association) -> str:
    """The chart in words, for those who do not see it."""
    return " ".join(
        f"{_name(effect)}: odds ratio {effect.odds_ratio:.2f} ({effect.odds_low:.2f} to {effect.odds_high:.2f})."
        for effect in found.effects
    )


def _line(effect: Effect, scale: Scale) -> dict[str, Any]:
    odds = scale == "odds"
    value, low, high = (
        (effect.odds_ratio, effect.odds_low, effect.odds_high)
        if odds
        else (100 * effect.difference, 100 * effect.difference_low, 100 * effect.difference_high)
    )
    if odds:
        value, low, high = (min(max(each, 1 / _WIDEST), _WIDEST) for each in (value, low, high))
    around = (
        f"{effect.odds_low:.2f} to {effect.odds_high:.2f}"
        if odds
        else f"{_points(effect.difference_low)} to {_points(effect.difference_high)}"
    )
    return {
        "Line": _name(effect),
        "value": value,
        "low": low,
        "high": high,
        "apart": not _crosses(effect),
        "Effect": f"{effect.odds_ratio:.2f}" if odds else _points(effect.difference),
        "95 %": around,
        "n": effect.n,
    }


def _name(effect: Effect) -> str:
    level, reference = (shown(effect.dimension, word) for word in (effect.level, effect.reference))
    return f"{SPLITS[effect.dimension].title}: {level} vs {reference}"


def _crosses(effect: Effect) -> bool:
    return effect.odds_low <= 1 <= effect.odds_high


def _points(share: float) -> str:
    sign = _MINUS if share < 0 else "+"
    return f"{sign}{100 * abs(share):.1f} pts"


def exported(found: Association) -> Sequence[dict[str, Any]]:
    """Every effect with all that is known of it."""
    names = Effect.__slots__
    return [{name: getattr(effect, name) for name in names} for effect in found.effects]
