"""What a prompt makes of the turn: the messages, the variables with their values, and the schema of the reply."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.prompts import Message
from evals.tuning.checking import ReplyField
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.prompts_rendered import VariableRow
from workbench.text import printable

_PIXELS = 420
_FITS = 1_800  # characters that need no height of their own


def messages(sent: Sequence[Message], words: str) -> None:
    """Each message by role, as it would be sent. Everything in it is text."""
    st.caption(on_one_line(words))
    for message in sent:
        st.markdown(f"**{on_one_line(message['role'])}** :small[:gray[{len(message['content']):,} characters]]")
        st.code(
            printable(message["content"]),
            language=None,
            wrap_lines=True,
            height=_PIXELS if len(message["content"]) > _FITS else "content",
        )


def variables(rows: Sequence[VariableRow]) -> None:
    """All that the engine offers to this prompt, those in use first."""
    st.caption("Print one as {{ name }}. Declare it under `variables` in the front matter, with what it means.")
    st.dataframe(
        {
            "Variable": [row.name for row in rows],
            "Used": [row.used for row in rows],
            "Meaning": [row.meaning for row in rows],
            "At this turn": ["—" if row.value is None else printable(row.value) or "(empty)" for row in rows],
        },
        hide_index=True,
        column_config={
            "Variable": st.column_config.TextColumn(width="small"),
            "Used": st.column_config.CheckboxColumn(width="small"),
            "Meaning": st.column_config.TextColumn(width="medium"),
            "At this turn": st.column_config.TextColumn(width="large"),
        },
    )


def schema(fields: Sequence[ReplyField]) -> None:
    """What the model fills in. Its descriptions are part of the prompt."""
    if not fields:
        st.caption("This prompt is woven into others and asks for no reply.")
        return
    st.caption(
        "Sent along with the messages, and read like them. Under `reply` in the front matter a field can be described "
        "in other words, as in `confidence: How sure you are that they answer.`"
    )
    st.dataframe(
        {
            "Field": [own.path for own in fields],
            "Type": [own.type or "part" for own in fields],
            "Required": [own.required for own in fields],
            "Description": [own.description or "" for own in fields],
            "In the prompt's own words": [own.overridden for own in fields],
        },
        hide_index=True,
        column_config={
            "Required": st.column_config.CheckboxColumn(width="small"),
            "Description": st.column_config.TextColumn(width="large"),
            "In the prompt's own words": st.column_config.CheckboxColumn("Own words", width="small"),
        },
    )
