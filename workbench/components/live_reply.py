"""The reply that would carry the question: to copy, to change, to send as the seller's next message."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from engine.model.conversation import MAX_TURN_CHARACTERS
from workbench.components import answer, badges
from workbench.presenters.provenance import Origin
from workbench.presenters.question import Corrected
from workbench.presenters.words import Word

TITLE = "Drafted reply"


def reply(
    text: str,
    origin: Origin,
    took: str,
    corrected: Sequence[Corrected],
    *,
    became: str,
    outcome: Word | None,
    key: str,
    send: Callable[[str], None],
) -> None:
    """The draft. `became` says what the seller did already, empty if nothing; `outcome` is what became of the
    recommendation so far; `send` takes the text that is sent.
    """
    answer.heading(TITLE, [origin], took)
    st.code(text, language=None, wrap_lines=True)
    if became:
        st.markdown(f":green[:material/check_circle:] :gray[{became}]")
    else:
        _sending(text, key, send)
    if outcome is not None:
        with badges.row():
            badges.badge(outcome, icon=":material/flag:")
    answer.corrections(corrected)


def none_yet() -> None:
    answer.heading(TITLE, [], "")
    st.markdown(":gray[Comes with the question.]")


def _sending(text: str, key: str, send: Callable[[str], None]) -> None:
    with st.container(horizontal=True, gap="small", key="replying"):
        st.button("Send as the seller", icon=":material/send:", type="primary", on_click=send, args=(text,))
        with st.popover("Change it first", icon=":material/edit:"):
            st.text_area("Reply", text, key=key, height=220, max_chars=MAX_TURN_CHARACTERS)
            st.button("Send this", icon=":material/send:", on_click=_send_changed, args=(key, send))


def _send_changed(key: str, send: Callable[[str], None]) -> None:
    send(st.session_state.get(key) or "")
