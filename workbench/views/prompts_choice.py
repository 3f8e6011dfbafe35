"""What the Prompts page works on: a version of a prompt, and a turn that a run answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from engine.errors import QBSError
from engine.model.conversation import Conversation
from engine.prompts import PromptSet
from evals.library import Dataset
from evals.runs.rows import RunRow
from evals.tuning.version_values import PromptVersion
from workbench.components import empty, prompts_choosing
from workbench.presenters import prompts_versions as listing
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.links import not_here
from workbench.presenters.prompts_rendered import TurnSeen
from workbench.presenters.sides import Side, side_names
from workbench.session import offer
from workbench.views import prompts_place as place
from workbench.views import prompts_reading, reading
from workbench.views.prompts_place import PromptsPlace


@dataclass(frozen=True)
class PromptsChoice:
    """A version of a prompt, the set that the other prompts come from, and a turn of a conversation.

    `run` is None where nobody has answered the data set yet. `others` names the set, as `--prompts` takes it.
    """

    version: PromptVersion
    versions: tuple[PromptVersion, ...]
    others: str
    dataset: Dataset
    conversation: Conversation
    turn: int
    run: RunRow | None
    run_name: str
    side: Side
    seen: TurnSeen

    @property
    def prompt(self) -> str:
        return self.version.name

    def set_with(self, version: PromptVersion | None = None) -> PromptSet:
        """The set that is used together with a version: this one, if not told otherwise."""
        return prompts_reading.set_named(self.others).with_prompts((version or self.version).prompt)


def choose(goal: PromptsPlace | None) -> PromptsChoice | None:
    """Draw what there is to choose from, set to `goal` where one is given; None if there is nothing to show."""
    to = goal or PromptsPlace()
    names = reading.services().dataset_names()
    if not names:
        empty.no_conversations()
        return None
    version, versions = _version(to)
    dataset = _dataset(to, names)
    if dataset is None:
        return None
    rows = prompts_reading.answering_runs(dataset.name)
    run = _run(to, rows)
    conversation, turn = _turn(to, dataset, run)
    others = _others(run)
    run_names = _run_names(version.name, rows)
    listed = {listing.key_of(own): listing.listed(own) for own in versions}
    prompts_choosing.prompt(listing.PROMPTS, place.PROMPT, listed, place.VERSION)
    prompts_choosing.turn(
        names,
        run_names,
        {own.id: own.title for own in _answered(dataset, run)},
        conversation,
        (place.DATASET, place.RUN, place.CONVERSATION, place.TURN),
    )
    name = run_names.get(run.run_id, "") if run else ""
    side = _side(name, run, conversation.id)
    seen = TurnSeen.of(conversation, turn, side.records.get(turn))
    return PromptsChoice(version, versions, others, dataset, conversation, turn, run, name, side, seen)


def _version(to: PromptsPlace) -> tuple[PromptVersion, tuple[PromptVersion, ...]]:
    _offer("prompt", place.PROMPT, list(listing.PROMPTS), to.prompt)
    name = st.session_state[place.PROMPT]
    versions = prompts_reading.versions(name)
    shipped = prompts_reading.workspace().shipped.prompt(name).hash[:8]
    wanted = listing.wanted_key(versions, to.version)
    _offer("version", place.VERSION, [listing.key_of(own) for own in versions], wanted, shipped)
    chosen = st.session_state[place.VERSION]
    return next(own for own in versions if listing.key_of(own) == chosen), versions


def _dataset(to: PromptsPlace, names: Sequence[str]) -> Dataset | None:
    row = prompts_reading.run_row(to.run)
    wanted = row.dataset if row is not None else to.dataset
    rows = reading.runs()
    answered = max(names, key=lambda name: sum(own.dataset == name for own in rows))
    _offer("data set", place.DATASET, names, wanted, answered)
    try:
        return reading.dataset(st.session_state[place.DATASET])
    except QBSError as error:
        prompts_choosing.dataset(names, place.DATASET)
        empty.unreadable(st.session_state[place.DATASET], error)
        return None


def _run(to: PromptsPlace, rows: Sequence[RunRow]) -> RunRow | None:
    _offer("run", place.RUN, [row.run_id for row in rows], to.run, prompts_reading.default_run(rows))
    return next((row for row in rows if row.run_id == st.session_state[place.RUN]), None)


def _run_names(prompt: str, rows: Sequence[RunRow]) -> dict[str, str]:
    versions = prompts_reading.version_names()
    return {
        row.run_id: listing.run_name(name, prompt, prompts_reading.prompts_of(row.run_id), versions)
        for row, name in zip(rows, side_names(rows), strict=True)
    }


def _answered(dataset: Dataset, run: RunRow | None) -> tuple[Conversation, ...]:
    """The conversations that the run has a turn of, by title; all of them without a run."""
    there = set(reading.answered_conversations(run)) if run is not None else set(dataset.hashes)
    found = (item for item in dataset.conversations if item.id in there)
    return tuple(sorted(found, key=lambda item: item.title.casefold()))


def _turn(to: PromptsPlace, dataset: Dataset, run: RunRow | None) -> tuple[Conversation, int]:
    conversations = {item.id: item for item in _answered(dataset, run)} or {
        item.id: item for item in dataset.conversations
    }
    _offer("conversation", place.CONVERSATION, list(conversations), to.conversation)
    conversation = conversations[st.session_state[place.CONVERSATION]]
    turns = [item.index for item in conversation.customer_turns]
    if to.turn is not None and to.turn not in turns:
        st.info(on_one_line(not_here("turn", f"{conversation.id}:{to.turn}", None)), icon=":material/link_off:")
    if to.turn in turns:
        st.session_state[place.TURN] = to.turn
    elif st.session_state.get(place.TURN) not in turns:
        st.session_state[place.TURN] = turns[0]
    return conversation, st.session_state[place.TURN]


def _others(run: RunRow | None) -> str:
    """What the other prompts are: those of the run, so that nothing but this prompt differs from it."""
    return prompts_reading.set_of_run(run.run_id) if run is not None else "shipped"


def _side(name: str, run: RunRow | None, conversation_id: str) -> Side:
    """A run that cannot be read is a side with nothing to say."""
    if run is None:
        return Side.of(name, "", ())
    try:
        return Side.of(name, run.run_id, reading.records(run, conversation_id), run.problem)
    except QBSError as error:
        return Side.of(name, run.run_id, (), str(error))


def _offer(kind: str, key: str, options: Sequence[str], wanted: str | None, default: str | None = None) -> None:
    """Choose for the widget `key`; say so if what a link names is not there."""
    missing = offer(key, list(options), wanted, default)
    if missing is not None:
        st.info(on_one_line(not_here(kind, missing, st.session_state.get(key))), icon=":material/link_off:")
