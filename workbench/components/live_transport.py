"""Letting the scripted customer talk: play, pause, one step, how fast, and once more from the beginning."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from workbench.components import badges
from workbench.presenters.live_script import Position
from workbench.presenters.words import SPEAKERS, Word

_LEFT = Word(
    "Off the recording",
    "Something else was said, or the deal was moved: what models answered to the recorded conversation no longer fits. "
    "Restart follows it again.",
)


def transport(
    position: Position,
    speeds: Sequence[str],
    speed_key: str,
    *,
    playing: bool,
    begun: bool,
    toggle: Callable[[], None],
    step: Callable[[], None],
    restart: Callable[[], None],
) -> None:
    """Buttons, keys, and how far the recording has been told; `begun`: something was said, by whomever."""
    over = position.next is None
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="transport"):
        st.button(
            "Pause" if playing else "Play",
            icon=":material/pause:" if playing else ":material/play_arrow:",
            type="primary",
            shortcut="P",
            on_click=toggle,
            disabled=over and not playing,
        )
        st.button(
            "Step",
            icon=":material/skip_next:",
            shortcut="Right",
            on_click=step,
            disabled=over,
        )
        st.segmented_control("Speed", speeds, key=speed_key, required=True, label_visibility="collapsed")
        st.progress(position.done / position.total, text=_far(position, playing=playing))
        if not position.follows:
            badges.badge(_LEFT, "orange", ":material/fork_right:")
        st.button(
            "Restart",
            icon=":material/replay:",
            on_click=restart,
            disabled=not begun,
            help="From the beginning, as another contact: nothing that was kept is deleted.",
        )


def _far(position: Position, *, playing: bool) -> str:
    if position.next is None:
        return f"All {position.total} messages"
    paused = "**Paused** · " if position.done and not playing else ""
    return f"{paused}Message {position.done} of {position.total} · next: {SPEAKERS[position.next.speaker].lower()}"
