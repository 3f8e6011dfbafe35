"""The Runs page: every run there is, with links into the Replay page."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from engine.errors import QBSError
from workbench import session
from workbench.components import empty, replaying, run_list
from workbench.presenters.runs import listed
from workbench.views import reading, replay
from workbench.views.news import watch_runs


def as_page() -> StreamlitPage:
    return st.Page(page, title="Runs", icon=":material/list_alt:", url_path="runs")


def page() -> None:
    session.arrive("runs")
    st.header("Runs", anchor=False)
    try:
        _page()
    except QBSError as error:
        empty.problem(str(error))


def _page() -> None:
    drawn_from = reading.runs_stamp()
    rows = reading.runs()
    if rows:
        unanswered = reading.unanswered(rows)
        run_list.run_list([listed(row, unanswered=row.run_id in unanswered) for row in rows], replay.as_page())
    else:
        _no_runs()
    watch_runs(drawn_from)


def _no_runs() -> None:
    names = reading.services().dataset_names()
    if not names:
        empty.no_conversations()
        return
    empty.no_runs()
    replaying.offer(reading.services(), names[0], "rules", f"Replay {names[0]} by rules")
