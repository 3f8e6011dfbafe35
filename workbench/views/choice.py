"""What the Replay page is about: from the address, from the widgets, or what a newcomer would begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from engine.errors import QBSError
from engine.model.conversation import Conversation
from evals.library import Dataset
from evals.runs.rows import RunRow
from workbench.components import choosing, empty
from workbench.presenters.conversations import message_of_turn, wanted_conversations
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.links import not_here, not_the_customers
from workbench.presenters.runs import default_sides
from workbench.presenters.sides import side_names
from workbench.session import CONVERSATION, DATASET, LEFT, RIGHT, Place, go_to_message, left_at, offer, settle
from workbench.views import reading

_BAR = {False: (4, 250), True: (6, 165)}  # columns and their least width in pixels, which make even rows when narrow


@dataclass(frozen=True, slots=True)
class Choice:
    """A conversation of a data set, and up to two runs that hold it."""

    dataset: Dataset
    conversation: Conversation
    runs: tuple[RunRow, ...]


def choose(goal: Place | None) -> Choice | None:
    """Draw what there is to choose from, set to `goal` where one is given; None if there is nothing to show."""
    names = reading.services().dataset_names()
    if not names:
        empty.no_conversations()
        return None
    to = _found(goal or Place(), names)
    _offer("data set", DATASET, {name: name for name in names}, to.dataset)
    try:
        dataset = reading.dataset(st.session_state[DATASET])
    except QBSError as error:
        settle(Place(dataset=st.session_state[DATASET]))
        choosing.dataset(names)
        empty.unreadable(st.session_state[DATASET], error)
        return None
    fitting = _fitting(dataset, to.conversation)
    if not fitting:
        choosing.dataset(names)
        choosing.filters()
        choosing.no_match()
        return None
    titles = {item.id: item.title for item in fitting}
    _offer("conversation", CONVERSATION, titles, to.conversation, left_at().conversation)
    conversation = dataset.conversation(st.session_state[CONVERSATION])
    runs = _runs(dataset, conversation, to)
    if to.turn is not None:
        _go_to_turn(conversation, to.turn)
    _draw(names, fitting, runs)
    choosing.about(conversation, dataset.origin)
    return Choice(dataset, conversation, tuple(runs[key] for key in _chosen(runs)))


def _found(to: Place, datasets: Sequence[str]) -> Place:
    """The place with the data set that the link means, and with a conversation that its run has answered."""
    rows = {row.run_id: row for row in reading.runs()} if to.left or to.right else {}
    row = rows.get(to.left or "") or rows.get(to.right or "")
    if row is not None and row.dataset in datasets:
        at = to.conversation or st.session_state.get(CONVERSATION)
        there = reading.answered_conversations(row)
        return replace(
            to, dataset=row.dataset, conversation=to.conversation or (at if at in there else next(iter(there), None))
        )
    if to.conversation is None or to.dataset is not None:
        return to
    present = st.session_state.get(DATASET) or left_at().dataset
    ordered = sorted(datasets, key=lambda name: name != present)
    return replace(to, dataset=next((name for name in ordered if _holds(name, to.conversation)), None))


def _holds(name: str, conversation_id: str) -> bool:
    """A data set that cannot be read holds nothing that could be shown."""
    try:
        return conversation_id in reading.dataset(name).hashes
    except QBSError:
        return False


def _fitting(dataset: Dataset, wanted: str | None) -> tuple[Conversation, ...]:
    """The conversations to choose from. One that a link names is among them, whatever the filters say."""
    fitting = wanted_conversations(dataset, choosing.wanted())
    if wanted in dataset.hashes and wanted not in {item.id for item in fitting}:
        choosing.clear_filters()
        return wanted_conversations(dataset, choosing.wanted())
    return fitting


def _runs(dataset: Dataset, conversation: Conversation, to: Place) -> dict[str, RunRow]:
    """The runs that hold the conversation, newest first, with two of them chosen."""
    rows = reading.runs_of(dataset.name, conversation.id)
    unanswered = reading.unanswered(rows)
    first, second = (*default_sides(rows, unanswered), None, None)[:2]
    names = dict(zip([row.run_id for row in rows], side_names(rows), strict=True))
    _offer("run", LEFT, names, to.left, first)
    others = {run_id: name for run_id, name in names.items() if run_id != st.session_state[LEFT]}
    wanted = None if to.right == st.session_state.get(LEFT) else to.right  # it is on the page already
    _offer("run", RIGHT, others, wanted, second, [run_id for run_id in others if run_id not in unanswered])
    return {row.run_id: row for row in rows}


def _chosen(runs: Mapping[str, RunRow]) -> tuple[str, ...]:
    return tuple(key for key in (st.session_state[LEFT], st.session_state[RIGHT]) if key in runs)


def _offer(
    kind: str,
    key: str,
    names: Mapping[str, str],
    wanted: str | None,
    default: str | None = None,
    otherwise: Sequence[str] | None = None,
) -> None:
    """Choose for the widget `key`, as `session.offer` does; say so if what a link names is not there."""
    missing = offer(key, list(names), wanted, default, otherwise)
    if missing is not None:
        st.info(
            on_one_line(not_here(kind, missing, names.get(st.session_state.get(key, "")))), icon=":material/link_off:"
        )


def _go_to_turn(conversation: Conversation, turn: int) -> None:
    go_to_message(message_of_turn(conversation, turn), len(conversation.customer_turns))
    if (problem := not_the_customers(conversation, turn)) is not None:
        st.info(problem, icon=":material/link_off:")


def _draw(datasets: Sequence[str], conversations: Sequence[Conversation], runs: Mapping[str, RunRow]) -> None:
    names = dict(zip(runs, side_names(list(runs.values())), strict=True))
    several = len(datasets) > 1
    columns, pixels = _BAR[several]
    bar = st.grid(columns, min_column_width=pixels, vertical_alignment="bottom")
    if several:
        with bar.cell():
            choosing.dataset(datasets)
    with bar.cell(column_span=1 + several):
        choosing.conversation(conversations)
    with bar.cell():
        choosing.left(names)
    with bar.cell():
        choosing.right(names)
    with bar.cell():
        choosing.filters()
