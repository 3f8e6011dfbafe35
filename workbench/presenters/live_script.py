"""The scripted customer: which turn of a recorded conversation comes next, and whether a live one still follows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.model.conversation import Conversation, DealStage, Speaker, Turn
from engine.model.state import ConversationState, opening_state
from engine.stages import is_valid_transition

_CONTACT = re.compile(r"(?P<contact>.+) \((?P<script>[A-Za-z0-9][A-Za-z0-9._-]*)(?:, take (?P<take>[1-9]\d{0,3}))?\)")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a live conversation stands in the recording.

    `done` of `total` turns of the recording are behind it, `next` is the turn to deliver now (None at the end).
    `follows`: nothing else was said, and the deal is in the stage in which it then was; only then are the requests to
    a model those of a replay.
    """

    done: int
    total: int
    next: Turn | None
    follows: bool


def position(recorded: Conversation, said: Sequence[Turn], stage: DealStage) -> Position:
    """Where `said`, the live turns so far, stands. A seller's own words take the place of the recorded seller's."""
    done = 0
    for turn in said:
        if done < len(recorded.turns) and _same(turn, recorded.turns[done]):
            done += 1
        elif turn.speaker is Speaker.SELLER:
            done = _past_the_seller(recorded, done)
    alike = done == len(said) and all(map(_same, said, recorded.turns[:done]))
    total = len(recorded.turns)
    return Position(
        done, total, recorded.turns[done] if done < total else None, alike and stage is stage_at(recorded, done)
    )


def stage_at(recorded: Conversation, done: int) -> DealStage:
    """The stage of the deal once the first `done` turns were said, as far as the rules allow what was recorded."""
    stage = recorded.opening_stage
    for change in recorded.stage_changes:
        if change.after_turn < done and is_valid_transition(stage, change.to):
            stage = change.to
    return stage


def moves_after(recorded: Conversation, turn: int) -> tuple[DealStage, ...]:
    """The stages that the seller recorded after this turn."""
    return tuple(change.to for change in recorded.stage_changes if change.after_turn == turn)


def message_id(recorded: Conversation, turn: Turn) -> str:
    """The same whoever delivers the turn, and how often: a second delivery changes nothing."""
    return f"{recorded.id}:{turn.index}"


def opening(recorded: Conversation, take: int = 1) -> ConversationState:
    """The state before the first turn, as in a replay, but for a contact of its own in each take."""
    state = opening_state(recorded).model_copy(update={"deal_stage": stage_at(recorded, 0), "created_at": None})
    suffix = f"({recorded.id})" if take == 1 else f"({recorded.id}, take {take})"
    return state.model_copy(update={"contact_id": f"{state.contact_id} {suffix}"})


def script_of(contact: str) -> tuple[str, int] | None:
    """The recorded conversation and the take that a contact's id names; None for anybody else."""
    found = _CONTACT.fullmatch(contact)
    return None if found is None else (found["script"], int(found["take"] or 1))


def next_take(recorded: Conversation, contacts: Iterable[str]) -> int:
    """The number of a take that is none of those of `contacts`."""
    scripts = (found for contact in contacts if (found := script_of(contact)) is not None)
    return max((take for script, take in scripts if script == recorded.id), default=0) + 1


def _same(turn: Turn, recorded: Turn) -> bool:
    return (turn.speaker, turn.text) == (recorded.speaker, recorded.text)


def _past_the_seller(recorded: Conversation, done: int) -> int:
    while done < len(recorded.turns) and recorded.turns[done].speaker is Speaker.SELLER:
        done += 1
    return done
