"""What comes first: the verdict in words, what it rests on, the scoreboard and the forest plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from evals.compare import Comparison
from evals.inference.verdict import Verdict
from evals.report.forest import Panel
from evals.report.verdicts import MEANINGS, SHAPES, Headline, named, of_verdict
from workbench.components import badges
from workbench.presenters import compare_forest
from workbench.presenters.customer_text import on_one_line

_COLOURS: Mapping[Verdict, badges.Colour] = {
    Verdict.BETTER: "blue",
    Verdict.WORSE: "orange",
    Verdict.TIED: "gray",
    Verdict.NOT_ENOUGH_DATA: "gray",
}
_ABOUT = "Right of the line is better, whichever way a measure counts. Bars: 95 % intervals. Grey: too small to act on."


def verdict(found: Headline, comparison: Comparison) -> None:
    """One comparison in two sentences, and how many measures came out how; their names on hover."""
    st.markdown(f"#### {on_one_line(found.quality)}", anchors=False)
    with badges.row():
        for own, number in found.counts.items():
            if number:
                names = ", ".join(row.metric.title for row in of_verdict(comparison, own))
                text = f":{_COLOURS[own]}-badge[{SHAPES[own]} {number} {own}]"
                st.markdown(text, help=on_one_line(f"{MEANINGS[own]} {names}."))
    told = [(own, named(of_verdict(comparison, own))) for own in (Verdict.BETTER, Verdict.WORSE)]
    lines = [f"{SHAPES[own]} {str(own).capitalize()}: {names}." for own, names in told if names]
    st.markdown("\\\n".join(map(on_one_line, [*lines, found.operations] if found.operations else lines)))


def rests_on(facts: Mapping[str, str], notes: Sequence[str]) -> None:
    """The data, how it was resampled, and what has to be known about it; `facts` by icon."""
    with st.container(horizontal=True, gap="small"):
        for icon, fact in facts.items():
            st.caption(f":material/{icon}: {on_one_line(fact)}", width="content")
    for note in notes:
        st.caption(f":material/info: {on_one_line(note)}")


def scoreboard(table: str, missing: Sequence[str]) -> None:
    """`table` is escaped HTML; `missing` names what neither run has anything for."""
    st.html(table)
    if missing:
        st.caption(f"Nothing to count in either run: {', '.join(missing)}.")


def forest(panels: Sequence[Mapping[str, Panel]], left_out: Sequence[str]) -> None:
    """A chart for each scale; each maps the names of the runs to their panel."""
    st.caption(_ABOUT)
    for own in panels:
        title = next(iter(own.values())).title
        st.markdown(f"**{title}**")
        st.vega_lite_chart(compare_forest.forest(own), width="stretch", alt=compare_forest.described(own))
    for sentence in left_out:
        st.caption(on_one_line(sentence))
