"""Pictures for a report that opens without a network: intervals below each other, and lines over a scale, as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 1000, 300, 130, 14, 34
_LINE = 34
_ROOM = 0.06  # of the width, beside the outermost interval
_HEIGHT = 320
_COLOURS = ("#2a80c2", "#cc6a0c", "#5f9e6e", "#8a6fb5")
_DASHES = ("", "8 5", "3 4", "12 4 3 4")

Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Dot:
    """A figure with its interval; diamonds are pulled toward the whole, hollow circles are small cells."""

    value: float
    low: float
    high: float
    kind: str = "circle"  # circle | hollow | diamond


@dataclass(frozen=True, slots=True)
class DotLine:
    """What stands on one line: its name, its dots below each other, and a few words to the right."""

    name: str
    dots: tuple[Dot, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (x, y, low, high) in the order of x; `steps` holds each value until the next."""

    name: str
    points: tuple[tuple[float, float, float, float], ...]
    steps: bool = False


def intervals(lines: Sequence[DotLine], unit: str, *, none: float | None = None, log: bool = False) -> str:
    """Dots with intervals. `none` draws the line of no difference; `log` for ratios."""
    ends = [end for line in lines for dot in line.dots for end in (dot.low, dot.high, dot.value)]
    ends += [] if none is None else [none]
    told = [math.log(max(end, 1e-6)) for end in ends] if log else ends
    beside = _ROOM * (max(told) - min(told))
    begins, stops = min(told) - beside, max(told) + beside
    room = max(stops - begins, 1e-9)

    def x(value: float) -> float:
        at = math.log(max(value, 1e-6)) if log else value
        return _LEFT + (at - begins) / room * (_WIDTH - _LEFT - _RIGHT)

    height = _TOP + _LINE * len(lines) + _BOTTOM
    marks = _log_marks(begins, stops) if log else _marks(begins, stops)
    parts = [_tick(x(mark), height, f"{mark:g}") for mark in marks]
    if none is not None:
        parts.append(f'<line class="zero" x1="{x(none):.1f}" x2="{x(none):.1f}" y1="{_TOP}" y2="{height - _BOTTOM}"/>')
    parts += [_dot_line(line, _TOP + _LINE * (number + 0.5), x) for number, line in enumerate(lines)]
    parts.append(f'<text class="axis" x="{_LEFT}" y="{height - 4}">{escape(unit)}</text>')
    return _svg(height, parts)


def curves(
    found: Sequence[Curve],
    unit: str,
    marks: Sequence[tuple[float, str]],
    verticals: Sequence[tuple[float, str]] = (),
) -> str:
    """Lines with bands over a scale of x whose `marks` are named; `verticals` are dashed lines with names."""
    points = [point for curve in found for point in curve.points]
    if not points:
        return ""
    left, right = min(point[0] for point in points), max(point[0] for point in points)
    top = max(max(point[3], point[1]) for point in points) or 1.0
    across = max(right - left, 1e-9)

    def x(value: float) -> float:
        return 60 + (value - left) / across * (_WIDTH - 90)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _BOTTOM - 2 * _TOP)

    parts = [_level(y(mark), f"{mark:g}") for mark in _marks(0.0, top)]
    parts += [_tick(x(at), _HEIGHT, name) for at, name in marks if left <= at <= right]
    for number, curve in enumerate(found):
        parts += _curve(curve, _COLOURS[number % 4], _DASHES[number % 4], x, y)
    for at, name in verticals:
        if left <= at <= right:
            parts.append(_vertical(x(at), name))
    parts.append(f'<text class="axis" x="60" y="12">{escape(unit)}</text>')
    return _legend(found) + _svg(_HEIGHT, parts)


def _dot_line(line: DotLine, middle: float, x: Scale) -> str:
    gap = 11.0 if len(line.dots) > 1 else 0.0
    begin = middle - gap * (len(line.dots) - 1) / 2
    drawn = "".join(_dot(dot, begin + gap * number, x, number) for number, dot in enumerate(line.dots))
    words = f'<text x="{_WIDTH - _RIGHT + 8}" y="{middle + 4:.1f}" class="axis">{escape(line.words)}</text>'
    name = line.name if len(line.name) <= 42 else f"{line.name[:41]}…"
    return f'<text x="{_LEFT - 12}" y="{middle + 4:.1f}" text-anchor="end">{escape(name)}</text>{drawn}{words}'


