"""Badges: a short word on a quiet ground, its meaning on hover."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.presenters.customer_text import on_one_line
from workbench.presenters.provenance import Origin
from workbench.presenters.words import Word

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray", "primary"]


def row() -> DeltaGenerator:
    """A line for badges, which wraps where it is narrow."""
    return st.container(horizontal=True, gap="xxsmall", vertical_alignment="center")


def badge(word: Word, colour: Colour = "gray", icon: str | None = None) -> None:
    """The word is ours, never a customer's."""
    st.badge(word.name, color=colour, icon=icon, help=word.meaning)


def origins(found: Iterable[Origin]) -> None:
    """Who answered; a fallback is set apart by colour, icon and words."""
    for origin in found:
        icon = ":material/warning:" if origin.fallback else ":material/output:"
        text = f":{'orange' if origin.fallback else 'gray'}-badge[{icon} {on_one_line(origin.name)}]"
        st.markdown(text, help=on_one_line(origin.meaning))
