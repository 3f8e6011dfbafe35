"""What can be done about a turn: change the prompt for it, and see to it that it never breaks again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

_NEVER = "From now on no prompt set gets into production that is worse than what is there on this turn."


def change(prompts: StreamlitPage, query: Mapping[str, str]) -> None:
    st.page_link(
        prompts,
        label="Change the prompt",
        icon=":material/edit_note:",
        help="Open the Prompts page on this turn",
        query_params=query,
    )


def never_again(*, protected: bool, protect: Callable[[], None], key: str) -> None:
    """Put it on the list of turns that must not break; on it already, it says so."""
    st.button(
        "Must not break" if protected else "Never break again",
        icon=":material/shield_lock:" if protected else ":material/add_moderator:",
        key=key,
        disabled=protected,
        on_click=protect,
        help="It is on the list, which the Prompts page shows under Release." if protected else _NEVER,
    )
