"""Two texts word by word: struck out what only the first has, bold what only the second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from evals.tuning.word_diff import Piece
from workbench.components.compare_prompts import piece
from workbench.presenters.customer_text import on_one_line

_PIXELS = 420
_FITS = 1_500  # characters that need no height of their own


def choosing(names: Mapping[str, str], key: str) -> None:
    st.selectbox("From", list(names), format_func=lambda own: names.get(own, own), key=key)


def difference(title: str, found: Sequence[Piece], alike: str) -> None:
    """One of them in a box that scrolls; `alike` is said where nothing differs but white space."""
    st.markdown(f"**{on_one_line(title)}**")
    if not any(own.kind in ("added", "removed") for own in found):
        st.caption(on_one_line(alike))
        return
    long = sum(len(own.text) for own in found) > _FITS
    with st.container(height=_PIXELS if long else "content", border=True):
        st.markdown(" ".join(map(piece, found)))
