"""The scoreboard of a report: what was measured, family by family, with intervals and verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from evals.compare import Comparison, Row
from evals.inference.verdict import Verdict
from evals.report import figures
from evals.report.verdicts import MEANINGS, SHAPES, families

_DIRECTIONS = {"higher": ("↑", "Higher is better"), "lower": ("↓", "Lower is better")}
_HEAD = (
    ("Measure", "What was measured; its formula below"),
    ("First", "The first run, with its 95 % interval"),
    ("Second", "The second run, with its 95 % interval"),
    ("n", "Turns that could be judged in both runs"),
    ("Difference", "Second less first, with its 95 % interval"),
    ("p", "Chance of a difference this large by luck, adjusted for the number of measures (Holm)"),
    ("Detectable", "The smallest true difference that this much data would probably have shown"),
    ("Verdict", "In words"),
)


def scoreboard(comparison: Comparison) -> str:
    """The table of what was measured, and folded below it that of the breakdowns in which anything was counted."""
    main = [row for row in comparison.rows if not row.metric.detail]
    details = [row for row in comparison.rows if row.metric.detail and (row.first.value or row.second.value)]
    folded = f"<details><summary>{len(details)} breakdowns</summary>{_table(details)}</details>" if details else ""
    return f"<section><h2>Scoreboard</h2>{_table(main)}{folded}</section>"


def _table(rows: Sequence[Row]) -> str:
    head = "".join(f'<th title="{escape(meaning)}">{escape(name)}</th>' for name, meaning in _HEAD)
    body = "".join(
        f'<tr class="family"><th colspan="{len(_HEAD)}">{escape(title)}</th></tr>{"".join(map(_row, own))}'
        for title, own in families(rows).items()
    )
    table = f'<table class="scores"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="wide">{table}</div>'


def _row(row: Row) -> str:
    metric, unit = row.metric, row.metric.unit
    arrow, direction = _DIRECTIONS[metric.direction]
    around = figures.difference_interval(row.difference.low, row.difference.high, unit)
    name = f'{escape(metric.title)} <span title="{direction}">{arrow}</span>'
    figures_ = (
        _estimate(figures.value(row.first.value, unit), figures.interval(row.first.low, row.first.high, unit)),
        _estimate(figures.value(row.second.value, unit), figures.interval(row.second.low, row.second.high, unit)),
        f"{row.turns:,}",
        _estimate(figures.difference(row.difference.value, unit), around),
        escape(figures.p_value(row.holm)),
        escape(figures.size(row.detectable, unit)),
    )
    cells = "".join(f'<td class="figure">{cell}</td>' for cell in figures_)
    return (
        f'<tr><td title="{escape(metric.formula)}">{name}</td>{cells}<td>{_verdict(row.verdict, row.reason)}</td></tr>'
    )


def _estimate(value: str, around: str) -> str:
    return f"{escape(value)} <small>{escape(around)}</small>" if around else escape(value)


def _verdict(verdict: Verdict, reason: str) -> str:
    title = escape(f"{MEANINGS[verdict]} ({reason})" if reason else MEANINGS[verdict])
    return f'<span class="{verdict.replace(" ", "-")}" title="{title}">{SHAPES[verdict]} {verdict}</span>'
