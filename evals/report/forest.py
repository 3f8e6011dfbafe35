"""The forest plot: every difference with its interval on one scale, better to the right, whatever the direction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from evals.compare import Row
from evals.inference.verdict import Verdict
from evals.report import figures
from evals.report.verdicts import SHAPES, is_measured

_OF_SCALE = frozenset({"share", "score"})
_WIDEST = 200.0  # percent, beyond which an interval is cut off
_LEAST = 5.0  # on either side of zero, so that a plot of nothing but ties has a scale


@dataclass(frozen=True, slots=True)
class Line:
    """One difference counted upwards for better, in the unit of its panel; `low` and `high` are None where unknown."""

    title: str
    gain: float
    low: float | None
    high: float | None
    margin: float
    verdict: Verdict
    shown: str  # the difference in the metric's own unit and direction
    n: int


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines that share a scale."""

    title: str
    lines: tuple[Line, ...]

    @property
    def scale(self) -> tuple[float, float]:
        """Where the axis begins and ends: room for every interval and the bands, with zero inside."""
        return -self._reach(-1.0), self._reach(1.0)

    def _reach(self, side: float) -> float:
        ends = (side * end for line in self.lines for end in (line.gain, line.low, line.high) if end is not None)
        bands = (line.margin for line in self.lines)
        return min(_WIDEST, max(_LEAST, 1.1 * max((*ends, *bands), default=0.0)))


def panels(rows: Iterable[Row]) -> tuple[Panel, ...]:
    """Shares and scores in points, everything else in percent of the first run; what does not differ is left out."""
    rows = [row for row in rows if row.gain is not None and row.turns_differing and is_measured(row)]
    points = [row for row in rows if row.metric.unit in _OF_SCALE]
    relative = [row for row in rows if row.metric.unit not in _OF_SCALE and row.first.value]
    found = (
        Panel("Shares and scores: difference in points (hundredths of the scale)", tuple(map(_in_points, points))),
        Panel("Counts, time and money: difference in percent of the first run", tuple(map(_relative, relative))),
    )
    return tuple(panel for panel in found if panel.lines)


def not_drawn(rows: Iterable[Row]) -> tuple[str, ...]:
    """Why measures are not in a panel, in sentences: they do not differ at all, or are percent of nothing."""
    rows = [row for row in rows if row.gain is not None and is_measured(row)]
    same = [row.metric.title for row in rows if not row.turns_differing]
    of_nothing = [
        row.metric.title
        for row in rows
        if row.turns_differing and row.metric.unit not in _OF_SCALE and not row.first.value
    ]
    said = (
        ("Counted alike on every turn", same),
        ("Not drawn, since the first run has none of it", of_nothing),
    )
    return tuple(f"{reason}: {', '.join(titles)}." for reason, titles in said if titles)


def _in_points(row: Row) -> Line:
    return _line(row, 100.0)


def _relative(row: Row) -> Line:
    return _line(row, 100.0 / abs(row.first.value or 1.0))


def _line(row: Row, scale: float) -> Line:
    unit = row.metric.unit
    ends = [row.difference.low, row.difference.high]
    gains = sorted(scale * row.metric.gain(end) for end in ends if end is not None)
    low, high = (gains[0], gains[-1]) if len(gains) > 1 else (None, None)
    return Line(
        title=row.metric.title,
        gain=scale * (row.gain or 0.0),
        low=low,
        high=high,
        margin=scale * row.margin,
        verdict=row.verdict,
        shown=figures.difference(row.difference.value, unit),
        n=row.difference.n,
    )


_WIDTH, _LEFT, _RIGHT = 900.0, 300.0, 240.0  # of the drawing, its titles, and its words
_STEP, _TOP, _BOTTOM = 26.0, 14.0, 44.0


def svg(panel: Panel) -> str:
    """The panel as one SVG element, without any reference to anything outside it."""
    height = _TOP + _STEP * len(panel.lines) + _BOTTOM
    body = "".join(_drawn(panel, line, _TOP + _STEP * (row + 0.5)) for row, line in enumerate(panel.lines))
    bottom = _TOP + _STEP * len(panel.lines)
    return (
        f'<svg class="forest" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" aria-label="{_described(panel)}">'
        f"{''.join(_axis(panel, bottom))}{body}</svg>"
    )


def _described(panel: Panel) -> str:
    return escape(". ".join(f"{line.title}: {line.shown}, {line.verdict}" for line in panel.lines))


def _x(panel: Panel, gain: float) -> float:
    begin, end = panel.scale
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (min(max(gain, begin), end) - begin) / (end - begin)


def _axis(panel: Panel, bottom: float) -> Iterator[str]:
    begin, end = panel.scale
    for gain in (begin, 0.0, end / 2, end):
        at, kind = _x(panel, gain), "tick" if gain else "zero"
        label = f"{gain:+.3g}".replace("-", figures.MINUS) if gain else "0"
        yield f'<line class="{kind}" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP:.1f}" y2="{bottom:.1f}"/>'
        yield f'<text class="axis" x="{at:.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{label}</text>'
    for gain, words, anchor in ((begin, "◀ worse", "start"), (end, "better ▶", "end")):
        place = f'x="{_x(panel, gain):.1f}" y="{bottom + 34:.1f}"'
        yield f'<text class="axis" {place} text-anchor="{anchor}">{words}</text>'


def _drawn(panel: Panel, line: Line, y: float) -> str:
    kind = line.verdict.replace(" ", "-")
    left, right = _x(panel, -line.margin), _x(panel, line.margin)
    band = f'<rect class="band" x="{left:.1f}" y="{y - 9:.1f}" width="{right - left:.1f}" height="18"/>'
    around = ""
    if line.low is not None and line.high is not None:
        ends = (_x(panel, line.low), _x(panel, line.high))
        around = f'<line class="reach {kind}" x1="{ends[0]:.1f}" x2="{ends[1]:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
    at, title = _x(panel, line.gain), escape(line.title)
    words = escape(f"{line.shown}  {line.verdict}")
    return (
        f'{band}<text class="name" x="{_LEFT - 14:.1f}" y="{y + 4:.1f}" text-anchor="end">{title}</text>{around}'
        f'<text class="mark {kind}" x="{at:.1f}" y="{y + 5:.1f}" text-anchor="middle">{SHAPES[line.verdict]}</text>'
        f'<text class="words" x="{_WIDTH - _RIGHT + 14:.1f}" y="{y + 4:.1f}">{words}</text>'
    )
