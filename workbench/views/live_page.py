"""What the Live page shows: the talk, what the engine made of it, and the row in Postgres that changes with it."""

from __future__ import annotations

import time
from functools import partial

import streamlit as st

from engine.errors import QBSError
from engine.stages import VALID_TRANSITIONS
from workbench.background import background
from workbench.components import (
    answer,
    board,
    details,
    empty,
    live_chat,
    live_glance,
    live_reply,
    live_row,
    live_stages,
    live_transport,
)
from workbench.live import SECONDS, Kept, LiveConversations
from workbench.presenters import board as boards
from workbench.presenters import ladder, people, provenance, question
from workbench.presenters import live_glance as glimpses
from workbench.presenters import live_reply as replies
from workbench.presenters.changes import changes_between
from workbench.presenters.figures import latency, spent
from workbench.presenters.live_conversation import NAME, Talk, messages_so_far, talk_of
from workbench.presenters.live_lines import LINES
from workbench.presenters.live_outcome import calibrated_word, outcome_word
from workbench.presenters.live_row import qbs_size, row
from workbench.views import live_place, live_seen, live_turns, reading
from workbench.views.live_choice import LiveChoice, choose

_COLUMN_PIXELS = 360  # below this the columns of a row go below each other: one in a window of less than about 900
_OPENING_SECONDS = 120.0  # that a slow machine may take to set up Postgres


def page() -> None:
    try:
        _page()
    except QBSError as error:
        empty.problem(live_seen.said_of(error))
        if isinstance(error, live_seen.AWAY):
            st.fragment(run_every=live_seen.AGAIN)(_look_again)(time.monotonic())


def _look_again(since: float) -> None:
    """Draw the page anew once it is time."""
    if time.monotonic() - since > live_seen.AGAIN / 2:
        st.rerun()


def _page() -> None:
    goal = live_place.arrive()
    live = _opened()
    if live_place.is_outdated(live.erasures):
        live_place.begin_anew(live.erasures)
    choice = choose(goal, live)
    live_place.settle(choice.place)
    pace = _pace()
    st.fragment(run_every=pace)(_talk)(choice, live, pace)


def _pace() -> float | None:
    """Seconds until the talk is drawn anew by itself; None if it is not."""
    return live_seen.AGAIN if live_seen.away() else live_place.pace()


def _opened() -> LiveConversations:
    """The database with its schema, started if need be. Raises what keeps it from being used."""
    live = reading.live()
    if not live.is_open:
        with st.spinner(_opening_words(), show_time=True):
            background().call(live.open(), _OPENING_SECONDS)
    return live


def _opening_words() -> str:
    server = reading.services().database_server
    if not server.embedded:
        return "Connecting to Postgres."
    first = "" if server.folder.exists() else " The first time it is set up, which takes a few seconds."
    return f"Starting the Postgres that keeps what is said.{first}"


def _talk(choice: LiveChoice, live: LiveConversations, pace: float | None) -> None:
    """Everything about the conversation. A message, and every tick of a scripted customer, draws this part only."""
    if pace != _pace() or live_turns.restarted(choice) or live_place.is_outdated(live.erasures):
        st.rerun()
    try:
        _drawn(choice, live)
    except QBSError as error:  # here, because nothing above a part that is drawn alone would show it
        empty.problem(live_seen.said_of(error))
    if pace != _pace():
        st.rerun()


def _drawn(choice: LiveChoice, live: LiveConversations) -> None:
    kept = live_turns.go_on(choice, live)
    above = st.container()
    cards = st.grid(3, min_column_width=_COLUMN_PIXELS)
    chat, asking, side = (cards.cell() for _ in range(3))
    asking = asking.container(border=True, height="stretch")
    talk = talk_of(kept.state or choice.opening, kept.turns)
    with above:
        if problem := live_seen.away():
            empty.problem(live_seen.advice(problem))
        _controls(choice, kept)
        live_glance.glance(glimpses.dimensions(talk), glimpses.people(talk))
    with chat.container(border=True, height="stretch"):
        _chat(choice, talk)
    with asking:
        with st.container(key="thinking"):
            live_turns.thinking(choice, live, kept)
        _question(kept, talk, busy=live_turns.under_way(choice, live) is not None)
    with side:
        _reply_and_ladder(choice, live, kept, talk)
    if talk.answered is not None:
        _known(talk, talk.answered)
    _postgres(choice, live, kept, talk)


def _controls(choice: LiveChoice, kept: Kept) -> None:
    place = live_turns.place_in_script(choice, kept)
    if place is not None:
        live_transport.transport(
            place,
            tuple(live_place.SPEEDS),
            live_place.SPEED,
            playing=live_place.playing(),
            begun=bool(kept.turns),
            toggle=live_place.pause if live_place.playing() else live_place.play,
            step=live_turns.step,
            restart=partial(live_turns.restart, choice),
        )


