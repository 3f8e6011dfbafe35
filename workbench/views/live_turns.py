"""What a click, or a tick of the scripted customer, sets off on the Live page, watched step by step."""

from __future__ import annotations

from concurrent.futures import wait
from uuid import uuid4

import streamlit as st

from engine.errors import QBSError
from engine.model.conversation import Channel, DealStage, Speaker, Turn
from workbench.components import empty, live_thinking
from workbench.live import Answers, Kept, LiveConversations, Saying, UnderWay
from workbench.presenters.live_answers import who_answers
from workbench.presenters.live_script import Position, message_id, moves_after, position
from workbench.views import live_place, live_seen
from workbench.views.live_choice import LiveChoice

_MOMENT = 0.4  # seconds that the page waits for a turn before it shows what there is meanwhile
_LOOKS_APART = 0.25  # seconds


def go_on(choice: LiveChoice, live: LiveConversations) -> Kept:
    """Do what was asked for or is due, and wait a moment for it; what is kept of the contact then.

    What takes longer goes on, and is watched while the page shows what there is. While the database is away nothing
    is begun: what was asked for is done once it is back.
    """
    kept = _kept(choice, live)
    begun = under_way(choice, live)
    _pause_after_problem(live.last(choice.contact))
    while not live_seen.away() and (begun is not None or (begun := _begun(choice, live, kept)) is not None):
        done = wait((begun.taking,), _MOMENT).done
        kept = _kept(choice, live)
        if not done:
            break
        _pause_after_problem(begun)
        begun = None
    return kept


def _kept(choice: LiveChoice, live: LiveConversations) -> Kept:
    return live_seen.seen("kept", choice.contact, live.kept(choice.contact))


def under_way(choice: LiveChoice, live: LiveConversations) -> UnderWay | None:
    """What is being done for the contact at this moment."""
    last = live.last(choice.contact)
    return None if last is None or last.taking.done() else last


def thinking(choice: LiveChoice, live: LiveConversations, kept: Kept) -> None:
    """The steps of what was done last; as long as it is under way they are followed, and then the page drawn anew.

    Of what an earlier process did nobody knows the steps, and none are shown.
    """
    if (begun := under_way(choice, live)) is not None:
        _followed(begun)
        return
    last = live.last(choice.contact)
    if last is not None or not kept.turns:
        live_thinking.thinking(last.steps.taken() if last else ())
    if last is not None and (problem := _problem(last)):
        empty.problem(problem)


@st.fragment(run_every=_LOOKS_APART)
def _followed(begun: UnderWay) -> None:
    if begun.taking.done():
        st.rerun()
    live_thinking.thinking(begun.steps.taken())


def place_in_script(choice: LiveChoice, kept: Kept) -> Position | None:
    """Where the conversation stands in the recording; None where none is followed."""
    if choice.recorded is None:
        return None
    stage = (kept.state or choice.opening).deal_stage
    return position(choice.recorded, [item.turn for item in kept.turns], stage)


def say(words: str, channel: Channel) -> None:
    """The customer says this. A presenter who speaks wants to be heard: the script waits."""
    live_place.pause()
    if words.strip():
        live_place.wish("say", words.strip(), channel, uuid4().hex)


def step() -> None:
    live_place.pause()
    live_place.wish("step")


def restart(choice: LiveChoice) -> None:
    """From the beginning, as a contact of its own: that is another choice, so that the whole page is drawn anew."""
    if choice.recorded is not None:
        live_place.begin_take(choice.contact.tenant, choice.recorded.id, live_place.NEXT_TAKE)


def restarted(choice: LiveChoice) -> bool:
    """Whether `choice` was made before a restart."""
    script = choice.recorded
    return script is not None and live_place.take(choice.contact.tenant, script.id) == live_place.NEXT_TAKE


def reply(words: str, turn: int) -> None:
    """The seller sends this as the answer to customer message `turn`, once however often it is clicked."""
    live_place.pause()
    if words.strip():
        live_place.wish("reply", words.strip(), f"reply to {turn}")


def read(message_id: str) -> None:
    """Deliver a message again that was kept and never read."""
    live_place.wish("read", message_id)


def move(stage: DealStage) -> None:
    live_place.wish("move", stage)


def _begun(choice: LiveChoice, live: LiveConversations, kept: Kept) -> UnderWay | None:
    """What was wished for, or is due by now; None if there is nothing to do."""
    match live_place.granted():
        case ("say", words, channel, id_):
            return live.say(choice.contact, _typed(choice, kept, id_, words, Channel(channel)))
        case ("reply", words, id_):
            return live.say(choice.contact, _replied(choice, id_, words))
        case ("read", id_):
            return live.say(choice.contact, _saying(choice, id_, kept.turn_of(id_)))
        case ("move", stage):
            return live.move(choice.contact, DealStage(stage))
        case ("step",):
            return _next(choice, live, kept)
    return _next(choice, live, kept) if live_place.is_due() else None


def _next(choice: LiveChoice, live: LiveConversations, kept: Kept) -> UnderWay | None:
    """The recording's next message, whoever says it."""
    at = place_in_script(choice, kept)
    if at is None or at.next is None or choice.recorded is None:
        live_place.pause()
        return None
    turn = at.next
    if at.done + 1 == at.total:
        live_place.pause()
    id_, moves = message_id(choice.recorded, turn), moves_after(choice.recorded, turn.index)
    now = turn.model_copy(update={"time": None})
    return live.say(choice.contact, _saying(choice, id_, now, moves=moves, follows=at.follows))


def _typed(choice: LiveChoice, kept: Kept, id_: str, words: str, channel: Channel) -> Saying:
    state = kept.state or choice.opening
    own = None if channel is state.last_channel else channel
    turn = Turn(index=0, speaker=Speaker.CUSTOMER, name=state.contact_name, text=words, channel=own)
    return _saying(choice, id_, turn)


def _replied(choice: LiveChoice, id_: str, words: str) -> Saying:
    turn = Turn(index=0, speaker=Speaker.SELLER, text=words)
    return _saying(choice, id_, turn, carries=True)


def _saying(
    choice: LiveChoice,
    id_: str,
    turn: Turn,
    *,
    moves: tuple[DealStage, ...] = (),
    follows: bool = False,
    carries: bool = False,
) -> Saying:
    return Saying(id_, turn, choice.opening, answers_of(choice, follows=follows), moves, carries)


def answers_of(choice: LiveChoice, *, follows: bool) -> Answers:
    """Who answers the next message; `follows` says that it is the recording's next."""
    by = who_answers(choice.answers, recorded=follows and choice.recordings is not None, models=choice.models)
    return Answers(by, choice.recordings)


def _pause_after_problem(done: UnderWay | None) -> None:
    """The script waits after something went wrong, until it is played on."""
    if done is not None and done.taking.done() and _problem(done):
        live_place.pause_once(done.number)


def _problem(done: UnderWay) -> str:
    """What went wrong, in words; empty if nothing did."""
    try:
        return done.taking.result()
    except QBSError as error:
        return str(error)
