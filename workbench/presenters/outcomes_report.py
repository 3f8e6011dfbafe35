"""Outcomes as one page of HTML that opens without a network, prints well, and holds no script.

Every text that is not ours is escaped where it is put in. What is simulated says so at the top and at each picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from evals.learning.association import Association
from evals.learning.funnel import FunnelStep
from evals.learning.rates import Rate
from evals.learning.trend import Promotion, TrendPoint
from evals.report.page import STYLE
from workbench.presenters import outcomes_association, outcomes_funnel, outcomes_rates, outcomes_trend, outcomes_waiting
from workbench.presenters.outcomes_headline import headline
from workbench.presenters.outcomes_rates import MOST_DRAWN, RateRow
from workbench.presenters.outcomes_svg import Curve, Dot, DotLine, curves, intervals
from workbench.presenters.outcomes_waiting import WaitingLine
from workbench.presenters.outcomes_words import SIMULATED_NOTE, Watched, by_title, percent

_OWN_STYLE = """
.simulated { background: light-dark(#fff0df, #40280d); color: light-dark(#7a3600, #ffc98f); border: 2px solid
  light-dark(#cc6a0c, #cc6a0c); border-radius: .5rem; padding: .6rem 1rem; font-weight: 600; }
.mark { background: light-dark(#fff0df, #40280d); color: light-dark(#7a3600, #ffc98f); border-radius: .3rem;
  padding: 0 .4rem; font-size: .8em; font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
"""


@dataclass(frozen=True, slots=True)
class OutcomesReport:
    """Everything on the page. `association` is None, or why it cannot be told."""

    tenant: str
    simulated: bool
    watched: Watched
    part: str
    known_at: datetime | None
    made_at: datetime
    rate: Rate
    by: tuple[str, ...]
    rows: Sequence[RateRow]
    points: Sequence[TrendPoint]
    promotions: Sequence[Promotion]
    waiting: Sequence[WaitingLine]
    steps: Sequence[FunnelStep]
    association: Association | str


def render(report: OutcomesReport) -> str:
    """The whole page."""
    title = f"{report.watched.rate} of {'a simulated world' if report.simulated else report.tenant}"
    parts = (
        _opening(report, title),
        _rates(report),
        _trend(report),
        _time(report),
        _funnel(report),
        _goes_with(report),
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE.read_text(encoding='utf-8')}{_OWN_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _opening(report: OutcomesReport, title: str) -> str:
    found = headline(report.rate, report.watched)
    note = f'<p class="simulated">{escape(SIMULATED_NOTE)}</p>' if report.simulated else ""
    known = f"As known on {report.known_at:%d %B %Y, %H:%M} UTC." if report.known_at else ""
    facts = [f"Only {report.part}." if report.part else "", known, f"Made {report.made_at:%d %B %Y, %H:%M} UTC."]
    stands = [{"Status": line.name, "Outcomes": line.outcomes, "": line.meaning} for line in found.lines]
    return (
        f"{note}<h1>{escape(title)}</h1>"
        f'<p class="verdict"><b>{escape(found.rate)}</b> {escape(found.interval)}, {escape(found.rests_on)}</p>'
        f"<ul>{''.join(f'<li>{escape(fact)}</li>' for fact in (*facts, found.meaning) if fact)}</ul>{_table(stands)}"
    )


def _rates(report: OutcomesReport) -> str:
    drawn = sorted((row for row in report.rows if row.found.raw.n), key=lambda row: -row.found.raw.n)[:MOST_DRAWN]
    lines = [_line(row) for row in report.rows if row in drawn]
    about = (
        "Circles: as counted, with 95 % intervals; hollow ones are small cells. Diamonds: pulled toward the whole of "
        "this crossing, the more the fewer outcomes a cell has."
    )
    picture = intervals(lines, f"{report.watched.rate}, %") if lines else ""
    body = picture + _table(outcomes_rates.table(report.by, report.rows, report.watched))
    return _section(report, f"{report.watched.rate} by {by_title(report.by)}", about, body)


def _line(row: RateRow) -> DotLine:
    raw = row.found.raw
    value, low, high = (100 * (each or 0.0) for each in (raw.value, raw.low, raw.high))
    pulled = Dot(100 * row.found.value, 100 * row.found.low, 100 * row.found.high, "diamond")
    counted = Dot(value, low, high, "hollow" if row.few else "circle")
    return DotLine(row.name, (counted, pulled), f"{percent(raw.value)}, n {raw.n:,}")


def _trend(report: OutcomesReport) -> str:
    resolved = [point for point in report.points if point.rate.value is not None]
    curve = Curve(
        report.watched.rate,
        tuple(
            (float(point.begins.toordinal()), *(100 * (end or 0) for end in _ends(point.rate)))  # type: ignore[misc]
            for point in resolved
        ),
    )
    every = max(1, len(resolved) // 8)
    marks = [(float(point.begins.toordinal()), f"{point.begins:%d %b %y}") for point in resolved[::every]]
    verticals = [(float(mark.at.toordinal()), mark.name) for mark in report.promotions]
    about = "By the time of the recommendation; dashed lines are promotions of prompts. Band: 95 % intervals."
    picture = curves([curve] if resolved else [], f"{report.watched.rate}, %", marks, verticals)
    return _section(report, "Over time", about, picture + _table(outcomes_trend.table(report.points, report.watched)))


def _ends(rate: Rate) -> tuple[float | None, float | None, float | None]:
    return rate.value, rate.low, rate.high


def _time(report: OutcomesReport) -> str:
    found = [Curve(line.name, _places(line), steps=True) for line in report.waiting]
    marks = [(float(hours), f"{hours} h") for hours in report.watched.hours]
    about = (
        "Kaplan-Meier: a question whose window is still open, or whose place a newer one took, is censored there, not "
        "counted as unanswered. Bands: 95 %, outcomes taken for independent. Below it how many were still waited for."
    )
    body = (
        curves(found, f"Share that has {report.watched.done}, %", marks)
        + _table(outcomes_waiting.at_risk(report.waiting, report.watched))
        + _table(outcomes_waiting.table(report.waiting, report.watched))
    )
    return _section(report, f"Time to {report.watched.noun}", about, body)


def _places(line: WaitingLine) -> tuple[tuple[float, float, float, float], ...]:
    """The curve as the page draws it, with bands where they are known."""
    drawn = outcomes_waiting.points(line)
    return tuple(
        (
            point["hours"],
            point["share"],
            point["share"] if point["low"] is None else point["low"],
            point["share"] if point["high"] is None else point["high"],
        )
        for point in drawn
    )


def _funnel(report: OutcomesReport) -> str:
    about = "Of those who came to the step before; what is not known is neither yes nor no."
    return _section(report, "From recommended to stage advanced", about, _table(outcomes_funnel.table(report.steps)))


def _goes_with(report: OutcomesReport) -> str:
    title = f"What goes with {report.watched.a_noun}"
    found = report.association
    if isinstance(found, str):
        return _section(report, title, found, "")
    lines = [
        DotLine(
            line["Line"],
            (Dot(line["value"], line["low"], line["high"], "circle" if line["apart"] else "hollow"),),
            f"{line['Effect']}, n {line['n']:,}",
        )
        for line in outcomes_association.lines(found, "odds")
    ]
    warning = f'<p class="verdict worse">{escape(found.warning)}</p>'
    body = warning + intervals(lines, "Odds ratio", none=1.0, log=True) + _table(outcomes_association.table(found))
    return _section(report, title, outcomes_association.rests_on(found), body)


def _section(report: OutcomesReport, title: str, about: str, body: str) -> str:
    mark = ' <span class="mark">simulated</span>' if report.simulated else ""
    return f"<section><h2>{escape(title)}{mark}</h2><p>{escape(about)}</p>{body}</section>"


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    numbers = {name for name in rows[0] if any(_is_figure(row[name]) for row in rows)}
    head = "".join(f"<th{_kind(name in numbers)}>{escape(name)}</th>" for name in rows[0])
    body = "".join(
        f"<tr>{''.join(f'<td{_kind(name in numbers)}>{escape(_shown(row[name]))}</td>' for name in row)}</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _is_figure(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.endswith("%"))


def _kind(number: bool) -> str:
    return ' class="number"' if number else ""


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
