"""Choosing how to have asked: always, wherever possible, by segment, or as a run or a variant would have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from engine.model.qbs import QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension
from evals.learning.facts.schema import ENUMS
from evals.learning.off_policy.log import INTERACTIONS
from evals.learning.off_policy.policies import SEGMENTS
from workbench.components.focus import released
from workbench.presenters.words import (
    CHANNELS,
    DELIVERIES,
    DEPTHS,
    DIMENSIONS,
    ENGAGEMENTS,
    PERSONAS,
    QUESTION_TYPES,
    STAGES,
    Word,
)

UNCHANGED = "as it was"

_PARTS: Mapping[str, tuple[str, Mapping[Any, Word]]] = {
    "question_type": ("Question type", QUESTION_TYPES),
    "target": ("What it asks for", DIMENSIONS),
    "delivery": ("Delivery", DELIVERIES),
}
_OPTIONS: Mapping[str, Sequence[str]] = {
    "question_type": tuple(QBSQuestionType),
    "target": tuple(Dimension),
    "delivery": tuple(VossDelivery),
}
_SEGMENTS: Mapping[str, tuple[str, Mapping[Any, Word]]] = {
    "engagement": ("Engagement", ENGAGEMENTS),
    "pain_depth": ("Pain depth", DEPTHS),
    "stage": ("Stage", STAGES),
    "persona": ("Contact", PERSONAS),
    "channel": ("Channel", CHANNELS),
    "interaction": ("Interaction", {}),
}
_MEANINGS = {
    "always": "This at every turn, whether it could have been asked there or not.",
    "prefer": "This wherever it could have been asked; elsewhere what was asked.",
    "table": "The first line that fits a turn says what to ask; where none fits, what was asked.",
    "run": "What a run recommended at the same turns: conversations and turns by their ids.",
    "variant": "What the rules, or the configured models, recommend now at the same turns.",
}


def form(names: Mapping[str, str], key: str) -> None:
    """Which kind of policy."""
    st.segmented_control(
        "How to have asked",
        list(names),
        key=key,
        format_func=lambda own: names[own],
        required=True,
        help="\n\n".join(f"**{names[own]}**: {meaning}" for own, meaning in _MEANINGS.items()),
    )


def meaning(chosen: str) -> None:
    st.caption(_MEANINGS[chosen])


def words(keys: Mapping[str, str]) -> None:
    """The parts of an action; what is not chosen stays as it was."""
    for part, key in keys.items():
        title, known = _PARTS[part]
        with released(key):
            st.selectbox(
                title,
                ["", *_OPTIONS[part]],
                key=key,
                format_func=partial(_named, known),
                help="\n\n".join(f"{word.name}: {word.meaning}" for word in known.values()),
            )


def by_segment(start: Sequence[Mapping[str, str | None]], key: str) -> list[dict[str, str | None]]:
    """A table to fill in, which begins with `start`; its lines, without empty ones. An empty cell fits everything."""
    columns = (*SEGMENTS, *_PARTS)
    rows = [{name: line.get(name) for name in columns} for line in start]
    edited: list[dict[str, str | None]] = st.data_editor(
        rows,
        key=key,
        num_rows="dynamic",
        hide_index=True,
        width="stretch",
        placeholder="–",
        column_config={name: _column(name) for name in columns},
    )
    return [line for line in edited if any(line.values())]


def run(names: Mapping[str, str], key: str) -> None:
    with released(key):
        st.selectbox("Run", list(names), key=key, format_func=lambda own: names.get(own, own))


def variant(names: Mapping[str, str], key: str) -> None:
    with released(key):
        st.selectbox("Variant", list(names), key=key, format_func=lambda own: names[own])


def by(key: str) -> None:
    """What a run or a variant is compared by."""
    st.pills(
        "Compared by",
        list(_PARTS),
        selection_mode="multi",
        key=key,
        format_func=lambda part: _PARTS[part][0],
        help="What makes one question another. The question type, if nothing is chosen.",
    )


def _named(known: Mapping[Any, Word], own: str) -> str:
    """The word as people know it; nothing is what it was."""
    if not own:
        return UNCHANGED
    return known[own].name if own in known else own


def _column(name: str) -> Any:
    title, known = {**_SEGMENTS, **_PARTS}[name]
    options = _OPTIONS.get(name) or (INTERACTIONS if name == "interaction" else ENUMS[name])
    where = "Where: " if name in _SEGMENTS else "Ask: "
    return st.column_config.SelectboxColumn(
        f"{where}{title.lower()}",
        options=list(options),
        format_func=partial(_named, known),
        help="How often the customer had written." if name == "interaction" else None,
    )
