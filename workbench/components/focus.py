"""Giving the keyboard back after a choice, so that the arrow keys step through the messages again."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def released(key: str) -> DeltaGenerator:
    """A place for the box with this key. It is another place after each choice: the browser draws the box anew there,
    and what is drawn anew has lost the focus, in which arrow keys would move through the box's own text.
    """
    return st.container(key=f"{key} is {st.session_state.get(key)}")
