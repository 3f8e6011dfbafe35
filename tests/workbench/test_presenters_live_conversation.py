"""A live conversation in the shapes of the Replay page: folded as it is kept, whole, and with what is missing said."""

from __future__ import annotations

import pytest

from engine.folding import KeptTurn
from engine.model.conversation import Speaker
from tests.workbench.live_talk import CARRIER, OPENING, kept
from workbench.presenters.live_conversation import NOT_HERE, messages_so_far, talk_of


def test_the_fold_that_is_shown_is_the_state_that_is_kept() -> None:
    state, turns = kept()
    talk = talk_of(state, turns)
    assert talk.side.after(5) == state
    assert [talk.side.analysis(turn) for turn in (1, 3, 5)] == [turns[turn].analysis for turn in (1, 3, 5)]


@pytest.mark.parametrize(
    ("said", "answered", "unread"), [(0, None, None), (1, None, None), (2, 1, None), (3, 1, None), (6, 5, None)]
)
def test_the_newest_answer_is_shown(said: int, answered: int | None, unread: int | None) -> None:
    talk = talk_of(*kept(CARRIER.turns[:said]))
    assert (talk.answered, talk.unread) == (answered, unread)


def test_a_message_that_was_kept_and_not_read_is_known_as_such() -> None:
    state, turns = kept(CARRIER.turns[:3])
    talk = talk_of(state, (*turns, KeptTurn(CARRIER.turns[3])))
    assert (talk.answered, talk.unread) == (1, 3)


def test_nothing_said_is_no_message() -> None:
    assert messages_so_far(talk_of(OPENING, ())) == ((), 0)


@pytest.mark.parametrize("said", [1, 2, 3, 6])
def test_every_message_is_shown_in_order(said: int) -> None:
    messages, left_out = messages_so_far(talk_of(*kept(CARRIER.turns[:said])))
    assert [message.turn for message in messages] == list(range(said))
    assert left_out == 0


def test_quotes_are_marked_in_the_message_that_was_read_last() -> None:
    messages, _ = messages_so_far(talk_of(*kept(CARRIER.turns[:5])))
    assert [message.turn for message in messages if message.quotes] == [3]


def test_a_long_conversation_says_what_is_left_out() -> None:
    many = tuple(CARRIER.turns[n % 2].model_copy(update={"index": n}) for n in range(60))
    messages, left_out = messages_so_far(talk_of(*kept(many)))
    assert left_out > 0
    assert [message.turn for message in messages] == list(range(left_out, 60))


def test_where_a_message_has_not_arrived_one_says_so() -> None:
    state, turns = kept((CARRIER.turns[0], CARRIER.turns[3]))
    talk = talk_of(state, turns)
    assert [turn.index for turn in talk.conversation.turns] == [0, 1, 2, 3]
    assert [turn.text for turn in talk.conversation.turns[1:3]] == [NOT_HERE, NOT_HERE]
    assert {turn.speaker for turn in talk.conversation.turns[1:3]} == {Speaker.OTHER}
    assert talk.answered == 3


def test_a_contact_of_whom_only_ids_are_known_is_named_by_them() -> None:
    bare = OPENING.model_copy(update={"metadata": {}, "contact_name": None})
    conversation = talk_of(bare, ()).conversation
    assert (conversation.account, conversation.contact.name) == (bare.account_id, bare.contact_id)
