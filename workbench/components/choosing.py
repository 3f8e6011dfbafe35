"""Choosing what to look at: a conversation of a data set, and the runs to put side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import streamlit as st

from engine.model.conversation import Channel, Conversation, Persona
from evals.dataset_manifest import Split
from evals.origins import Origin, origin_line
from workbench.components.focus import released
from workbench.presenters.conversations import Wanted
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.words import CHANNELS, PERSONAS, STAGES
from workbench.session import CONVERSATION, DATASET, LEFT, RIGHT, first_message

CHANNEL, PERSONA, SPLIT = "channels", "personas", "splits"  # keys of the filters
_SPLITS: dict[Split, str] = {"dev": "Dev", "test": "Test"}


def wanted() -> Wanted:
    """What the filters say."""
    return Wanted(*(tuple(st.session_state.get(key) or ()) for key in (CHANNEL, PERSONA, SPLIT)))


def dataset(names: Sequence[str]) -> None:
    """Which data set, where there is more than one."""
    if len(names) > 1:
        with released(DATASET):
            st.selectbox("Data set", names, key=DATASET, on_change=first_message)


def filters() -> None:
    """Channel, contact and part, folded away behind one button that says how many are on."""
    on = wanted().count
    with st.popover(f"Filter ({on})" if on else "Filter", icon=":material/filter_list:", width="stretch"):
        st.pills(
            "Channel",
            list(Channel),
            selection_mode="multi",
            format_func=lambda channel: CHANNELS[channel].name,
            key=CHANNEL,
        )
        st.pills(
            "Contact",
            list(Persona),
            selection_mode="multi",
            format_func=lambda persona: PERSONAS[persona].name,
            key=PERSONA,
        )
        st.pills(
            "Part",
            list(_SPLITS),
            selection_mode="multi",
            format_func=lambda split: _SPLITS[split],
            key=SPLIT,
            help="The test part was set aside before any rule or prompt was written.",
        )


def no_match() -> None:
    """No conversation fits the filters."""
    st.info("No conversation fits these filters.", icon=":material/filter_list_off:")
    st.button("Clear the filters", on_click=clear_filters)


def conversation(choices: Iterable[Conversation]) -> None:
    """To be found by title or id."""
    titles = {item.id: f"{item.title} · {item.id}" for item in choices}
    with released(CONVERSATION):
        st.selectbox(
            "Conversation",
            list(titles),
            format_func=lambda id_: titles.get(id_, id_),
            key=CONVERSATION,
            on_change=first_message,
        )


def _side(label: str, key: str, names: Mapping[str, str], meaning: str | None = None) -> None:
    """One of the two runs, by id. With none to choose from the widget says so."""
    with released(key):
        st.selectbox(
            label,
            list(names),
            format_func=lambda id_: names.get(id_, id_),
            key=key,
            help=meaning,
            disabled=not names,
            placeholder=_placeholder(key, names),
        )


def _placeholder(key: str, names: Mapping[str, str]) -> str:
    if names:
        return "Choose a run"
    return "No other run" if key == RIGHT else "No run yet"


def left(names: Mapping[str, str]) -> None:
    _side("Compare", LEFT, names, "Two runs that went through this conversation: who answered, and how.")


def right(names: Mapping[str, str]) -> None:
    _side("with", RIGHT, {run_id: name for run_id, name in names.items() if run_id != st.session_state.get(LEFT)})


def about(item: Conversation, origin: Origin | None) -> None:
    """Who talks to whom, how, and where the data set has it from: one quiet line, which wraps between its facts."""
    facts = {
        "person": ", ".join(part for part in (item.contact.name, item.contact.title) if part),
        "domain": " · ".join(part for part in (item.account, item.industry) if part),
        "badge": PERSONAS[item.persona].name,
        "forum": CHANNELS[item.channel].name,
        "tag": item.id,
        "flag": f"Began in {STAGES[item.opening_stage].name.lower()}",
        "history_edu": origin_line(origin).capitalize(),
    }
    with st.container(horizontal=True, gap="small"):
        for icon, fact in facts.items():
            st.caption(f":material/{icon}: {on_one_line(fact)}", width="content")


def clear_filters() -> None:
    for key in (CHANNEL, PERSONA, SPLIT):
        st.session_state[key] = []
