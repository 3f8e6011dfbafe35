"""The workbench in a browser: page config, navigation, jobs under way, run the page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench import warming
from workbench.components import replaying
from workbench.views import calibration, compare, demo, live, outcomes, prompts, replay, runs, what_if

LOGO = Path(__file__).parent / "workbench" / "assets" / "logo.svg"

st.set_page_config(page_title="QBS Workbench", page_icon=str(LOGO), layout="wide")
pages = (replay, live, compare, prompts, outcomes, calibration, what_if, runs, demo)
page = st.navigation([each.as_page() for each in pages], position="top")
replaying.under_way()
demo.guide(page)
page.run()
st.logo(LOGO, size="large")  # last, because the first picture loads numpy and PIL, and the page need not wait for them
warming.first_page_shown()
