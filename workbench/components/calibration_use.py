"""The calibration in use: what it is, whether it is still right, publishing another, and going back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from workbench.components import badges
from workbench.presenters.calibration_use import PublishedLine
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.words import Word

NOTE, BY = "calibration note", "calibration by"


def in_use(sentence: str) -> None:
    st.markdown(on_one_line(sentence))


def alerts(found: Sequence[tuple[Word, str]], rests_on: str) -> None:
    """What is wrong with it, each with its figures; or that nothing says so."""
    for kind, words in found:
        with badges.row():
            badges.badge(kind, "orange", ":material/warning:")
            st.markdown(on_one_line(words))
    if not found:
        st.markdown(":green[:material/check_circle:] Nothing says that it is stale.")
    st.caption(f"Checked on {on_one_line(rests_on)}")


def publish(name: str, *, can: str, person: str | None, on_click: Callable[[], None]) -> None:
    """A note, who, and the button; `can` says why it cannot be put to use, empty if it can."""
    if can:
        st.caption(on_one_line(can))
        return
    st.text_input(
        "Why", key=NOTE, placeholder="What it is for, in a few words", help="The note is kept with it, for ever."
    )
    if person is None:
        st.text_input("Who you are", key=BY)
    st.button(f"Publish {name}", type="primary", icon=":material/publish:", key="publish", on_click=on_click)


def history(lines: Sequence[PublishedLine], bring_back: Callable[[int], None], none: Callable[[], None]) -> None:
    """Everything that was published, newest first, each of the earlier ones with a way back."""
    if not lines:
        st.caption("No calibration was ever published for this tenant.")
        return
    for own in lines:
        with st.container(
            horizontal=True, vertical_alignment="center", gap="small", key=f"published {own.number}", border=True
        ):
            now = " :green-badge[:material/check: in use]" if own.current else ""
            why = f"\\\n:small[{on_one_line(own.note)}]" if own.note else ""
            st.markdown(
                f"**{own.number}** · **{on_one_line(own.name)}**{now}\\\n"
                f":small[:gray[{on_one_line(f'{own.when} by {own.by}, {own.window}')}]]{why}",
                width="stretch",
            )
            if own.can_return:
                st.button(
                    "Use again",
                    key=f"use again {own.number}",
                    type="tertiary",
                    on_click=bring_back,
                    args=(own.number,),
                )
    if lines[0].name != "none":
        st.button(
            "Roll back: use what was in use before",
            icon=":material/undo:",
            key="roll back",
            on_click=none,
            help="What was in use before the first is no correction at all. Going back is kept in the history too.",
        )
