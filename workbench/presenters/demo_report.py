"""The demo as one page of HTML to take along: the same story with its figures, without network or script.

Every text that a person or a model wrote is escaped where it is put in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from evals.report.forest import panels, svg
from evals.report.method import computed
from evals.report.page import STYLE
from workbench.demo import DemoFacts
from workbench.presenters.compare_report import EXAMPLE_NOTE
from workbench.presenters.demo_values import Figure, Step

if TYPE_CHECKING:
    from evals.compare import Comparison
    from evals.records import TurnRecord

TITLE = "QBS Workbench: from a customer's message to the reply rate"
SIMULATED_NOTE = "Simulated: these outcomes are of a simulated world. No customer said any of this."
_OWN_STYLE = (
    ".badge { font-size: .75rem; font-weight: 600; padding: .1rem .5rem; border: 1px solid var(--worse); "
    "border-radius: 1rem; color: var(--worse); vertical-align: middle; }"
)


def story(facts: DemoFacts, told: Sequence[Step], made_at: datetime | None = None) -> str:
    """The whole page."""
    sections = "".join(_section(number, step, facts) for number, step in enumerate(told, 1))
    style = STYLE.read_text(encoding="utf-8") + _OWN_STYLE
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(TITLE)}</title><style>{style}</style></head>"
        f"<body><main>{_opening(facts)}{sections}{_method(facts, made_at or datetime.now(UTC))}</main></body></html>\n"
    )


def _opening(facts: DemoFacts) -> str:
    comparison = facts.model.comparison
    counted = (
        f"{comparison.turns:,} customer messages of {comparison.conversations:,} conversations of {facts.dataset.name}"
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in (f"{counted}.", EXAMPLE_NOTE, SIMULATED_NOTE))
    return f"<h1>{escape(TITLE)}</h1><ul>{notes}</ul>"


def _section(number: int, step: Step, facts: DemoFacts) -> str:
    badge = f' <span class="badge" title="{escape(SIMULATED_NOTE)}">simulated</span>' if step.simulated else ""
    body = {"live": _said(facts), "better": _forest(facts.model.comparison), "evidence": _tried(facts)}
    return (
        f'<section id="{escape(step.key.replace(" ", "-"))}"><h2>{number}. {escape(step.title)}{badge}</h2>'
        f'<p class="verdict">{escape(step.sentence)}</p>'
        f"{_figures(step.figures)}{body.get(step.key, '')}</section>"
    )


def _figures(found: Sequence[Figure]) -> str:
    if not found:
        return ""
    rows = "".join(
        f'<tr><td>{escape(own.what)}</td><td class="figure">{escape(own.value)}</td><td>{escape(own.n)}</td>'
        f"<td>{escape(own.source)}</td></tr>"
        for own in found
    )
    head = "<tr><th>Figure</th><th>Value, with its 95 % interval where there is one</th><th>n</th><th>From</th></tr>"
    return f'<div class="wide"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _said(facts: DemoFacts) -> str:
    """The first message that was answered, and the question."""
    record = next(iter(facts.records), None)
    question = None if record is None else _question(record)
    if record is None or not question:
        return ""
    message = facts.script.turns[record.turn].text
    return (
        f"<article><blockquote>{escape(message)}</blockquote><dl><dt>Ask next</dt><dd>{escape(question)}</dd></dl>"
        "</article>"
    )


def _question(record: TurnRecord) -> str:
    from engine.model.analysis import Analysis

    result = record.result
    return result.question.recommendation.suggested_question or "" if isinstance(result, Analysis) else ""


def _tried(facts: DemoFacts) -> str:
    return "" if facts.tried is None else _forest(facts.tried.comparison)


def _forest(comparison: Comparison) -> str:
    drawn = panels([row for row in comparison.rows if not row.metric.detail])
    return "".join(f"<h3>{escape(panel.title)}</h3>{svg(panel)}" for panel in drawn)


def _method(facts: DemoFacts, made_at: datetime) -> str:
    said = (*computed(facts.model.comparison), f"Made {made_at:%d %B %Y, %H:%M} UTC.")
    return (
        f"<section><h2>How it was computed</h2><ul>{''.join(f'<li>{escape(own)}</li>' for own in said)}</ul></section>"
    )
