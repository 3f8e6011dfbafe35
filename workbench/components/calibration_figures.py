"""How a confidence reads: the reliability diagram with its counts, the figures, the cells, and the curve in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from engine.calibration.values import Calibration
from workbench.components import details
from workbench.presenters import calibration_curve, calibration_diagram
from workbench.presenters.calibration_words import cell_name, map_words
from workbench.presenters.customer_text import on_one_line

_DIAGRAM = (
    "Each mark is a bin with as many outcomes as the others: what was said on average, and how many came. On the "
    "dashed line is right; below it too sure. Bars: 95 % intervals, by conversation."
)
_MOST_TOLD = 3
_CURVE = "What a live engine reports for each confidence of its own. Dashed: nothing is changed."


def diagram(series: Mapping[str, calibration_diagram.Bins], came: str) -> None:
    """One or two series, and how many outcomes are in the bins of the first."""
    details.title("Reliability diagram", _DIAGRAM)
    spec, told = calibration_diagram.diagram(series, came), calibration_diagram.described(series, came)
    st.vega_lite_chart(spec, width="stretch", alt=told)
    bins = next(iter(series.values()))
    least, most = min(own["n"] for own in bins), max(own["n"] for own in bins)
    st.vega_lite_chart(
        calibration_diagram.counts(bins), width="stretch", alt=f"{least:,} to {most:,} outcomes in each of the bins."
    )


def figures(table: str, sentences: Sequence[str]) -> None:
    """`table` is escaped HTML."""
    for sentence in sentences:
        st.markdown(sentence)
    st.html(table)


def curve(calibration: Calibration, counts: Mapping[str, int]) -> None:
    """The map of each cell that has one."""
    details.title("What a live engine would report", _CURVE)
    cells = calibration_curve.corrected_cells(calibration, counts)
    spec = calibration_curve.curve(calibration, cells)
    st.vega_lite_chart(spec, width="stretch", alt=calibration_curve.described(calibration, cells))
    for cell in cells[:_MOST_TOLD]:
        does = map_words(calibration.cells[cell])
        st.caption(on_one_line(f"{cell_name(cell)}: {calibration_curve.examples(calibration, cell)}; {does}."))


def cells(table: str, note: str) -> None:
    """`table` is escaped HTML."""
    st.html(table)
    if note:
        st.caption(note)


def nothing_known(reason: str, commands: Sequence[str]) -> None:
    """In the place of figures: why there are none, and what brings some."""
    st.markdown("#### Nothing to read yet", anchors=False)
    st.markdown(reason)
    for command in commands:
        st.code(command, language=None, wrap_lines=True)
