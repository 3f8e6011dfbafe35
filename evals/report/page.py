"""A comparison as one page of HTML that opens without a network, prints well, and holds no script.

Every text that a person or a model wrote is escaped where it is put in; there is no other way into the page than the
functions below.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from evals.metrics.judged import View
from evals.report.content import Report, ReportedRun, ReportedTurn
from evals.report.forest import not_drawn, panels, svg
from evals.report.method import method
from evals.report.scoreboard import scoreboard
from evals.report.verdicts import headline

STYLE = Path(__file__).with_name("style.css")
VIEWS = {
    View.MODEL: "Only what each variant answered itself; answers of a fallback in its place are left out.",
    View.ALL: "Every answer, those of a fallback included: what the seller would have seen.",
}


def render(report: Report) -> str:
    """The whole page."""
    title = escape(f"{report.second.name} against {report.first.name}")
    parts = (_opening(report), scoreboard(report.comparison), _forest(report), _turns(report), method(report))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _opening(report: Report) -> str:
    found = headline(report.comparison, report.first.name, report.second.name)
    comparison = report.comparison
    counted = f"{comparison.turns:,} turns of {comparison.conversations:,} conversations of {report.dataset}"
    facts = [counted, report.part, VIEWS[comparison.view], *report.notes]
    return (
        f"<h1>{escape(report.second.name)} <small>against</small> {escape(report.first.name)}</h1>"
        f'<p class="verdict {found.tone}">{escape(found.quality)}</p>{_paragraph(found.operations)}'
        f"<ul>{''.join(f'<li>{escape(fact)}</li>' for fact in facts if fact)}</ul>"
        f'<table class="runs">{_run("First", report.first)}{_run("Second", report.second)}</table>'
    )


def _run(place: str, run: ReportedRun) -> str:
    cells = "".join(f"<td>{escape(text)}</td>" for text in (run.name, run.source, run.run_id))
    return f"<tr><th>{place}</th>{cells}</tr>"


def _forest(report: Report) -> str:
    rows = [row for row in report.comparison.rows if not row.metric.detail]
    drawn = "".join(f"<h3>{escape(panel.title)}</h3>{svg(panel)}" for panel in panels(rows))
    left_out = "".join(map(_paragraph, not_drawn(rows)))
    about = (
        "Right of the zero line is better, whichever way a measure counts. The bars are 95 % intervals, the grey bands "
        "differences that nobody would act on."
    )
    return f"<section><h2>Differences</h2><p>{about}</p>{drawn}{left_out}</section>"


def _turns(report: Report) -> str:
    if not (report.best or report.worst):
        return ""
    about = f"By what each turn alone does for “{report.metric}” of the whole run."
    lists = (("Turns that got worse", report.worst), ("Turns that got better", report.best))
    parts = (f"<h3>{title}</h3>{''.join(_turn(turn, report) for turn in turns)}" for title, turns in lists if turns)
    return f"<section><h2>Down to the turns</h2><p>{escape(about)}</p>{''.join(parts)}</section>"


def _turn(turn: ReportedTurn, report: Report) -> str:
    answers = (
        ("Label", turn.label),
        (report.first.name, turn.first_answer),
        (report.second.name, turn.second_answer),
    )
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in answers if text)
    return (
        f'<article><p class="where"><b>{escape(turn.gain)}</b> {escape(turn.title)}, turn {turn.turn} '
        f"<small>{escape(turn.conversation_id)} · {escape(turn.first)} → {escape(turn.second)}</small></p>"
        f"<blockquote>{escape(turn.message)}</blockquote><dl>{rows}</dl></article>"
    )


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""
