"""Noticing what other processes do: a run that `qbs replay` adds or finishes shows up by itself."""

from __future__ import annotations

import streamlit as st

from workbench.views import reading

_SECONDS = 3.0


@st.fragment(run_every=_SECONDS)
def watch_runs(drawn: reading.Stamp) -> None:
    """Draw the page anew once the runs are not those that it was drawn from."""
    if reading.runs_stamp() != drawn:
        st.rerun()