def _chat(choice: LiveChoice, talk: Talk) -> None:
    live_chat.heading(talk.conversation)
    messages, left_out = messages_so_far(talk)
    if messages:
        live_chat.chat(messages, left_out, talk.answered)
    else:
        live_chat.nothing_said(scripted=choice.recorded is not None)
    live_place.offer_channel(talk.conversation.channel)
    live_chat.composer(live_place.WORDS, live_place.CHANNEL, LINES, _say_words, _say)


def _say_words() -> None:
    _say(st.session_state.get(live_place.WORDS) or "")


def _say(words: str) -> None:
    live_turns.say(words, live_place.channel())


def _question(kept: Kept, talk: Talk, *, busy: bool) -> None:
    analysis = None if talk.answered is None else talk.side.analysis(talk.answered)
    answer.heading("Ask next", _origins(talk), spent(analysis))
    if talk.unread is not None and not busy:
        live_chat.unread(partial(live_turns.read, kept.id_of(talk.unread)))
    if talk.answered is None:
        st.markdown(":gray[The question that the engine recommends shows here, with what it read from the message.]")
        return
    found = question.asked(talk.side, talk.answered)
    before, after = talk.side.before(talk.answered), talk.side.after(talk.answered)
    if found is not None and before is not None and after is not None:
        answer.question(found, calibrated_word(kept.outcome, talk.answered))
        answer.changes(changes_between(before, after))
        answer.corrections(question.corrections(talk.side, talk.answered))


def _origins(talk: Talk) -> tuple[provenance.Origin, ...]:
    return () if talk.answered is None else provenance.origins(talk.side, talk.answered)


def _reply_and_ladder(choice: LiveChoice, live: LiveConversations, kept: Kept, talk: Talk) -> None:
    with st.container(border=True):
        _reply(choice, live, kept, talk)
    if talk.answered is not None:
        with st.container(border=True):
            details.title("Pain ladder", "How deep the customer's problem has been explored, message by message.")
            spec = ladder.ladder(talk.conversation, talk.sides, talk.answered)
            details.ladder(spec, ladder.described(talk.sides, talk.answered))


def _reply(choice: LiveChoice, live: LiveConversations, kept: Kept, talk: Talk) -> None:
    draft = None
    if talk.answered is not None:
        analysis = talk.side.analysis(talk.answered)
        recorded = analysis is not None and analysis.question.source.kind == "recorded"
        answers = live_turns.answers_of(choice, follows=recorded)  # whoever read the message drafts the reply
        draft = background().call(live.draft(choice.contact, talk, answers), SECONDS)
    if draft is None or talk.answered is None:
        live_reply.none_yet()
        return
    live_reply.reply(
        draft.text,
        replies.origin(draft.source),
        latency(draft.source.latency_ms) if draft.source.latency_ms is not None else "",
        [question.corrected(change) for change in draft.changes],
        outcome=outcome_word(kept.outcome, talk.answered),
        became=replies.what_became(talk.conversation, talk.answered, draft.text),
        key=f"{live_place.REPLY} {choice.contact.contact} {talk.answered}",
        send=partial(live_turns.reply, turn=talk.answered),
    )


def _known(talk: Talk, turn: int) -> None:
    """The board, and beside it who was mentioned and where all this came from."""
    details.heading("What is known so far")
    parts = st.grid(3, min_column_width=_COLUMN_PIXELS)
    with parts.cell(column_span=2):
        board.board(boards.board(talk.sides, turn), [NAME])
    with parts.cell():
        with st.container(border=True):
            details.people("", people.people(talk.side, turn))
        with st.container(border=True):
            details.title("Where it came from", "Who answered, how long it took, what it cost. A dash: not measured.")
            details.provenance("The newest message", provenance.provenance(talk.side, turn))


def _postgres(choice: LiveChoice, live: LiveConversations, kept: Kept, talk: Talk) -> None:
    """The row of this contact as its tenant sees it, and what another tenant sees."""
    details.heading("In Postgres")
    parts = st.grid(3, min_column_width=_COLUMN_PIXELS)
    with parts.cell(column_span=2), st.container(border=True):
        before = None if talk.answered is None else talk.side.before(talk.answered)
        columns = row(kept.saved, before) if kept.saved else ()
        live_row.row(kept.sight, columns, qbs_size(kept.state) if kept.state else None)
    with parts.cell():
        with st.container(border=True):
            about = (choice.contact, choice.other)
            live_row.other(live_seen.seen("other sight", about, live.sight(*about)), kept.sight)
        with st.container(border=True):
            stage = (kept.state or choice.opening).deal_stage
            live_stages.stages(stage, VALID_TRANSITIONS[stage], kept.moves, live_turns.move if kept.state else None)
