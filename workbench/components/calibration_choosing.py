"""Choosing whose outcomes are looked at, what came of them, and as they were known when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from engine.model.outcome import OutcomeType
from workbench.components.focus import released
from workbench.learning import Whose
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.outcomes_words import WATCHED

_SIMULATED = "Outcomes of a simulated world: nobody was asked, and nobody answered. There the truth is known."


def tenant(choices: Sequence[Whose], key: str) -> None:
    """Whose."""
    simulated = {own.name for own in choices if own.simulated}
    with released(key):
        st.selectbox(
            "Tenant",
            [own.name for own in choices],
            key=key,
            format_func=lambda name: "Simulated world" if name in simulated else name,
            help="Whose outcomes: your own, or those of a simulated world in which the truth is known.",
        )


def outcome_type(key: str) -> None:
    """What counts as success."""
    with released(key):
        st.selectbox(
            "Watched for",
            list(OutcomeType),
            key=key,
            format_func=lambda own: WATCHED[OutcomeType(own)].name,
            help="Replies: the customer answers within 24 hours. Deal progress: the deal moves on within 30 days.",
        )


def as_of(names: Mapping[str, str], key: str) -> None:
    """As what was known when; `names` by moment in ISO 8601, empty for everything that was copied."""
    with released(key):
        st.selectbox(
            "As known",
            list(names),
            key=key,
            format_func=lambda own: names.get(own, own),
            accept_new_options=True,
            help="What was known at a moment, whatever came since; or write one, such as 2026-03-02. "
            "The same moment gives the same figures for ever.",
        )


def part(names: Mapping[str, str], key: str) -> None:
    """Which confidence: that of an answer, or of what was extracted."""
    st.segmented_control(
        "Which confidence",
        list(names),
        key=key,
        format_func=lambda own: names[own],
        required=True,
        label_visibility="collapsed",
    )


def simulated() -> None:
    """Said wherever simulated outcomes are shown."""
    st.badge("simulated", color="yellow", icon=":material/science:", help=_SIMULATED)


def rests_on(facts: Mapping[str, str]) -> None:
    """What the figures rest on, by icon: one quiet line, which wraps between its facts."""
    for icon, fact in facts.items():
        st.caption(f":material/{icon}: {on_one_line(fact)}", width="content")
