"""Customer text (and model text) as markdown that shows exactly that text and nothing else.

Streamlit reads markdown in nearly everything it draws, with directives, icons, emoji shortcodes, formulas and
typographic replacements on top. Two measures make a text inert:

* every ASCII punctuation character becomes a character reference, which CommonMark never takes for structure;
* the characters by which later passes over plain text find links, shortcodes and arrows (`:`, `@`, `<`, `>`, `~`,
  `--`, `www.`) are kept apart from their neighbours in an empty `:color[...]` directive, which draws nothing.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.text import printable

_APART = re.compile(r"[:@<>~]|-(?=-)|(?<=www)\.", re.IGNORECASE)
_NARROW = "\u00a0"  # a space that markdown neither strips nor folds
_TAB = 4 * _NARROW
_CLOSING = ".,;:!?)]”’\"'"  # what a note behind a highlight leaves in its place


@dataclass(frozen=True, slots=True)
class Highlight:
    """Characters `start` to `end` (exclusive) of a text, and a few plain words to set behind them."""

    start: int
    end: int
    note: str = ""


def as_written(text: str, highlights: Sequence[Highlight] = ()) -> str:
    """The text with its lines and paragraphs; `highlights` do not overlap."""
    text = normalised_lines(text)
    pieces = _pieces(text)
    for highlight in highlights:
        _set_off(pieces, text, highlight)
    return "".join(pieces)


def on_one_line(text: str) -> str:
    """The text with its line ends folded into spaces: for badges, tooltips, labels and sentences."""
    return "".join(_pieces(" ".join(text.split())))


def normalised_lines(text: str) -> str:
    """Every line end as `\\n`, and no character that commands a screen. As long as the text, but for `\\r\\n`."""
    return printable(text.replace("\r\n", "\n").replace("\r", "\n"))


def _pieces(text: str) -> list[str]:
    """What stands for each character."""
    apart = {match.start() for match in _APART.finditer(text)}
    return [_piece(text, position, character, position in apart) for position, character in enumerate(text)]


def _piece(text: str, position: int, character: str, apart: bool) -> str:
    if character in string.punctuation:
        reference = f"&#{ord(character)};"
        return f":color[{reference}]" if apart else reference
    if character == "\n":
        return _line_end(text, position)
    if character == "\t":
        return _TAB
    if character == " ":
        alone = 0 < position < len(text) - 1 and not text[position - 1].isspace() and text[position + 1] != "\n"
        return " " if alone else _NARROW
    return character


def _line_end(text: str, position: int) -> str:
    """A hard break between two lines; a plain end where a blank line makes a paragraph."""
    line_before = text[text.rfind("\n", 0, position) + 1 : position]
    line_after = text[position + 1 :].split("\n", 1)[0]
    return "\\\n" if line_before.strip() and line_after.strip() else "\n"


def _set_off(pieces: list[str], text: str, highlight: Highlight) -> None:
    """Put the directive round each line of the highlight, and the note behind the last."""
    last = highlight.start
    for line in re.finditer(r"\S(?:[^\n]*\S)?", text[highlight.start : highlight.end]):
        first, last = highlight.start + line.start(), highlight.start + line.end() - 1
        pieces[first] = f":yellow-background[{pieces[first]}"
        pieces[last] += "]"
    while last + 1 < len(text) and text[last + 1] in _CLOSING:
        last += 1
    if highlight.note:
        pieces[last] += f" :small[:gray[←{_NARROW}{on_one_line(highlight.note)}]]"
