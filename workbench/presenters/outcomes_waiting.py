"""How long replies take: the share that has come after so many hours with its band, and who is still waited for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evals.learning.facts import Waits
from evals.learning.survival import TimeToReply
from workbench.presenters.outcomes_rates import Spec
from workbench.presenters.outcomes_words import Watched, percent
from workbench.text import duration

MOST_LINES = 4
_MOST_POINTS = 240  # of a line: more are less than a pixel apart
_HEIGHT = 380
_COLOURS = ("#2a80c2", "#cc6a0c", "#5f9e6e", "#8a6fb5")
_DASHES = ([1, 0], [7, 4], [2, 3], [10, 3, 2, 3])
_HOUR_S = 3_600


@dataclass(frozen=True, slots=True, eq=False)
class WaitingLine:
    """One group of outcomes: its estimate, and the waits behind it."""

    name: str
    found: TimeToReply
    waits: Waits

    def waiting(self, seconds: float) -> int:
        """How many were still waited for just before `seconds`."""
        later = self.waits.seconds >= seconds
        return int((self.waits.answered[later] + self.waits.ended[later]).sum())


def chart(lines: Sequence[WaitingLine], watched: Watched, title: str) -> Spec:
    """A step line with its band for each group; lines differ by colour and by dash."""
    values = [value for line in lines for value in points(line)]
    names = [line.name for line in lines]
    last = max((line.found.followed_s for line in lines), default=0) / _HOUR_S
    x = {
        "field": "hours",
        "type": "quantitative",
        "scale": {"domain": [0, last], "nice": False},
        "axis": {"title": "Hours since it was recommended", "tickCount": 8, "grid": False},
    }
    y = {"type": "quantitative", "axis": {"title": f"Share that has {watched.done}, %", "tickCount": 6}}
    legend = {"title": None, "orient": "top", "symbolType": "stroke", "symbolSize": 400, "symbolStrokeWidth": 2.5}
    return {
        "title": title,
        "height": _HEIGHT,
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "area", "interpolate": "step-after", "opacity": 0.16},
                "encoding": {
                    "x": x,
                    "y": {**y, "field": "low"},
                    "y2": {"field": "high"},
                    "color": _by_name(names, _COLOURS, None),
                },
            },
            {
                "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2.5},
                "encoding": {
                    "x": x,
                    "y": {**y, "field": "share"},
                    "color": _by_name(names, _COLOURS, legend if len(names) > 1 else None),
                    "strokeDash": _by_name(names, _DASHES, legend if len(names) > 1 else None),
                    "tooltip": [{"field": name} for name in ("Group", "After", "Share", "Interval")],
                },
            },
        ],
        "resolve": {"legend": {"color": "independent", "strokeDash": "independent"}},
        "config": {"view": {"stroke": None}},
    }


def at_risk(lines: Sequence[WaitingLine], watched: Watched) -> list[dict[str, Any]]:
    """The numbers at risk: how many were still waited for at each of some hours."""
    return [
        {
            "Group": line.name,
            **{_after(hours): line.waiting(hours * _HOUR_S) for hours in watched.hours},
        }
        for line in lines
    ]


def table(lines: Sequence[WaitingLine], watched: Watched) -> list[dict[str, Any]]:
    """What the page shows, a dictionary a group."""
    return [
        {
            "Group": line.name,
            "Questions": line.found.n,
            watched.done.capitalize(): line.found.answered,
            "Censored": line.found.n - line.found.answered,
            **{f"By {_after(hours)}": percent(line.found.by(hours * _HOUR_S)) for hours in watched.hours[1:]},
            "A quarter within": _within(line.found.quantile(0.25)),
            "Half within": _within(line.found.quantile(0.5)),
        }
        for line in lines
    ]


def exported(lines: Sequence[WaitingLine]) -> list[dict[str, Any]]:
    """Every point of every curve."""
    return [
        {
            "group": line.name,
            "seconds": seconds,
            "share": share,
            "low": None if np.isnan(low) else low,
            "high": None if np.isnan(high) else high,
            "at_risk": waiting,
        }
        for line in lines
        for seconds, share, low, high, waiting in zip(
            line.found.seconds.tolist(),
            line.found.replied.tolist(),
            line.found.low.tolist(),
            line.found.high.tolist(),
            line.found.at_risk.tolist(),
            strict=True,
        )
    ]


def described(lines: Sequence[WaitingLine], watched: Watched) -> str:
    """The chart in words, for those who do not see it."""
    last = watched.hours[-1]
    return " ".join(
        f"{line.name}: {percent(line.found.by(last * _HOUR_S))} have {watched.done} after {_after(last)}, of "
        f"{line.found.n:,} questions, {line.found.n - line.found.answered:,} censored."
        for line in lines
    )


def points(line: WaitingLine) -> list[dict[str, Any]]:
    """The curve from nothing on, thinned to what can be seen, up to where anything is known."""
    found = line.found
    chosen = np.unique(np.linspace(0, max(len(found.seconds) - 1, 0), _MOST_POINTS).astype(int))
    values = [_point(line.name, 0.0, 0.0, 0.0, 0.0)]
    for place in chosen.tolist() if len(found.seconds) else ():
        low, high = float(found.low[place]), float(found.high[place])
        share = float(found.replied[place])
        values.append(_point(line.name, found.seconds[place] / _HOUR_S, share, low, high))
    return [*values, {**values[-1], "hours": found.followed_s / _HOUR_S}]


def _point(name: str, hours: float, share: float, low: float, high: float) -> dict[str, Any]:
    known = not (np.isnan(low) or np.isnan(high))
    return {
        "Group": name,
        "hours": round(hours, 4),
        "share": round(100 * share, 3),
        "low": round(100 * low, 3) if known else None,
        "high": round(100 * high, 3) if known else None,
        "After": duration(hours * _HOUR_S),
        "Share": percent(share),
        "Interval": f"{100 * low:.1f} to {100 * high:.1f} %" if known else "",
    }


def _by_name(names: Sequence[str], values: Sequence[Any], legend: dict[str, Any] | None) -> dict[str, Any]:
    scale = {"domain": list(names), "range": list(values[: len(names)])}
    return {"field": "Group", "type": "nominal", "scale": scale, "legend": legend}


def _after(hours: int) -> str:
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"


def _within(seconds: int | None) -> str:
    return "not reached" if seconds is None else duration(seconds)
