"""The Calibration page: can the engine's confidence be believed, how is it corrected, and is that still right?

What it takes is imported when it is opened, so that the other pages need not wait for it.
"""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage


def as_page() -> StreamlitPage:
    return st.Page(page, title="Calibration", icon=":material/tune:", url_path="calibration")


def page() -> None:
    from workbench.views import calibration_page

    calibration_page.page()
