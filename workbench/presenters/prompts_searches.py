"""Searches for better prompts: their candidates as rows, and what no other candidate beats as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evals.metrics import METRICS
from evals.tuning.search_record import SearchedCandidate, SearchRecord
from evals.tuning.trials import metrics_of_change
from workbench.presenters.figures import cost, moment
from workbench.text import count

SEARCHABLE = ("extraction", "question", "expansion")
# Blue against grey, square against circle: nothing is told by colour alone.
_COLOURS, _SHAPES = ("#2a80c2", "#98a1b0", "#cc6a0c"), ("square", "circle", "diamond")
_KINDS = ("On the front", "Beaten by another", "Where it began")
_SHARES = "datum.value < 0 || datum.value > 1.0001 ? '' : datum.label"  # there is room round them, but no such share
_TITLES = {metric.name: metric.title for metric in METRICS}


def metrics_to_choose(prompt: str) -> dict[str, str]:
    """The measures that a change of this prompt can move and a search can aim at, with their titles."""
    found = metrics_of_change({prompt: "before"}, {prompt: "after"})
    return {metric.name: metric.title for metric in found if metric.unit == "share" and metric.direction == "higher"}


def search_name(record: SearchRecord) -> str:
    aim = " and ".join(_TITLES.get(name, name) for name in record.spec.metrics)
    return f"{record.spec.prompt}, {aim} ({moment(record.date)})"


def outcome(record: SearchRecord) -> dict[str, str]:
    """How a search went, by icon."""
    spent = cost(record.cost_usd) if record.cost_usd is not None else "cost not known"
    held = count(len(record.held_out_conversations), "conversation")
    said = {
        "flag": str(record.ended).capitalize() + (f": {record.reason}" if record.reason else ""),
        "call": f"{count(record.calls, 'call')}, {record.tokens:,} tokens, {spent}",
        "smart_toy": record.spec.reasoning_model,
        "lock": f"{held} of {record.spec.dataset} held out, seed {record.spec.seed}",
        "block": f"{count(len(record.refused), 'proposal')} refused" if record.refused else "",
    }
    return {icon: words for icon, words in said.items() if words}


def candidate_rows(record: SearchRecord, versions: Mapping[str, str]) -> list[dict[str, Any]]:
    """The candidates, best first. `versions` are the names of versions by ref."""
    return [
        {
            "Version": versions.get(own.version, own.version),
            "From": "" if own.parent is None else f"candidate {own.parent}",
            "On the front": own.on_front,
            **{_TITLES.get(name, name): _share(own, name) for name in record.spec.metrics},
            "Note": own.note,
        }
        for own in sorted(record.candidates, key=lambda own: -_mean(own))
    ]


def front_chart(record: SearchRecord, versions: Mapping[str, str]) -> dict[str, Any] | None:
    """Two measures against each other; of one, the candidates in the order in which they came. None without scores."""
    scored = [own for own in record.candidates if own.scores is not None]
    if not scored:
        return None
    first, *others = record.spec.metrics
    second = others[0] if others else None
    values = [_point(own, first, second, versions) for own in scored]
    x = _axis("x", "quantitative", _TITLES.get(first, first), percent=True)
    y = _axis("y", "quantitative", _TITLES.get(second, second) if second else "", percent=True)
    if second is None:
        x, y = (
            _axis("number", "ordinal", "Candidate, in the order in which they came", percent=False),
            {**x, "field": "x"},
        )
    layers = [
        {
            "mark": {"type": "point", "filled": True, "size": 130, "opacity": 1},
            "encoding": {"x": x, "y": y, "color": _scale(_COLOURS), "shape": _scale(_SHAPES), "tooltip": _tooltip()},
        },
        {
            "mark": {"type": "text", "dy": -13, "fontSize": 11, "color": "#8a94a6"},
            "encoding": {"x": x, "y": y, "text": {"field": "Version"}},
        },
    ]
    if second is not None:
        layers.insert(0, _stairs(x, y))
    return {"data": {"values": values}, "height": 320, "layer": layers}


def described(record: SearchRecord) -> str:
    """The picture in words, for those who do not see it."""
    parts = [
        f"candidate {own.number}{' on the front' if own.on_front else ''}: "
        + ", ".join(f"{_TITLES.get(name, name)} {100 * value:.1f} %" for name, value in own.scores.items())
        for own in record.candidates
        if own.scores
    ]
    return "; ".join(parts)


def _point(own: SearchedCandidate, first: str, second: str | None, versions: Mapping[str, str]) -> dict[str, Any]:
    scores = own.scores or {}
    kind = _KINDS[2] if own.number == 0 else _KINDS[0] if own.on_front else _KINDS[1]
    return {
        "number": own.number,
        "x": scores.get(first),
        "y": scores.get(second) if second else None,
        "front": own.on_front,
        "Kind": kind,
        "Version": versions.get(own.version, own.version),
        "Scores": ", ".join(f"{_TITLES.get(name, name)} {100 * value:.1f} %" for name, value in scores.items()),
    }


def _stairs(x: Mapping[str, Any], y: Mapping[str, Any]) -> dict[str, Any]:
    """The line through what no other beats."""
    return {
        "transform": [{"filter": "datum.front"}],
        "mark": {
            "type": "line",
            "interpolate": "step-before",
            "strokeDash": [4, 3],
            "color": _COLOURS[0],
            "opacity": 0.6,
        },
        "encoding": {"x": x, "y": y, "order": {"field": "x", "type": "quantitative"}},
    }


def _axis(field: str, kind: str, title: str, *, percent: bool) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": title}
    scale: dict[str, Any] = {}
    if percent:
        axis |= {
            "format": ".0%",
            "tickCount": 6,
            "labelExpr": _SHARES,
            "title": f"{title} (better →)" if field == "x" else f"{title} (better ↑)",
        }
        scale = {"zero": False, "padding": 24}
    return {"field": field, "type": kind, "axis": axis, **({"scale": scale} if scale else {})}


def _scale(values: Sequence[str]) -> dict[str, Any]:
    legend = {"title": None, "orient": "top", "symbolSize": 90}
    return {
        "field": "Kind",
        "type": "nominal",
        "scale": {"domain": list(_KINDS), "range": list(values)},
        "legend": legend,
    }


def _tooltip() -> list[dict[str, str]]:
    return [{"field": field} for field in ("Version", "Scores", "Kind")]


def _share(own: SearchedCandidate, name: str) -> float | None:
    return None if own.scores is None or name not in own.scores else 100 * own.scores[name]


def _mean(own: SearchedCandidate) -> float:
    return sum(own.scores.values()) / len(own.scores) if own.scores else -1.0
