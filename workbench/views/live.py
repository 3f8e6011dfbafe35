"""The Live page: a customer speaks, the engine answers, and their row in Postgres changes, tenant by tenant.

What it takes is imported when it is opened, so that the other pages need not wait for it.
"""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage


def as_page() -> StreamlitPage:
    return st.Page(page, title="Live", icon=":material/forum:", url_path="live")


def page() -> None:
    from workbench.views import live_page

    live_page.page()
