"""A line of badges that fills while the customer talks."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.components import badges
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.live_glance import Glimpse, Standing

_LOOKS: dict[Standing, tuple[badges.Colour, str]] = {
    Standing.UNKNOWN: ("gray", ":material/radio_button_unchecked:"),
    Standing.KNOWN: ("violet", ":material/check_circle:"),
    Standing.MOVED: ("green", ":material/add_circle:"),
    Standing.DOUBTED: ("orange", ":material/help:"),
}


def glance(dimensions: Sequence[Glimpse], people: Glimpse) -> None:
    """Grey: not known; violet: known; green: this message's doing; orange: not to be trusted yet."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="glance"):
        for glimpse in dimensions:
            _badge(glimpse, _LOOKS[glimpse.standing][1])
        _badge(people, ":material/group:")


def _badge(glimpse: Glimpse, icon: str) -> None:
    st.badge(glimpse.word.name, color=_LOOKS[glimpse.standing][0], icon=icon, help=on_one_line(glimpse.word.meaning))
