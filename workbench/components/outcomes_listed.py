"""The conversations behind a cell, and the way to one of them on the Live page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from workbench.components.outcomes_drawn import caption
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.outcomes_listed import ListedOutcome


def conversations(
    found: Sequence[ListedOutcome], of: int, *, tenant: str, simulated: bool, opens: StreamlitPage, key: str
) -> None:
    """A row an outcome, the newest first, of so many; one that is in Postgres can be opened on the page `opens`."""
    shown = f"The newest {len(found):,} of {of:,} outcomes" if len(found) < of else f"{of:,} outcomes"
    there = any(own.in_postgres for own in found)
    hint = " Click a row to open the conversation on the Live page." if there else ""
    caption(f"{shown}, newest first.{hint}", simulated=simulated)
    rows = [own.shown for own in found]
    if not there:
        st.dataframe(rows, hide_index=True, width="stretch", key=key)
        return
    event = st.dataframe(
        rows, hide_index=True, width="stretch", key=key, on_select="rerun", selection_mode="single-row"
    )
    for number in event.selection.rows[:1]:
        if number < len(found):
            _link(found[number], tenant, opens)


def _link(own: ListedOutcome, tenant: str, opens: StreamlitPage) -> None:
    if not own.in_postgres:
        st.caption("This outcome was imported: its conversation is not kept here.")
        return
    st.page_link(
        opens,
        label=f"Open {on_one_line(own.contact)} of {on_one_line(own.account)} on the Live page",
        icon=":material/forum:",
        query_params={"tenant": tenant, "account": own.account, "contact": own.contact},
    )
