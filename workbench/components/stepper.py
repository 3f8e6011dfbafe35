"""Stepping through the customer's messages: buttons, arrow keys, a slider."""

from __future__ import annotations

import streamlit as st

from engine.model.conversation import Conversation
from workbench import session


def stepper(conversation: Conversation) -> int:
    """Draw it; the turn of the customer message to show. It stays within the conversation."""
    turns = [turn.index for turn in conversation.customer_turns]
    last = len(turns)
    session.go_to_message(session.message(), last)
    now = session.message()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="stepper"):
        _button("Earlier", "chevron_left", "Left", now - 1, last, disabled=now == 1)
        label = f"Customer message {now} of {last} · turn {turns[now - 1]}"
        if last > 1:
            st.slider(label, 1, last, key=session.MESSAGE)
        else:
            st.markdown(label, width="stretch")
        _button("Later", "chevron_right", "Right", now + 1, last, disabled=now == last)
    return turns[now - 1]


def _button(label: str, icon: str, key: str, goal: int, last: int, *, disabled: bool) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        icon_position="left" if key == "Left" else "right",
        shortcut=key,
        on_click=session.go_to_message,
        args=(goal, last),
        disabled=disabled,
        type="secondary" if key == "Left" else "primary",
        help=f"Arrow key: {key.lower()}",
    )
