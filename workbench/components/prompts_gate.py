"""What the gate says of a prompt set: the decision, everything that was looked at, and the turns that say why."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from workbench.presenters.customer_text import on_one_line
from workbench.presenters.prompts_releases import FindingLine, TurnLine

Query = dict[str, str | list[str]]
_COLOURS = {"ok": "blue", "no": "orange", "not enough data": "gray"}


def decision(headline: str, sets: str, rests_on: str, *, passed: bool) -> None:
    icon, colour = ("verified", "green") if passed else ("block", "orange")
    st.markdown(f"#### :{colour}[:material/{icon}:] {on_one_line(headline)}", anchors=False)
    st.caption(on_one_line(sets))
    if rests_on:
        st.caption(f":material/forum: {on_one_line(rests_on)}")


def findings(found: Sequence[FindingLine]) -> None:
    """What blocks in full; the rest folded away."""
    blocking = [own for own in found if own.blocks]
    others = [own for own in found if not own.blocks]
    for own in blocking:
        _finding(own)
    if others:
        with st.expander(f"{len(others)} checks that do not block", expanded=not blocking):
            for own in others:
                _finding(own)


def turns(
    title: str,
    found: Sequence[TurnLine],
    links: Callable[[TurnLine], Sequence[tuple[StreamlitPage, str, Query]]],
    work_on: Callable[[TurnLine], None],
) -> None:
    """Each turn with its figures before and after, links to look at it, and a button to change the prompt for it."""
    if not found:
        return
    st.markdown(f"**{on_one_line(title)}**")
    for number, own in enumerate(found):
        key = f"{title} {number} {own.conversation} {own.turn}"
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"why {key}"):
            what = f"**{on_one_line(own.conversation)}**, turn {own.turn} · {on_one_line(own.metric)}"
            st.markdown(f":small[{what}: {on_one_line(own.moved)}]", width="stretch")
            for page, label, query in links(own):
                st.page_link(page, label=label, query_params=query)
            st.button(
                "Change the prompt",
                icon=":material/edit_note:",
                type="tertiary",
                key=f"change for {key}",
                on_click=work_on,
                args=(own,),
            )


def _finding(own: FindingLine) -> None:
    colour = "red" if own.blocks else _COLOURS[own.word]
    word = "stops it" if own.blocks else own.word
    st.markdown(
        f":{colour}-badge[:material/{own.icon}: {word}] :small[:gray[{own.kind}]] :small[{on_one_line(own.reason)}]"
    )
