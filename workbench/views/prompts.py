"""The Prompts page: a bad turn, another wording, that turn again and others, a version, and into production.

What it takes is imported when it is opened, so that the other pages need not wait for it.
"""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage


def as_page() -> StreamlitPage:
    return st.Page(page, title="Prompts", icon=":material/edit_note:", url_path="prompts")


def page() -> None:
    from workbench.views.prompts_page import page as draw

    draw()
