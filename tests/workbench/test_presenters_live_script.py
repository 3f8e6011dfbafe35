"""The scripted customer: what comes next, and when the conversation no longer is the recorded one."""

from __future__ import annotations

import pytest

from engine.model.conversation import DealStage, Speaker, StageChange, Turn
from tests.workbench.prepared import conversation
from workbench.presenters.live_script import (
    message_id,
    moves_after,
    next_take,
    opening,
    position,
    script_of,
    stage_at,
)

CARRIER = conversation("carrier")  # seller and customer by turns; after turn 2 the deal is in discovery
ALL = CARRIER.turns
PROSPECTING, DISCOVERY = DealStage.PROSPECTING, DealStage.DISCOVERY


def said(speaker: Speaker, text: str = "Something else.") -> Turn:
    return Turn(index=0, speaker=speaker, text=text)


@pytest.mark.parametrize(
    ("turns", "stage", "expected"),
    [
        pytest.param((), PROSPECTING, (0, 0, True), id="nothing was said yet"),
        pytest.param(ALL[:2], PROSPECTING, (2, 2, True), id="it follows the recording"),
        pytest.param(ALL[:3], DISCOVERY, (3, 3, True), id="the recorded stage was reached"),
        pytest.param(ALL[:3], PROSPECTING, (3, 3, False), id="the deal is not where it was in the recording"),
        pytest.param(ALL, DISCOVERY, (6, None, True), id="everything was said"),
        pytest.param(
            (*ALL[:2], said(Speaker.CUSTOMER)), PROSPECTING, (2, 2, False), id="the customer said something else"
        ),
        pytest.param(
            (*ALL[:2], said(Speaker.SELLER)),
            PROSPECTING,
            (3, 3, False),
            id="the seller answered in the recorded's place",
        ),
        pytest.param(
            (*ALL[:3], said(Speaker.SELLER)), DISCOVERY, (3, 3, False), id="the seller said more than the recorded one"
        ),
        pytest.param(
            (said(Speaker.CUSTOMER), *ALL), DISCOVERY, (6, None, False), id="words before the recording's first"
        ),
    ],
)
def test_where_a_conversation_stands_in_the_recording(
    turns: tuple[Turn, ...], stage: DealStage, expected: tuple[int, int | None, bool]
) -> None:
    at = position(CARRIER, turns, stage)
    assert (at.done, at.next.index if at.next else None, at.follows) == expected
    assert at.total == 6


@pytest.mark.parametrize(("done", "stage"), [(0, PROSPECTING), (2, PROSPECTING), (3, DISCOVERY), (6, DISCOVERY)])
def test_the_stage_is_the_recorded_one(done: int, stage: DealStage) -> None:
    assert stage_at(CARRIER, done) is stage


def test_a_recorded_move_that_the_rules_forbid_is_passed_over() -> None:
    leap = CARRIER.model_copy(update={"stage_changes": (StageChange(after_turn=0, to=DealStage.NEGOTIATION),)})
    assert stage_at(leap, 6) is PROSPECTING


def test_a_stage_recorded_before_the_first_turn_is_the_opening_one() -> None:
    early = CARRIER.model_copy(update={"stage_changes": (StageChange(after_turn=-1, to=DISCOVERY),)})
    assert opening(early).deal_stage is DISCOVERY


def test_moves_come_after_their_turn() -> None:
    assert [moves_after(CARRIER, turn.index) for turn in ALL] == [(), (), (DISCOVERY,), (), (), ()]


def test_each_turn_has_its_own_message_id() -> None:
    assert [message_id(CARRIER, turn) for turn in ALL[:2]] == ["carrier:0", "carrier:1"]


@pytest.mark.parametrize("take", [1, 2, 17])
def test_a_contact_names_its_script_and_take(take: int) -> None:
    assert script_of(opening(CARRIER, take).contact_id) == ("carrier", take)


@pytest.mark.parametrize("contact", ["", "nadia@bronte.example", "Alex (acting", "(carrier)", "x (carrier, take 0)"])
def test_anybody_else_names_none(contact: str) -> None:
    assert script_of(contact) is None


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        ((), 1),
        (("nadia@bronte.example (carrier)",), 2),
        (("n (carrier)", "n (carrier, take 4)", "n (other, take 9)", "somebody"), 5),
    ],
)
def test_the_next_take_is_a_new_one(contacts: tuple[str, ...], expected: int) -> None:
    assert next_take(CARRIER, contacts) == expected
