"""The What if page: the reply rate that asking otherwise would have had, or why nobody can tell.

What it takes is imported when it is opened, so that the other pages need not wait for it.
"""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage


def as_page() -> StreamlitPage:
    return st.Page(page, title="What if", icon=":material/alt_route:", url_path="what-if")


def page() -> None:
    from workbench.views import what_if_page

    what_if_page.page()
