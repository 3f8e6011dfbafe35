"""The Compare page: is one run better than another, by how much, where, and could it be luck?

What it takes is imported when it is opened, so that the other pages need not wait for it.
"""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage


def as_page() -> StreamlitPage:
    return st.Page(page, title="Compare", icon=":material/balance:", url_path="compare")


def page() -> None:
    from workbench.views import compare_page

    compare_page.page()
