"""The text of a prompt in an editor, and below it what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from evals.tuning.checking import Problem
from workbench.presenters.customer_text import on_one_line

_PIXELS = 620
_MONOSPACE = (
    "<style>.st-key-editor textarea {font-family: 'Source Code Pro', ui-monospace, monospace; "
    "font-size: 0.82rem; line-height: 1.5; tab-size: 2}</style>"
)
_SHOWN = 8  # problems; the first ones are usually the cause of the rest
_LINE = 100


@dataclass(frozen=True, slots=True)
class Saving:
    """What was said on saving a version. `label` is empty where no set is wanted."""

    note: str
    author: str
    label: str


def editor(text: str, key: str, on_change: Callable[[], None]) -> str:
    """The text as it is written by now; the keyboard leaves it with Tab, and Ctrl+Enter reads it."""
    st.html(_MONOSPACE)
    with st.container(key="editor"):
        written = st.text_area(
            "Text of the prompt",
            text,
            key=key,
            height=_PIXELS,
            on_change=on_change,
            help="Front matter between two lines of ---, then sections such as ## system. Ctrl+Enter checks the text.",
        )
    return written or ""


def problems(found: Sequence[Problem], text: str) -> None:
    """Each with its line; nothing at all where nothing is wrong."""
    lines = text.split("\n")
    for own in found[:_SHOWN]:
        colour, icon = ("red", "error") if own.severity == "error" else ("orange", "warning")
        where = f"line {own.line}" if own.line is not None else "whole text"
        st.markdown(f":{colour}-badge[:material/{icon}: {where}] {on_one_line(own.message)}")
        if own.line is not None and own.line <= len(lines) and lines[own.line - 1].strip():
            st.code(lines[own.line - 1][:_LINE], language=None)
    if len(found) > _SHOWN:
        st.caption(f"and {len(found) - _SHOWN} more")


def state(*, changed: bool, sound: bool, words: str) -> None:
    """Whether the text is as saved, whether it could be used, and how large it is."""
    mark = ":green[:material/check:] sound" if sound else ":red[:material/close:] cannot be used as it is"
    saved = ":orange-badge[:material/edit: not saved]" if changed else ":gray-badge[:material/save: as saved]"
    st.markdown(f"{saved} {mark} :small[:gray[{on_one_line(words)}]]")


def saving(*, can_save: bool, author: str, why_not: str) -> Saving | None:
    """A folded form; what was said, once it is to be saved."""
    with st.popover("Save as version", icon=":material/save:", disabled=not can_save, help=why_not or None):
        note = st.text_input("What is new", key="prompts note", placeholder="asks for numbers later")
        who = st.text_input("Who saves it", value=author, key="prompts saved by")
        label = st.text_input(
            "Also keep it in a set called",
            key="prompts label",
            placeholder="nothing: no set",
            help="A set is every prompt that is used together. The other prompts are those of the run.",
        )
        if st.button("Save", type="primary", key="save version", icon=":material/save:"):
            return Saving(note or "", who or "", (label or "").strip())
    return None
