"""The transcript shows what the engine had seen, with its quotes marked."""

from __future__ import annotations

import pytest

from engine.model.conversation import Speaker, Turn
from engine.model.qualification import Dimension
from tests.workbench.prepared import conversation, side
from workbench.presenters.transcript import (
    EVERYTHING,
    MOST_EARLIER,
    THIS_MESSAGE,
    Message,
    Reason,
    highlight_choices,
    note_of,
    transcript,
)

SIDES = (side("rules"), side("recorded"))


def messages(turn: int, choice: str = THIS_MESSAGE) -> list[Message]:
    shown = transcript(conversation("carrier"), SIDES, turn, choice)
    return [*shown.earlier, shown.current]


@pytest.mark.parametrize(("turn", "following"), [(1, [2]), (3, [4]), (5, [])])
def test_what_came_later_is_kept_apart(turn: int, following: list[int]) -> None:
    shown = transcript(conversation("carrier"), SIDES, turn, THIS_MESSAGE)
    assert [message.turn for message in shown.earlier] == list(range(turn))
    assert shown.current.turn == turn
    assert [message.turn for message in shown.following] == following


def test_of_a_long_conversation_the_first_messages_are_left_out() -> None:
    turns = tuple(Turn(index=index, speaker=Speaker.CUSTOMER, text=str(index)) for index in range(100))
    long = conversation("carrier").model_copy(update={"turns": turns, "stage_changes": ()})
    shown = transcript(long, (), 60, THIS_MESSAGE)
    assert shown.left_out == 60 - MOST_EARLIER
    assert [message.turn for message in shown.earlier] == list(range(60 - MOST_EARLIER, 60))


@pytest.mark.parametrize(
    ("turn", "choice", "marked"),
    [
        (3, THIS_MESSAGE, {1: [], 3: ["a wrong order cost us €40,000", "I barely sleep"]}),
        (3, EVERYTHING, {1: ["We re-key every order by hand", "It takes two days a week"],
                         3: ["a wrong order cost us €40,000", "I barely sleep"]}),
        (3, "pain", {1: ["It takes two days a week"], 3: ["I barely sleep"]}),
        (3, "metrics", {1: [], 3: ["a wrong order cost us €40,000"]}),
        (5, THIS_MESSAGE, {5: []}),
    ],
)  # fmt: skip
def test_quotes_are_marked(turn: int, choice: str, marked: dict[int, list[str]]) -> None:
    item = conversation("carrier")
    shown = {message.turn: message for message in messages(turn, choice)}
    for index, expected in marked.items():
        found = [item.turns[index].text[passage.start : passage.end] for passage in shown[index].quotes]
        assert found == expected


def test_a_quote_of_one_side_names_that_side() -> None:
    other = side("rules", "hostile")
    body = transcript(conversation("carrier"), (SIDES[0], other), 1, THIS_MESSAGE).current.body
    assert "need &#40;rules&#41;" in body
    assert "need &#40;" not in messages(1)[-1].body


@pytest.mark.parametrize(
    ("reasons", "note"),
    [
        ([Reason(Dimension.PAIN, ""), Reason(Dimension.NEED, "")], "need, pain"),
        ([Reason(Dimension.PAIN, "Rules")], "pain (Rules)"),
        ([Reason(Dimension.PAIN, "Rules"), Reason(Dimension.PAIN, "Model")], "pain"),
        ([Reason(Dimension.PAIN, "Rules"), Reason(Dimension.PAIN, "")], "pain"),
        ([Reason(Dimension.NEED, "Rules"), Reason(Dimension.PAIN, "Model")], "need (Rules); pain (Model)"),
    ],
)
def test_a_note_names_a_side_only_where_one_side_quotes(reasons: list[Reason], note: str) -> None:
    assert note_of(reasons) == note


def test_dimensions_that_are_known_can_be_chosen() -> None:
    assert highlight_choices(SIDES, 1) == (THIS_MESSAGE, EVERYTHING, "need", "pain")
    assert highlight_choices(SIDES, 3) == (THIS_MESSAGE, EVERYTHING, "need", "metrics", "pain")
    assert highlight_choices((), 1) == (THIS_MESSAGE, EVERYTHING)


def test_a_stage_change_stands_after_its_message() -> None:
    assert [message.events for message in messages(3)] == [(), (), ("The seller moved the deal to discovery",), ()]


def test_the_contact_stands_for_a_customer_without_a_name() -> None:
    assert [message.name for message in messages(1)] == ["Sam Whitlock", "Nadia Okafor"]
