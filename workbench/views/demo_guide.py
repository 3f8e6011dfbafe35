"""The strip above a page to which a step of the demo led: what is to be seen, and the way on."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from workbench.components import demo_steps as drawn
from workbench.views import demo, demo_place, demo_reading
from workbench.views.demo_page import leads_to

_LOOKS_APART = 2.0  # seconds, while something is still worked out
_IN_POSTGRES = ("promote", "in use")  # steps that tell, or lead on to, what stands there


def guide(shown: StreamlitPage) -> None:
    """Nothing on a page that the step is not about, and as long as nothing was gathered."""
    waits = demo_reading.is_fitting()
    st.fragment(run_every=_LOOKS_APART if waits else None)(_guide)(shown, waits)


def _guide(shown: StreamlitPage, waits: bool) -> None:
    if waits and not demo_reading.is_fitting():
        st.rerun()
    at = demo_place.at()
    path = demo_reading.path(with_production=at in _IN_POSTGRES)
    number = next((number for number, step in enumerate(path) if step.key == at), None)
    if number is None or path[number].page != shown.title:
        return
    following = path[number + 1] if number + 1 < len(path) else None
    drawn.strip(
        path[number],
        f"{number + 1} of {len(path)}",
        None if following is None else (following.title, *leads_to(following)),
        demo.as_page(),
        demo_place.end,
    )
