"""The live conversation as a chat that scrolls to its end, and a box for the customer's next words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from engine.model.conversation import MAX_TURN_CHARACTERS, Channel, Conversation
from workbench.components import badges, transcript
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.live_lines import Line
from workbench.presenters.transcript import Message
from workbench.presenters.words import CHANNELS, PERSONAS
from workbench.text import count

_PIXELS = 370
_CHOSEN = "live.suggestions chosen"


def heading(conversation: Conversation) -> None:
    """Who is talked to, of which company, and at what level."""
    contact = conversation.contact
    with st.container(gap="xxsmall"):
        st.markdown(f"##### {on_one_line(contact.name)}", anchors=False)
        with badges.row():
            badges.badge(PERSONAS[conversation.persona], icon=":material/badge:")
            st.caption(on_one_line(" · ".join(part for part in (contact.title, conversation.account) if part)))


def chat(messages: Sequence[Message], left_out: int, now: int | None) -> None:
    """Everything said, newest at the end; `now` is the turn that everything else on the page is about."""
    with st.container(height=_PIXELS, border=False, autoscroll=True, gap="xsmall", key="chat"):
        if left_out:
            st.caption(f"{count(left_out, 'earlier message')} left out", text_alignment="center")
        for said in messages:
            transcript.message(said, now=said.turn == now)


def nothing_said(*, scripted: bool) -> None:
    """What to do first."""
    with st.container(height=_PIXELS, border=False, key="chat", vertical_alignment="center"):
        st.markdown("#### Nothing has been said yet", anchors=False)
        if scripted:
            st.markdown(
                "Press **Play** and a recorded conversation unfolds, message by message. Or press **Step** for one."
            )
        st.markdown("Or write below what the customer says, and watch what the engine makes of it.")


def unread(read: Callable[[], None]) -> None:
    """The newest message was kept, and the process ended before it was read."""
    st.warning("The newest message is kept and has not been read yet.", icon=":material/mark_email_unread:")
    st.button("Read it now", icon=":material/psychology:", on_click=read)


def composer(
    key: str, channel_key: str, lines: Sequence[Line], say: Callable[[], None], put: Callable[[str], None]
) -> None:
    """Type the customer's words, or choose some. `say` takes them from `key`, `put` takes those of a line."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="composer"):
        st.segmented_control(
            "As", list(Channel), key=channel_key, required=True, format_func=_channel, label_visibility="collapsed"
        )
        # Another place once one was chosen: what is drawn anew there is closed.
        place = st.container(key=f"suggestions {st.session_state.get(_CHOSEN, 0)}", width="content")
        with place.popover("Suggestions", icon=":material/lightbulb:"):
            st.caption("Each makes the engine show something. One click says it.")
            for line in lines:
                st.button(line.shows, help=line.words, on_click=_put, args=(put, line.words), width="stretch")
    st.chat_input("What the customer says …", key=key, on_submit=say, max_chars=MAX_TURN_CHARACTERS)


def _put(put: Callable[[str], None], words: str) -> None:
    st.session_state[_CHOSEN] = st.session_state.get(_CHOSEN, 0) + 1
    put(words)


_CHANNEL_NAMES: Mapping[Channel, str] = {channel: word.name for channel, word in CHANNELS.items()}


def _channel(channel: Channel) -> str:
    return _CHANNEL_NAMES[channel]
