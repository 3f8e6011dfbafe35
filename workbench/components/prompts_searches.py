"""Searching for a better prompt: what to ask for, what was found, and the picture of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench.presenters.customer_text import on_one_line

_PIXELS = 150


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search is to aim at, and what it may spend. `cost_usd` is None where only calls are limited."""

    metrics: tuple[str, ...]
    calls: int
    cost_usd: float | None
    turns: int
    holdout: float
    seed: int


def form(prompt: str, dataset: str, metrics: Mapping[str, str], *, begun: bool) -> Wanted | None:
    """The budget and the aim; what was asked for, once it is to begin."""
    with st.form("search", border=True):
        st.markdown(f"##### Search for a better “{on_one_line(prompt)}” on {on_one_line(dataset)}", anchors=False)
        chosen = st.multiselect(
            "What is to get better",
            list(metrics),
            default=list(metrics)[:1],
            format_func=lambda own: metrics.get(own, own),
            help="Shares from 0 to 1. With several, every candidate that no other beats in all of them counts.",
        )
        boxes = st.grid(5, min_column_width=_PIXELS)
        with boxes.cell():
            calls = st.number_input("Calls at most", 10, None, 1_500, step=100, help="The test of the winner included.")
        with boxes.cell():
            cost = st.number_input("US dollars at most", 0.01, None, None, help="Empty: only calls are limited.")
        with boxes.cell():
            turns = st.number_input("Turns to search with", 4, 500, 40)
        with boxes.cell():
            held = st.number_input(
                "Held out, %", 10, 80, 30, help="Conversations that the search never sees; they test the winner."
            )
        with boxes.cell():
            seed = st.number_input("Seed", 0, None, 0)
        if st.form_submit_button("Search", type="primary", icon=":material/travel_explore:", disabled=begun):
            return Wanted(tuple(chosen), int(calls), cost, int(turns), held / 100, int(seed))
    return None


def choosing(names: Mapping[str, str], key: str) -> None:
    if len(names) > 1:
        st.selectbox("Search", list(names), format_func=lambda own: names.get(own, own), key=key)


def outcome(title: str, facts: Mapping[str, str]) -> None:
    st.markdown(f"##### {on_one_line(title)}", anchors=False)
    with st.container(horizontal=True, gap="small"):
        for icon, fact in facts.items():
            st.caption(f":material/{icon}: {on_one_line(fact)}", width="content")


def front(spec: Mapping[str, Any] | None, described: str, about: str) -> None:
    """The candidates; the dashed line joins those that no other beats."""
    if spec is None:
        st.caption("No candidate was tried to the end, so there is nothing to draw.")
        return
    st.vega_lite_chart(dict(spec), width="stretch", alt=described)
    st.caption(on_one_line(about))


def candidates(rows: Sequence[Mapping[str, Any]]) -> None:
    """Every candidate, best first; each is a version of the prompt."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    shares = {
        name: st.column_config.NumberColumn(format="%.1f %%")
        for name in columns
        if name not in ("Version", "From", "On the front", "Note")
    }
    values = {name: [row.get(name) for row in rows] for name in columns}
    st.dataframe(values, hide_index=True, column_config=shares, placeholder="—")
