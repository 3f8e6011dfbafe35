"""The Demo page: a guided path through the others, and on each of them the step that is under way.

What it takes is imported when it is opened, so that the other pages need not wait for it.
"""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from workbench.views import demo_place


def as_page() -> StreamlitPage:
    return st.Page(page, title="Demo", icon=":material/tour:", url_path="demo")


def page() -> None:
    from workbench.views import demo_page

    demo_page.page()


def guide(shown: StreamlitPage) -> None:
    """Above a page that a step leads to: what is to be seen there, and the way on. Nothing where no demo is given."""
    demo_place.arrive()
    if demo_place.at() is not None:
        from workbench.views import demo_guide

        demo_guide.guide(shown)