def _dot(dot: Dot, y: float, x: Scale, number: int) -> str:
    colour = _COLOURS[1 if dot.kind == "diamond" else 0]
    dash = ' stroke-dasharray="6 4"' if dot.kind == "diamond" else ""
    rule = (
        f'<line x1="{x(dot.low):.1f}" x2="{x(dot.high):.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" '
        f'stroke-width="2.5"{dash}/>'
    )
    at = x(dot.value)
    if dot.kind == "diamond":
        shape = (
            f'<path d="M{at:.1f} {y - 6:.1f}l6 6-6 6-6-6z" fill="var(--ground)" stroke="{colour}" stroke-width="2"/>'
        )
    else:
        fill = "var(--ground)" if dot.kind == "hollow" else colour
        shape = f'<circle cx="{at:.1f}" cy="{y:.1f}" r="4.6" fill="{fill}" stroke="{colour}" stroke-width="2"/>'
    return rule + shape


def _curve(curve: Curve, colour: str, dash: str, x: Scale, y: Scale) -> list[str]:
    places = _stepped(curve.points) if curve.steps else list(curve.points)
    above = " ".join(f"{x(at):.1f},{y(high):.1f}" for at, _, _, high in places)
    below = " ".join(f"{x(at):.1f},{y(low):.1f}" for at, _, low, _ in reversed(places))
    line = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value, _, _ in places)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return [
        f'<polygon points="{above} {below}" fill="{colour}" opacity="0.15"/>',
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"{dashed}/>',
    ]


def _stepped(points: Sequence[tuple[float, float, float, float]]) -> list[tuple[float, float, float, float]]:
    found = [points[0]]
    for point in points[1:]:
        found += [(point[0], *found[-1][1:]), point]
    return found


def _legend(found: Sequence[Curve]) -> str:
    if len(found) < 2:
        return ""
    items = (
        f'<span><svg width="34" height="10"><line x1="0" x2="34" y1="5" y2="5" stroke="{_COLOURS[number % 4]}" '
        f'stroke-width="2.5" stroke-dasharray="{_DASHES[number % 4]}"/></svg> {escape(curve.name)}</span> '
        for number, curve in enumerate(found)
    )
    return f"<p>{' '.join(items)}</p>"


def _vertical(x: float, name: str) -> str:
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}" stroke="{_COLOURS[1]}" '
        f'stroke-width="2" stroke-dasharray="6 4"/><text x="{x + 6:.1f}" y="{_TOP + 12}">{escape(name)}</text>'
    )


def _tick(x: float, height: int, name: str) -> str:
    return (
        f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{height - _BOTTOM}"/>'
        f'<text class="axis" x="{x:.1f}" y="{height - _BOTTOM + 16}" text-anchor="middle">{escape(name)}</text>'
    )


def _level(y: float, name: str) -> str:
    return (
        f'<line class="tick" x1="60" x2="{_WIDTH - 30}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="axis" x="52" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>'
    )


def _marks(begins: float, stops: float) -> list[float]:
    """About five round numbers."""
    step = max(stops - begins, 1e-9) / 5
    unit = 10.0 ** math.floor(math.log10(step))
    round_ = next(unit * many for many in (1, 2, 5, 10) if unit * many >= step)
    first = math.ceil(begins / round_ - 1e-9)
    return [round(number * round_, 10) for number in range(first, math.floor(stops / round_ + 1e-9) + 1)]


def _log_marks(begins: float, stops: float) -> list[float]:
    known = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
    return [mark for mark in known if begins <= math.log(mark) <= stops]


def _svg(height: int, parts: Sequence[str]) -> str:
    return f'<svg class="forest" viewBox="0 0 {_WIDTH} {height}" role="img">{"".join(parts)}</svg>'
