"""The Outcomes page: which questions earn replies, from whom, how soon, and what goes with it.

What it takes is imported when it is opened, so that the other pages need not wait for it.
"""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage


def as_page() -> StreamlitPage:
    return st.Page(page, title="Outcomes", icon=":material/mark_email_read:", url_path="outcomes")


def page() -> None:
    from workbench.views import outcomes_page

    outcomes_page.page()
