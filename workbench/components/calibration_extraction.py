"""How sure a run was of what it extracted: a diagram for each source, and the table by dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from workbench.components import details
from workbench.components.focus import released
from workbench.presenters import calibration_diagram
from workbench.presenters.customer_text import on_one_line

_DIAGRAM = (
    "Each mark is a bin of claims: how sure it was on average, and how often the labels say that it was right. On the "
    "dashed line is right; below it too sure. Bars: 95 % intervals, by conversation."
)
_RIGHT = "Right means that the label names that dimension for that turn. Nothing is corrected here."


def run(names: Mapping[str, str], key: str) -> None:
    """Which run."""
    with released(key):
        st.selectbox("Run", list(names), key=key, format_func=lambda own: names.get(own, own))


def diagrams(series: Mapping[str, calibration_diagram.Bins]) -> None:
    """A diagram for each source: their scales are their own."""
    details.title("Reliability diagram", _DIAGRAM)
    for name, bins in series.items():
        spec = calibration_diagram.diagram({name: bins}, "right")
        st.vega_lite_chart(spec, width="stretch", alt=calibration_diagram.described({name: bins}, "right"))


def table(sentences: Sequence[str], body: str) -> None:
    """`body` is escaped HTML."""
    for sentence in sentences:
        st.markdown(on_one_line(sentence))
    st.html(body)
    st.caption(_RIGHT)


def no_runs() -> None:
    """Claims are judged by labels, and so it takes a run over labelled conversations."""
    st.markdown("#### No run to read yet", anchors=False)
    st.markdown("It takes a run over conversations with labels, such as those that come with the project.")
    st.code("qbs replay b2b_discovery --variant recorded", language=None, wrap_lines=True)
