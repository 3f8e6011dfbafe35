"""The Replay page: one conversation, two runs side by side, one customer message at a time."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from engine.errors import QBSError
from evals.dataset_manifest import RECORDINGS
from evals.runs.rows import RunRow
from workbench import session
from workbench.components import answer, board, details, empty, replaying, stepper, transcript
from workbench.presenters import board as boards
from workbench.presenters import ladder, people, provenance, question
from workbench.presenters import transcript as transcripts
from workbench.presenters.changes import changes_between
from workbench.presenters.figures import spent
from workbench.presenters.labels import against_label
from workbench.presenters.runs import command_of, variant_to_add
from workbench.presenters.sides import Side, side_names, variant_words
from workbench.views import prompts_turn, reading
from workbench.views.choice import Choice, choose
from workbench.views.news import watch_runs

_SIDES = 2
_COLUMN_PIXELS = 320  # below this the columns of a row go below each other


def as_page() -> StreamlitPage:
    return st.Page(page, title="Replay", icon=":material/replay:", default=True)


def page() -> None:
    try:
        _page()
    except QBSError as error:
        empty.problem(str(error))


def _page() -> None:
    drawn_from = reading.runs_stamp()
    goal = session.arrive("replay")
    choice = choose(goal)
    if choice is not None:
        _walk(choice)
    watch_runs(drawn_from)


@st.fragment
def _walk(choice: Choice) -> None:
    """Everything about one message. A step draws this part of the page only."""
    turn = stepper.stepper(choice.conversation)
    session.settle(_place(choice, turn))
    sides = _sides(choice)
    _message(choice, sides, turn)
    _actions(choice, turn)
    if not sides:
        return
    details.heading("What is known so far")
    board.board(boards.board(sides, turn), [side.name for side in sides])
    _depth_and_people(choice, sides, turn)
    _origins(sides, turn)
    _label(choice, sides, turn)


def _actions(choice: Choice, turn: int) -> None:
    """From a bad turn to the prompt that answered it."""
    if choice.runs:
        asked = next((row for row in choice.runs if row.variant not in ("rules", "labels")), choice.runs[0])
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="turn actions"):
            prompts_turn.actions(choice.dataset.name, choice.conversation.id, turn, asked.run_id)


def _place(choice: Choice, turn: int) -> session.Place:
    left, right = (*(row.run_id for row in choice.runs), None, None)[:2]
    return session.Place(choice.dataset.name, choice.conversation.id, left, right, turn)


def _sides(choice: Choice) -> tuple[Side, ...]:
    names = side_names(choice.runs)
    return tuple(_side(name, row, choice.conversation.id) for name, row in zip(names, choice.runs, strict=True))


def _side(name: str, row: RunRow, conversation_id: str) -> Side:
    """A run that cannot be read is a side with nothing to say, which does not keep the other from being shown."""
    try:
        return Side.of(name, row.run_id, reading.records(row, conversation_id), row.problem)
    except QBSError as error:
        return Side.of(name, row.run_id, (), str(error))


def _message(choice: Choice, sides: Sequence[Side], turn: int) -> None:
    """The transcript, and beside it what each side would ask and what changed for it."""
    cards = st.grid(3 if sides else 2, min_column_width=_COLUMN_PIXELS, border=True)
    with cards.cell():
        _transcript(choice, sides, turn)
    for side in sides:
        with cards.cell():
            _question(choice, side, turn)
            _changes(side, turn)
    if len(sides) < _SIDES:
        with cards.cell():
            _more_runs(choice)


def _transcript(choice: Choice, sides: Sequence[Side], turn: int) -> None:
    place = st.container()
    choices = transcripts.highlight_choices(sides, turn)
    highlighted = transcript.highlight_choice(choices) if sides else choices[0]
    with place:
        transcript.transcript(transcripts.transcript(choice.conversation, sides, turn, highlighted))


def _question(choice: Choice, side: Side, turn: int) -> None:
    answer.heading(side.name, provenance.origins(side, turn), spent(side.analysis(turn)))
    found = question.asked(side, turn)
    if found is not None:
        answer.question(found)
    elif side.problem is not None:
        empty.problem(side.problem)
    else:
        row = next(row for row in choice.runs if row.run_id == side.run_id)
        answer.missing(side.failure(turn), command_of(row))


def _changes(side: Side, turn: int) -> None:
    before, after = side.before(turn), side.after(turn)
    if before is not None and after is not None:
        answer.changes(changes_between(before, after))
    answer.corrections(question.corrections(side, turn))


def _depth_and_people(choice: Choice, sides: Sequence[Side], turn: int) -> None:
    cards = st.grid(1 + _SIDES, min_column_width=_COLUMN_PIXELS, border=True)
    with cards.cell():
        details.title("Pain ladder", "How deep the customer's problem has been explored, message by message.")
        details.ladder(ladder.ladder(choice.conversation, sides, turn), ladder.described(sides, turn))
    for side in sides:
        with cards.cell():
            details.people(side.name, people.people(side, turn))


def _origins(sides: Sequence[Side], turn: int) -> None:
    with st.container(border=True):
        details.title("Where it came from", "Who answered, how long it took and what it cost. A dash: not measured.")
        columns = st.grid(len(sides), min_column_width=_COLUMN_PIXELS)
        for side in sides:
            with columns.cell():
                details.provenance(side.name, provenance.provenance(side, turn))


def _label(choice: Choice, sides: Sequence[Side], turn: int) -> None:
    label = choice.dataset.labels.get(choice.conversation.id, {}).get(turn)
    if label is not None:
        with st.container(border=True):
            details.title("Against the label", "What people who read the conversation say holds at this message.")
            details.against_label(against_label(label, sides), [side.name for side in sides])


def _more_runs(choice: Choice) -> None:
    """What to do for something to look at, or to compare with."""
    services, dataset = reading.services(), choice.dataset
    variant = variant_to_add(
        {row.variant for row in choice.runs},
        recorded=dataset.folder / RECORDINGS in services.recording_folders,
        labelled=choice.conversation.id in dataset.labels,
    )
    (empty.one_run if choice.runs else empty.no_runs)()
    if variant is None:
        empty.model_needed(dataset.name)
    else:
        replaying.offer(services, dataset.name, variant, f"Replay {dataset.name} by {variant_words(variant)}")
