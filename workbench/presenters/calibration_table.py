"""Figures as a table of HTML with a meaning behind every heading and row. All text in it is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

STYLE = """
.qbs-figures { overflow-x: auto; container-type: inline-size; }
.qbs-figures table { border-collapse: collapse; width: 100%; font-size: .875rem; line-height: 1.35; margin: 0; }
.qbs-figures th, .qbs-figures td { padding: .34rem .55rem; border: 0; text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; vertical-align: top; }
.qbs-figures th.words, .qbs-figures td.words { text-align: left; }
.qbs-figures td.words { white-space: normal; }
.qbs-figures td:first-child { min-width: 9rem; }
.qbs-figures thead th { font-weight: 600; opacity: .72; border-bottom: 1px solid light-dark(#d5d9e0, #3a3f4a);
  vertical-align: bottom; }
.qbs-figures [title]:not([title=""]) { border-bottom: 1px dotted currentColor; cursor: help; }
.qbs-figures tbody tr td { border-bottom: 1px solid light-dark(#eceef2, #23272f); }
.qbs-figures small { display: block; opacity: .68; font-size: .78rem; }
.qbs-figures .part td:first-child { padding-left: 1.5rem; }
.qbs-figures .strong td { font-weight: 600; }
.qbs-figures .strong small { font-weight: 400; }
.qbs-figures .quiet td { opacity: .78; }
@container (max-width: 40rem) { .qbs-figures .narrow { display: none; } }
"""


@dataclass(frozen=True, slots=True)
class Heading:
    """A column: figures are aligned right, `words` left; `narrow` ones give way where there is no room."""

    name: str
    meaning: str = ""
    words: bool = False
    narrow: bool = False

    @property
    def kind(self) -> str:
        return " ".join(name for name in ("words", "narrow") if getattr(self, name))


@dataclass(frozen=True, slots=True)
class Line:
    """A row. A cell is a figure, or a figure and what stands below it; `meaning` is that of the first cell.

    `kind` is `part` of what stands above, `strong` for what matters most, or `quiet`.
    """

    cells: Sequence[str | tuple[str, str]]
    meaning: str = ""
    kind: str = ""


def table(headings: Sequence[Heading], lines: Iterable[Line]) -> str:
    """The table."""
    head = "".join(
        f'<th scope="col" class="{own.kind}"><span title="{escape(own.meaning)}">{escape(own.name)}</span></th>'
        for own in headings
    )
    body = "".join(_line(headings, line) for line in lines)
    return (
        f'<style>{STYLE}</style><div class="qbs-figures"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _line(headings: Sequence[Heading], line: Line) -> str:
    cells = []
    for number, (own, cell) in enumerate(zip(headings, line.cells, strict=True)):
        figure, below = (cell, "") if isinstance(cell, str) else cell
        shown = escape(figure)
        if number == 0 and line.meaning:
            shown = f'<span title="{escape(line.meaning)}">{shown}</span>'
        cells.append(f'<td class="{own.kind}">{shown}{f"<small>{escape(below)}</small>" if below else ""}</td>')
    return f'<tr class="{line.kind}">{"".join(cells)}</tr>'
