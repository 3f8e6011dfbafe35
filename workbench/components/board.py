"""The BANT and MEDDIC board: ten rows, and for each side what is known and how surely."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine.model.qualification import BANT_DIMENSIONS, MEDDIC_DIMENSIONS
from workbench.presenters.board import BoardRow, Cell, Mark, known_of
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.figures import percent
from workbench.presenters.words import DIMENSIONS
from workbench.text import clip

_LONGEST_QUOTE = 140  # characters; the transcript has the whole of it
_GROUPS = (("BANT", BANT_DIMENSIONS), ("MEDDIC", MEDDIC_DIMENSIONS))
_MARK_COLOURS = {Mark.NEW: "green", Mark.CHANGED: "orange", Mark.SURER: "blue", Mark.MORE_EVIDENCE: "blue"}


def board(rows: Sequence[BoardRow], names: Sequence[str]) -> None:
    """One card for BANT, one for MEDDIC. `names` are those of the sides."""
    for name, dimensions in _GROUPS:
        with st.container(border=True, gap="xsmall"):
            _group(name, [row for row in rows if row.dimension in dimensions], names)


def _group(name: str, rows: Sequence[BoardRow], names: Sequence[str]) -> None:
    first, *others = _columns(len(names))
    first.markdown(f"**{name}**")
    for place, (column, side) in enumerate(zip(others[::2], names, strict=True)):
        column.markdown(f"**{on_one_line(side)}** :gray[{known_of(rows, place)}]")
    for row in rows:
        _row(row)


def _columns(sides: int) -> Sequence[DeltaGenerator]:
    """One for the dimension, then for each side one for what is known and one for how surely."""
    return st.columns([2.2, *(5, 1.2) * sides])


def _row(row: BoardRow) -> None:
    first, *others = _columns(len(row.cells))
    word = DIMENSIONS[row.dimension]
    first.markdown(f":gray[{word.name}]", help=word.meaning)
    for cell, known, sure in zip(row.cells, others[::2], others[1::2], strict=True):
        if cell is None:
            continue
        if cell.value is None:
            known.markdown(":gray[—]")
            continue
        known.markdown(_known(cell))
        if cell.doubt is None:
            sure.progress(cell.confidence, text=percent(cell.confidence))
        else:
            sure.markdown(f":orange[:material/help: {percent(cell.confidence)}]", help=cell.doubt.meaning)


def _known(cell: Cell) -> str:
    """The value, what this message did to it, and below it the quote that backs it. A doubtful value is a quiet one."""
    marks = f" :{_MARK_COLOURS[cell.mark]}-badge[{cell.mark.value}]" if cell.mark is not Mark.SAME else ""
    marks += "" if cell.doubt is None else f" :orange-badge[:material/link_off: {on_one_line(cell.doubt.name)}]"
    value = on_one_line(cell.value or "")
    value = f"{value if cell.doubt is None else f':gray[{value}]'}{marks}"
    if cell.quote is None:
        return value
    more = f" and {cell.more_quotes} more" if cell.more_quotes else ""
    quote = on_one_line(clip(cell.quote.quote, _LONGEST_QUOTE))
    return f"{value}\\\n:small[:gray[“{quote}” turn {cell.quote.turn}{more}]]"
