"""The conversation as a chat. Every text is inert markdown by the time it comes here."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.elements.lib.layout_utils import Height

from engine.model.conversation import Speaker
from workbench.components.focus import released
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.transcript import EVERYTHING, THIS_MESSAGE, Message, Transcript
from workbench.presenters.words import DIMENSIONS, SPEAKERS
from workbench.session import HIGHLIGHT
from workbench.text import count

_EARLIER_PIXELS = 120  # of what came before, unless it is so short that it fits
_FITS_CHARACTERS = 300
_AVATARS = {
    Speaker.CUSTOMER: ":material/person:",
    Speaker.SELLER: ":material/support_agent:",
    Speaker.OTHER: ":material/groups:",
}


def transcript(shown: Transcript) -> None:
    """The current message in full; above it, scrolled to its end, what came before; folded below it, what followed."""
    if shown.earlier:
        _earlier(shown)
    with st.container(key="current"):
        message(shown.current, now=True)
    if shown.following:
        with st.expander("What the seller really said next", icon=":material/visibility:"):
            for said in shown.following:
                message(said)


def _earlier(shown: Transcript) -> None:
    long = sum(len(said.body) for said in shown.earlier) > _FITS_CHARACTERS
    height: Height = _EARLIER_PIXELS if long else "content"
    with st.container(height=height, border=False, autoscroll=long, gap="xsmall", key="earlier"):
        if shown.left_out:
            st.caption(f"{count(shown.left_out, 'earlier message')} left out", text_alignment="center")
        for said in shown.earlier:
            message(said)


def highlight_choice(choices: Sequence[str]) -> str:
    """Whose quotes are highlighted; `choices` change from turn to turn."""
    if st.session_state.get(HIGHLIGHT) not in choices:
        st.session_state[HIGHLIGHT] = choices[0]
    with released(HIGHLIGHT):
        return st.selectbox(
            "Highlight quotes of",
            choices,
            format_func=_choice,
            key=HIGHLIGHT,
            label_visibility="collapsed",
            icon=":material/format_ink_highlighter:",
        )


def _choice(choice: str) -> str:
    names = {dimension.value: f"Quotes on {word.name.lower()}" for dimension, word in DIMENSIONS.items()}
    return {THIS_MESSAGE: "Quotes in this message", EVERYTHING: "All quotes so far"}.get(choice) or names[choice]


def message(said: Message, *, now: bool = False) -> None:
    """One message; `now` sets it off as the one that everything else is about."""
    voice = "user" if now else said.speaker.value  # Streamlit tints the messages of a "user"
    with st.chat_message(voice, avatar=_AVATARS[said.speaker]), st.container(gap="xxsmall"):
        name = on_one_line(said.name) or SPEAKERS[said.speaker]
        badge = " :violet-badge[now]" if now else ""
        about = " · ".join(part for part in (f"turn {said.turn}", said.when) if part)
        st.markdown(f"**{name}**{badge}\\\n:small[:gray[{about}]]")
        st.markdown(said.body)
    for event in said.events:
        st.caption(f":material/flag: {event}", text_alignment="center")
