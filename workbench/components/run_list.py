"""The list of runs: a card each, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from evals.records import RunStatus
from workbench.components import badges
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.runs import ListedRun
from workbench.session import Place

_ON_A_PAGE = 15
_STATUS: dict[RunStatus, tuple[badges.Colour, str]] = {
    RunStatus.COMPLETE: ("green", ":material/check_circle:"),
    RunStatus.RUNNING: ("blue", ":material/progress_activity:"),
    RunStatus.INCOMPLETE: ("orange", ":material/pause_circle:"),
}
_UNANSWERED: tuple[badges.Colour, str] = ("orange", ":material/warning:")


def run_list(runs: Sequence[ListedRun], opens: StreamlitPage) -> None:
    """`opens` is the page that shows a run."""
    pages = -(-len(runs) // _ON_A_PAGE)
    page = st.session_state.get("runs page", 1) if pages > 1 else 1
    for run in runs[(page - 1) * _ON_A_PAGE : page * _ON_A_PAGE]:
        _run(run, opens)
    if pages > 1:
        st.pagination(pages, key="runs page")


def _run(run: ListedRun, opens: StreamlitPage) -> None:
    with st.container(border=True):
        about, figures, link = st.columns([5, 4, 1.3], vertical_alignment="center")
    with about:
        colour, icon = _UNANSWERED if run.unanswered else _STATUS[run.state]
        with badges.row():
            st.markdown(f"**{on_one_line(run.variant)}** on {on_one_line(run.dataset)}")
            badges.badge(run.status, colour, icon)
        st.caption(on_one_line(" · ".join(part for part in (run.run_id, run.models) if part)))
    with figures:
        st.markdown(on_one_line(", ".join(run.facts)))
        st.caption(on_one_line(run.made), help=run.made_with)
        if run.problem:
            st.warning(on_one_line(run.problem))
    with link:
        query = Place(dataset=run.dataset, left=run.run_id).address()
        st.page_link(opens, label="Open", icon=":material/replay:", help="Open in Replay", query_params=query)
