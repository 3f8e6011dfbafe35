"""Choosing what to work on: a prompt and its version, and a turn that a run answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from engine.model.conversation import Conversation
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.words import Word
from workbench.text import clip

_PIXELS = 165  # the least width of a column
_EXCERPT = 70


def prompt(names: Mapping[str, Word], key: str, versions: Mapping[str, str], version_key: str) -> None:
    """Which prompt, and which version of it."""
    bar = st.grid(3, min_column_width=_PIXELS, vertical_alignment="bottom")
    with bar.cell():
        st.selectbox(
            "Prompt",
            list(names),
            format_func=lambda name: names[name].name,
            key=key,
            help="\n\n".join(f"**{word.name}** {word.meaning}" for word in names.values()),
        )
    with bar.cell(column_span=2):
        st.selectbox("Version", list(versions), format_func=lambda own: versions.get(own, own), key=version_key)


def facts(found: Mapping[str, str]) -> None:
    """What is remembered of the version: one quiet line, which wraps between its facts."""
    with st.container(horizontal=True, gap="small", key="version facts"):
        for icon, fact in found.items():
            st.caption(f":material/{icon}: {on_one_line(fact)}", width="content")


def turn(
    datasets: Sequence[str],
    runs: Mapping[str, str],
    conversations: Mapping[str, str],
    conversation: Conversation,
    keys: tuple[str, str, str, str],
) -> None:
    """Which turn, as which run answered it. `keys` are those of data set, run, conversation and turn."""
    dataset_key, run_key, conversation_key, turn_key = keys
    several = len(datasets) > 1
    bar = st.grid(4 if several else 3, min_column_width=_PIXELS, vertical_alignment="bottom")
    if several:
        with bar.cell():
            dataset(datasets, dataset_key)
    with bar.cell():
        st.selectbox(
            "As answered by",
            list(runs),
            format_func=lambda own: runs.get(own, own),
            key=run_key,
            disabled=not runs,
            placeholder="No run yet",
            help="The run whose answers are to get better. Trying a prompt puts new answers beside these.",
        )
    with bar.cell():
        st.selectbox(
            "Conversation",
            list(conversations) or [conversation.id],
            format_func=lambda own: f"{conversations.get(own, conversation.title)} · {own}",
            key=conversation_key,
        )
    with bar.cell():
        said = {item.index: clip(" ".join(item.text.split()), _EXCERPT) for item in conversation.customer_turns}
        st.selectbox(
            "Customer message", list(said), format_func=lambda own: f"turn {own}: {said.get(own, '')}", key=turn_key
        )


def dataset(names: Sequence[str], key: str) -> None:
    st.selectbox("Data set", names, key=key)


def tabs(names: Mapping[str, str], key: str) -> str:
    """Which part of the work; the one that is shown."""
    st.segmented_control(
        "Part",
        list(names),
        format_func=lambda own: names[own],
        key=key,
        required=True,
        label_visibility="collapsed",
        width="stretch",
    )
    return str(st.session_state[key])
