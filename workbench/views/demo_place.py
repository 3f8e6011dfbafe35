"""Where in the demo a session is, and which steps it has seen. A step's link names it in the address."""

from __future__ import annotations

from typing import cast

import streamlit as st

QUERY = "demo"  # in the address of a step

_AT, _DONE = "demo.at", "demo.done"


def arrive() -> None:
    """Remember the step that the address names, and take it out of there: the rest is the page's own."""
    step = st.query_params.get(QUERY)
    if step:
        st.session_state[_AT] = step
        st.session_state[_DONE] = done() | {step}
        del st.query_params[QUERY]


def at() -> str | None:
    """The step that is under way."""
    return cast("str | None", st.session_state.get(_AT))


def end() -> None:
    """No step is under way any more; what was seen stays seen."""
    st.session_state.pop(_AT, None)


def done() -> frozenset[str]:
    """The steps that were seen in this session."""
    return cast("frozenset[str]", st.session_state.get(_DONE, frozenset()))


def begin_anew() -> None:
    """Nothing was seen yet."""
    for key in (_AT, _DONE):
        st.session_state.pop(key, None)
