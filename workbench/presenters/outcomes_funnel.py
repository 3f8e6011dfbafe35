"""The funnel from recommended to stage advanced: how many came so far, how many did not, and of whom nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evals.learning.funnel import FunnelStep
from workbench.presenters.outcomes_rates import BLUE, ORANGE, Spec
from workbench.presenters.outcomes_words import percent

REACHED, STOPPED, UNKNOWN = "Came so far", "Did not", "Not known"
_COLOURS = (BLUE, ORANGE, "#b4bbc7")
_STEP = 58  # pixels a step
_ROOM = 0.055  # of the widest bar, below which a count does not fit inside


def table(steps: Sequence[FunnelStep]) -> list[dict[str, Any]]:
    """What the page shows, a dictionary a step."""
    return [
        {
            "Step": step.name.capitalize(),
            REACHED: step.reached,
            STOPPED: step.stopped,
            UNKNOWN: step.unknown,
            "Share of those known": "" if step is steps[0] else percent(step.share),
        }
        for step in steps
    ]


def chart(steps: Sequence[FunnelStep], title: str) -> Spec:
    """A bar a step, in three parts with their counts; what is unknown stands apart at the end."""
    widest = max((step.reached + step.stopped + step.unknown for step in steps), default=0)
    values = [value for step in steps for value in _parts(step, widest)]
    place = {
        "y": {
            "field": "Step",
            "type": "nominal",
            "sort": [step.name.capitalize() for step in steps],
            "axis": {"title": None, "domain": False, "ticks": False, "labelLimit": 160},
        },
    }
    x = {"field": "begins", "type": "quantitative", "axis": {"title": "Outcomes", "tickCount": 6}}
    kinds = {"domain": [REACHED, STOPPED, UNKNOWN], "range": list(_COLOURS)}
    tooltip = [{"field": name} for name in ("Step", "Part", "Outcomes")]
    return {
        "title": title,
        "height": {"step": _STEP, "for": "position"},
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "bar", "height": {"band": 0.62}},
                "encoding": {
                    **place,
                    "x": x,
                    "x2": {"field": "ends"},
                    "color": {
                        "field": "Part",
                        "type": "nominal",
                        "scale": kinds,
                        "legend": {"title": None, "orient": "top"},
                    },
                    "tooltip": tooltip,
                },
            },
            _counts(place, x, tooltip),
        ],
        "config": {"view": {"stroke": None}},
    }


def _counts(place: Spec, x: Spec, tooltip: list[dict[str, str]]) -> Spec:
    """The numbers in the bars that have room for them."""
    return {
        "transform": [{"filter": "datum.label !== ''"}],
        "mark": {"type": "text", "fontSize": 12, "fontWeight": 600},
        "encoding": {
            **place,
            "x": {**x, "field": "middle"},
            "text": {"field": "label"},
            "color": {
                "condition": {"test": f"datum.Part === '{UNKNOWN}'", "value": "#1b1f27"},
                "value": "#ffffff",
            },
            "tooltip": tooltip,
        },
    }


def described(steps: Sequence[FunnelStep]) -> str:
    """The chart in words, for those who do not see it."""
    return " ".join(
        f"{step.name.capitalize()}: {step.reached:,}, did not: {step.stopped:,}, not known: {step.unknown:,}."
        for step in steps
    )


def _parts(step: FunnelStep, widest: int) -> list[dict[str, Any]]:
    values, begins = [], 0
    for part, number in ((REACHED, step.reached), (STOPPED, step.stopped), (UNKNOWN, step.unknown)):
        if number:
            values.append(
                {
                    "Step": step.name.capitalize(),
                    "Part": part,
                    "Outcomes": number,
                    "begins": begins,
                    "ends": begins + number,
                    "middle": begins + number / 2,
                    "label": f"{number:,}" if number >= _ROOM * widest else "",
                }
            )
        begins += number
    return values
