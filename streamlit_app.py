"""The workbench in a browser: page config, navigation, run the page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.views import compare, live, replay, runs

LOGO = Path(__file__).parent / "workbench" / "assets" / "logo.svg"

st.set_page_config(page_title="QBS Workbench", page_icon=str(LOGO), layout="wide")
st.navigation([replay.as_page(), live.as_page(), compare.as_page(), runs.as_page()], position="top").run()
st.logo(LOGO, size="large")  # last, because the first picture loads numpy and PIL, and the page need not wait for them
