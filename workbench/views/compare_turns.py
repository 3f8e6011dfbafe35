"""Down to the cause, on the Compare page: which turns got better and worse, and one of them in full."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from engine.errors import QBSError
from engine.model.conversation import Conversation
from evals.compare import Row
from evals.runs.rows import RunRow
from evals.turn_changes import TurnChanges
from workbench import session
from workbench.comparing import Compared
from workbench.components import answer, compare_prompts, compare_turns, details, empty, transcript
from workbench.presenters import compare_costs as costs
from workbench.presenters import compare_prompts as prompts
from workbench.presenters import compare_turns as turns
from workbench.presenters import provenance, question
from workbench.presenters import transcript as transcripts
from workbench.presenters.changes import changes_between
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.figures import spent
from workbench.presenters.labels import against_label
from workbench.presenters.links import not_here
from workbench.presenters.runs import command_of
from workbench.presenters.sides import Side
from workbench.views import compare_place as place
from workbench.views import compare_reading, prompts_turn, reading
from workbench.views.compare_choice import CompareChoice
from workbench.views.compare_place import ComparePlace

_COLUMN_PIXELS = 320  # below this the columns of a row go below each other
_NO_CHANGE = "No turn was counted differently, so there is none to look at."


def offer_measure(rows: Sequence[Row], goal: ComparePlace | None) -> None:
    """Choose what the turns are looked at by, and open the turn that a link names."""
    names = [row.metric.name for row in rows]
    missing = session.offer(place.METRIC, names, goal.metric if goal else None, turns.first_choice(rows))
    if missing is not None:
        st.info(on_one_line(not_here("measure", missing, None)), icon=":material/link_off:")
    session.offer(place.ORDER, ["worse", "better"], goal.order if goal else None)
    if goal is not None:
        st.session_state[place.TURN] = goal.turn


def measure(rows: Sequence[Row]) -> Row | None:
    """The measure that the turns are looked at by; None where no turn differs in any."""
    chosen = st.session_state.get(place.METRIC)
    return next((row for row in rows if row.metric.name == chosen), None)


@st.fragment
def walk(choice: CompareChoice, compared: Compared, address: ComparePlace) -> None:
    """The list and the open turn. A step draws this part of the page only, and compares nothing anew."""
    rows = turns.choices(compared.comparison)
    titles = {row.metric.name: _title(row) for row in rows}
    details.heading("Down to the turns")
    if not rows:
        place.settle(address)
        st.markdown(f":gray[{_NO_CHANGE}]")
        return
    compare_turns.choosing(titles, place.METRIC, place.ORDER, _begin_anew)
    row = measure(rows) or rows[0]
    order = st.session_state[place.ORDER]
    changes = compared.changes(row.metric)
    listed = turns.ordered(changes, order)
    right = costs.who_was_right(compared.outcomes(row.metric)) if choice.is_model_against_rules else ""
    compare_turns.moves(turns.moves(changes), right)
    page_key = f"{place.PAGE} {row.metric.name} {order} {len(listed)}"
    found = turns.turn_list(choice.talks, row.metric, listed, st.session_state.get(page_key, 1))
    opened = _opened(choice, found)
    place.settle(_settled(address, row, order, opened))
    compare_turns.turn_list(found, opened, place.open_turn, page_key)
    if opened is not None:
        _turn(choice, row, changes, found, opened)


def _title(row: Row) -> str:
    return f"{row.metric.title} · {row.turns_differing:,} turns · {row.verdict}"


def _begin_anew() -> None:
    """Another measure, or the other way round: with the first turn open."""
    st.session_state[place.TURN] = None


def _opened(choice: CompareChoice, found: turns.TurnList) -> tuple[str, int] | None:
    """The turn that was asked for if it is there, else the first of the list."""
    asked = place.turn()
    if asked is not None and _is_there(choice, asked):
        return asked
    if asked is not None:
        st.info(on_one_line(not_here("turn", f"{asked[0]}:{asked[1]}", None)), icon=":material/link_off:")
    return found.keys[0] if found.keys else None


def _is_there(choice: CompareChoice, asked: tuple[str, int]) -> bool:
    id_, turn = asked
    conversation = choice.talks.by_id.get(id_)
    return conversation is not None and any(item.index == turn for item in conversation.customer_turns)


def _settled(address: ComparePlace, row: Row, order: place.Order, opened: tuple[str, int] | None) -> ComparePlace:
    return ComparePlace(address.runs, address.shown, address.view, address.part, row.metric.name, order, opened)


def _turn(
    choice: CompareChoice, row: Row, changes: TurnChanges, found: turns.TurnList, opened: tuple[str, int]
) -> None:
    conversation, turn = choice.talks.by_id[opened[0]], opened[1]
    change = changes.of_turn(opened)
    line = None if change is None else turns.line(choice.talks, row.metric, change)
    query = session.Place(
        choice.dataset.name, conversation.id, choice.first.run_id, choice.shown.run_id, turn
    ).address()
    further = partial(
        prompts_turn.actions, choice.dataset.name, conversation.id, turn, choice.shown.run_id, row.metric.tally.answer
    )
    compare_turns.head(
        line, conversation.title, turn, choice.sides, found.keys, place.open_turn, _replay_page(), query, further
    )
    sides = tuple(
        side(name, run, conversation.id) for name, run in zip(choice.sides, (choice.first, choice.shown), strict=True)
    )
    _cards(choice, conversation, sides, turn)
    _label(choice, conversation, sides, turn)
    _prompts(choice, conversation, sides, turn)


def side(name: str, row: RunRow, conversation_id: str) -> Side:
    """A run that cannot be read is a side with nothing to say, which does not keep the other from being shown."""
    try:
        return Side.of(name, row.run_id, reading.records(row, conversation_id), row.problem)
    except QBSError as error:
        return Side.of(name, row.run_id, (), str(error))


def _cards(choice: CompareChoice, conversation: Conversation, sides: Sequence[Side], turn: int) -> None:
    """The transcript, and beside it what each run asked, what changed for it, and what was corrected."""
    cards = st.grid(3, min_column_width=_COLUMN_PIXELS, border=True)
    with cards.cell():
        _transcript(conversation, sides, turn)
    for own, run in zip(sides, (choice.first, choice.shown), strict=True):
        with cards.cell():
            _answer(own, run, turn)


def _transcript(conversation: Conversation, sides: Sequence[Side], turn: int) -> None:
    above = st.container()
    highlighted = transcript.highlight_choice(transcripts.highlight_choices(sides, turn))
    with above:
        transcript.transcript(transcripts.transcript(conversation, sides, turn, highlighted))


def _answer(own: Side, run: RunRow, turn: int) -> None:
    answer.heading(own.name, provenance.origins(own, turn), spent(own.analysis(turn)))
    asked, before, after = question.asked(own, turn), own.before(turn), own.after(turn)
    if asked is not None:
        answer.question(asked)
    elif own.problem is not None:
        empty.problem(own.problem)
    else:
        answer.missing(own.failure(turn), command_of(run))
    if before is not None and after is not None:
        answer.changes(changes_between(before, after))
    answer.corrections(question.corrections(own, turn))


def _label(choice: CompareChoice, conversation: Conversation, sides: Sequence[Side], turn: int) -> None:
    label = choice.talks.label(conversation.id, turn)
    with st.container(border=True):
        details.title("Against the label", "What people who read the conversation say holds at this message.")
        if label is None:
            st.markdown(":gray[This turn has no label, so only what needs none is judged.]")
        else:
            details.against_label(against_label(label, sides), [own.name for own in sides])


def _prompts(choice: CompareChoice, conversation: Conversation, sides: Sequence[Side], turn: int) -> None:
    records = [own.records.get(turn) for own in sides]
    with st.expander("What the models were sent", icon=":material/difference:"):
        asked = [
            prompts.AskedSide(own.name, compare_reading.variant(own.run_id), record)
            for own, record in zip(sides, records, strict=True)
            if record is not None
        ]
        if len(asked) < len(sides):
            st.caption("One of the runs has no answer at this turn.")
            return
        found = prompts.prompt_differences(asked[0], asked[1], conversation, compare_reading.prompts())
        compare_prompts.prompts(found, choice.sides)


def _replay_page() -> st.navigation.page.Page:  # type: ignore[name-defined]
    from workbench.views import replay

    return replay.as_page()
