"""Choosing what is compared: the data set, the runs, whose answers count, and which part of the turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import streamlit as st

from engine.model.conversation import Channel, DealStage, Persona
from engine.model.qbs import EngagementSignal
from evals.metrics.judged import View
from evals.slices import Slice
from workbench.presenters.compare_turns import Talks
from workbench.presenters.words import CHANNELS, ENGAGEMENTS, PERSONAS, STAGES

OptionT = TypeVar("OptionT", bound=str)
VIEWS = {View.MODEL: "Own answers", View.ALL: "With fallbacks"}
VIEW_MEANING = (
    "Own answers: what each run's model (or the rules, where they are the variant) answered itself; answers of a "
    "fallback in its place are left out. With fallbacks: everything, as the seller would have seen it."
)
_SPLITS: dict[str, str] = {"dev": "Dev", "test": "Test"}


def dataset(names: Sequence[str], key: str) -> None:
    st.selectbox("Data set", names, key=key)


def first(names: Mapping[str, str], key: str) -> None:
    st.selectbox(
        "Compare with",
        list(names),
        format_func=lambda id_: names.get(id_, id_),
        key=key,
        help="The run that the others are measured against: the one in use, or the rules.",
    )


def others(names: Mapping[str, str], key: str, most: int) -> None:
    st.multiselect(
        "Is it better?",
        list(names),
        format_func=lambda id_: names.get(id_, id_),
        key=key,
        max_selections=most,
        placeholder="Choose a run",
        help="One run or several, each measured against the first, on the turns that both answered.",
    )


def shown(names: Mapping[str, str], key: str) -> None:
    """Which of several runs is looked at closely."""
    st.segmented_control(
        "Look closely at", list(names), format_func=lambda id_: names.get(id_, id_), key=key, required=True
    )


def view(key: str) -> None:
    st.segmented_control(
        "Whose answers",
        list(View),
        format_func=lambda own: VIEWS[own],
        key=key,
        required=True,
        help=VIEW_MEANING,
        width="stretch",
    )


def filters(talks: Talks, part: Slice, keys: Mapping[str, str]) -> None:
    """Folded away behind one button that says how many are on; they hold for everything on the page."""
    label = f"Filter ({part.filters})" if part.filters else "Filter"
    with st.popover(label, icon=":material/filter_list:", width="stretch"):
        st.caption("Everything on the page is then about these turns alone.")
        _pills("Contact", list(Persona), {kind: PERSONAS[kind].name for kind in Persona}, keys["personas"])
        _pills("Channel", list(Channel), {kind: CHANNELS[kind].name for kind in Channel}, keys["channels"])
        _pills("Stage", talks.stages, {kind: STAGES[kind].name for kind in DealStage}, keys["stages"])
        if talks.labels:
            moods = {kind: ENGAGEMENTS[kind].name for kind in EngagementSignal}
            _pills("Engagement, by label", list(EngagementSignal), moods, keys["engagements"])
        if len(set(talks.split.values())) > 1:
            _pills("Part", list(_SPLITS), _SPLITS, keys["splits"])
        names = talks.titles
        st.multiselect(
            "Conversations", list(names), format_func=lambda id_: names.get(id_, id_), key=keys["conversations"]
        )


def _pills(label: str, options: Sequence[OptionT], names: Mapping[OptionT, str], key: str) -> None:
    st.pills(label, options, selection_mode="multi", format_func=lambda kind: names[kind], key=key)
