"""The answer: the rate that asking otherwise would have had beside the logged one, what it rests on, or a refusal."""

from __future__ import annotations

import streamlit as st

from evals.learning.off_policy import Estimates, LeftOut, Overlap, Refusal
from workbench.components import details
from workbench.presenters import what_if_estimates as estimates
from workbench.presenters import what_if_overlap as overlaps
from workbench.presenters import what_if_refusal as refusals
from workbench.presenters.customer_text import on_one_line

_FOR_THESE = (
    "An estimate for these turns, one question at a time. What asking so would do to the rest of a conversation, or to "
    "customers unlike these, it does not say."
)
_OVERLAP = (
    "A weight is how much more likely the policy asks so than the log did. Grey: weight 0, asked otherwise, which says "
    "nothing by itself. A few heavy ones make a figure shaky."
)
_RATES = "Bars: 95 % intervals, all outcomes of a conversation together. Dashed: as it was asked."


def answer(found: Estimates) -> None:
    """The headline, the chart and the figures."""
    st.markdown(f"#### {on_one_line(estimates.headline(found))}", anchors=False)
    details.title("Reply rate", _RATES)
    st.vega_lite_chart(estimates.chart(found), width="stretch", alt=estimates.described(found))
    st.html(estimates.figures_table(found))
    st.caption(_FOR_THESE)


def refused(refusal: Refusal, exploration: float | None, *, simulated: bool) -> None:
    """Why there is no figure, and what it would take. In a simulated world nothing can be explored any more."""
    st.markdown("#### :material/block: The outcomes cannot tell", anchors=False)
    st.markdown(on_one_line(refusals.why(refusal)))
    st.markdown(f"**What it takes.** {on_one_line(refusal.remedy)}")
    found = None if simulated else refusals.exploration(refusal, exploration)
    if found is not None:
        words, line = found
        st.markdown(on_one_line(words))
        st.code(line, language=None)


def overlap(found: Overlap) -> None:
    """The weights, and what they leave."""
    details.title("Overlap", _OVERLAP)
    st.vega_lite_chart(overlaps.weights_chart(found), width="stretch", alt=overlaps.weights_described(found))
    st.html(overlaps.overlap_table(found))


def left_out(found: LeftOut) -> None:
    """The outcomes that say nothing here, by reason; nothing at all where all count."""
    table = overlaps.left_out_table(found)
    if table:
        details.title("Left out", "Outcomes that say nothing here, and why.")
        st.html(table)
