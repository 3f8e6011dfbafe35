"""The scoreboard as a table of HTML: everything measured, family by family. All text in it is escaped here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from evals.compare import Comparison, Row
from evals.report import figures
from evals.report.verdicts import MEANINGS, SHAPES, families, is_measured

_DIRECTIONS = {"higher": ("↑", "Higher is better."), "lower": ("↓", "Lower is better.")}
_P = (
    "How often luck alone would show a difference at least this large. It is adjusted for the number of measures "
    "(Holm), so that looking at many does not find what is not there. Below 0.05 counts."
)
_DETECTABLE = "The smallest true difference that these conversations would probably (80 %) have shown."
_BETWEEN = "95 % interval, from resampling whole conversations: where the figure may well lie."

STYLE = """
.qbs-scores { overflow-x: auto; container-type: inline-size; }
.qbs-scores table { border-collapse: collapse; width: 100%; font-size: .875rem; line-height: 1.35; margin: 0; }
.qbs-scores th, .qbs-scores td { padding: .34rem .55rem; border: 0; text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; vertical-align: top; }
.qbs-scores th:first-child, .qbs-scores td:first-child, .qbs-scores th:last-child, .qbs-scores td:last-child {
  text-align: left; }
.qbs-scores td:first-child { white-space: normal; min-width: 11rem; }
.qbs-scores thead th { font-weight: 600; opacity: .72; border-bottom: 1px solid light-dark(#d5d9e0, #3a3f4a);
  vertical-align: bottom; }
.qbs-scores thead th span { border-bottom: 1px dotted currentColor; cursor: help; }
.qbs-scores tbody.family th { text-align: left; font-weight: 650; padding-top: 1rem; }
.qbs-scores tbody tr td { border-bottom: 1px solid light-dark(#eceef2, #23272f); }
.qbs-scores small { display: inline-block; min-width: 6.6rem; padding-left: .45rem; opacity: .68; font-size: .8rem; }
.qbs-scores .about { cursor: help; }
.qbs-scores .detail td:first-child { padding-left: 1.5rem; opacity: .8; }
.qbs-scores .better { color: light-dark(#0b62a8, #6db3f2); font-weight: 600; }
.qbs-scores .worse { color: light-dark(#b04a00, #f0a05a); font-weight: 600; }
.qbs-scores .tied, .qbs-scores .not-enough-data { opacity: .78; }
@container (max-width: 66rem) { .qbs-scores small { display: block; min-width: 0; padding: 0; font-size: .78rem; } }
@container (max-width: 52rem) { .qbs-scores .narrow { display: none; } }
"""


def scoreboard(comparison: Comparison, first: str, second: str) -> str:
    """The table. `first` and `second` are the names of the runs."""
    body = "".join(
        f'<tbody class="family"><tr><th colspan="8" scope="rowgroup">{escape(title)}</th></tr>{_lines(own)}</tbody>'
        for title, own in families(comparison.rows).items()
    )
    return (
        f'<style>{STYLE}</style><div class="qbs-scores"><table>'
        f"<thead><tr>{_head(first, second)}</tr></thead>{body}</table></div>"
    )


def not_measured(comparison: Comparison) -> tuple[str, ...]:
    """The titles of what neither run has anything to count for."""
    return tuple(row.metric.title for row in comparison.rows if not is_measured(row) and not row.metric.detail)


def _head(first: str, second: str) -> str:
    columns = (
        ("Measure", "Hover over a measure for what it counts. The arrow says whether higher or lower is better.", ""),
        (first, f"The first run. Below it the {_BETWEEN}", ""),
        (second, f"The second run. Below it the {_BETWEEN}", ""),
        ("n", "Turns that could be judged in both runs.", "narrow"),
        ("Difference", f"{second} less {first}. Below it the {_BETWEEN}", ""),
        ("Adjusted p", _P, "narrow"),
        ("Detectable", _DETECTABLE, "narrow"),
        ("Verdict", "What it comes to. Hover over a verdict for the reason.", ""),
    )
    return "".join(
        f'<th scope="col" class="{kind}"><span title="{escape(meaning)}">{escape(name)}</span></th>'
        for name, meaning, kind in columns
    )


def _lines(rows: Iterable[Row]) -> str:
    return "".join(map(_line, rows))


def _line(row: Row) -> str:
    unit = row.metric.unit
    cells = (
        ("", _figure(figures.value(row.first.value, unit), figures.interval(row.first.low, row.first.high, unit))),
        ("", _figure(figures.value(row.second.value, unit), figures.interval(row.second.low, row.second.high, unit))),
        ("narrow", f"{row.turns:,}"),
        ("", _figure(figures.difference(row.difference.value, unit), _around(row))),
        ("narrow", escape(figures.p_value(row.holm))),
        ("narrow", escape(figures.size(row.detectable, unit))),
    )
    body = "".join(f'<td class="{kind}">{cell}</td>' for kind, cell in cells)
    kind = "detail" if row.metric.detail else "main"
    return f'<tr class="{kind}"><td>{_measure(row)}</td>{body}<td>{_verdict(row)}</td></tr>'


def _around(row: Row) -> str:
    return figures.difference_interval(row.difference.low, row.difference.high, row.metric.unit)


def _measure(row: Row) -> str:
    arrow, direction = _DIRECTIONS[row.metric.direction]
    before = " Counted before the guardrails corrected anything." if row.metric.of == "proposed" else ""
    said = (f"{row.metric.formula}.", f"In {figures.UNIT_WORDS[row.metric.unit]}.", direction + before)
    meaning = f"{' '.join(said)} From: {row.metric.source}."
    return f'<span class="about" title="{escape(meaning)}">{escape(row.metric.title)} {arrow}</span>'


def _figure(value: str, around: str) -> str:
    return f"{escape(value)}<small>{escape(around)}</small>"


def _verdict(row: Row) -> str:
    reason = f"{MEANINGS[row.verdict]} Here: {row.reason}." if row.reason else MEANINGS[row.verdict]
    tested = f" p: {row.test}." if row.test else ""
    kind = row.verdict.replace(" ", "-")
    return f'<span class="{kind} about" title="{escape(reason + tested)}">{SHAPES[row.verdict]} {row.verdict}</span>'
