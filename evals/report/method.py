"""How the figures of a report were computed, and by which formulas."""

from __future__ import annotations

from html import escape

from evals.compare import Comparison
from evals.report.content import Report
from evals.report.verdicts import families

_ALIKE = (
    "turns of one conversation resemble each other, and counting them as independent would find differences that are "
    "not there"
)
_TESTS = (
    "p-values come from that bootstrap, from sign flips where conversations are few, and from McNemar's exact test for "
    "what must never happen. They are adjusted for the number of measures by Holm's method."
)
_TIED = "Tied means that the whole interval lies within the difference that nobody would act on."


def method(report: Report) -> str:
    """The last section: pairing, resampling, tests, and a table of formulas."""
    said = (*computed(report.comparison), f"Made {report.made_at:%d %B %Y, %H:%M} UTC.")
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in said)
    formulas = _formulas(report.comparison)
    return f"<section><h2>How it was computed</h2><ul>{items}</ul><h3>The measures</h3>{formulas}</section>"


def computed(comparison: Comparison) -> tuple[str, ...]:
    """How the figures came about, a sentence each."""
    first, second = comparison.left_out
    only = f" ({first:,} were in the first only, {second:,} in the second only)" if first or second else ""
    return (
        f"Paired by turn: the {comparison.turns:,} turns that both runs answered count{only}.",
        f"Resampled by conversation, {comparison.resamples:,} times with seed {comparison.seed}: {_ALIKE}.",
        _TESTS,
        _TIED,
    )


def _formulas(comparison: Comparison) -> str:
    rows = (row for own in families(comparison.rows).values() for row in own if not row.metric.detail)
    texts = ((row.metric.title, row.metric.formula, row.metric.source) for row in rows)
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in cells)}</tr>" for cells in texts)
    head = "<tr><th>Measure</th><th>Formula</th><th>From</th></tr>"
    return f'<div class="wide"><table class="formulas">{head}{body}</table></div>'
