"""Folding again: the state of a conversation from its opening and what is kept of its turns, in their order. Pure.

After every save, a state is `fold(opening_of(state), turns)`, in whatever order the turns came in; and what did not
come from turns (a stage change, a person contacted, knowledge from elsewhere) stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import AwareDatetime, Field

from engine import memory
from engine.advance import advance
from engine.contacts import archive_contacted
from engine.guardrails import guard
from engine.merge import merge_qualification_signals
from engine.model.analysis import Analysis
from engine.model.conversation import Channel, Turn
from engine.model.qualification import QualificationState
from engine.model.state import ConversationState
from engine.model.value import Probability, Value

OPENING = "opening"  # its section in the metadata of a state
QBS = "qbs"


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """A turn with its analysis, if it has one: of sellers and of others nothing is analysed."""

    turn: Turn
    analysis: Analysis | None = None


class Opening(Value):
    """Of the state before the first turn, what turns change. Most often almost nothing."""

    qualification: QualificationState = QualificationState()
    interaction_count: int = Field(default=0, ge=0)
    last_interaction: AwareDatetime | None = None
    last_channel: Channel | None = None
    confidence_score: Probability = 0.0
    next_actions: tuple[str, ...] = ()
    qbs: dict[str, Any] = Field(default_factory=dict)


_CHANGED_BY_TURNS = tuple(name for name in Opening.model_fields if name != QBS)


def with_opening(state: ConversationState) -> ConversationState:
    """A state that no turn was folded into yet, with what turns will change of it kept in its metadata."""
    kept = {name: getattr(state, name) for name in _CHANGED_BY_TURNS}
    opening = Opening(**kept, qbs=state.metadata.get(QBS, {}))
    document = opening.model_dump(mode="json", exclude_defaults=True)
    return state.model_copy(update={"metadata": {**state.metadata, OPENING: document}})


def opening_of(state: ConversationState) -> ConversationState:
    """The state before the first turn, but for what turns do not change: that is as it is in `state`."""
    opening = Opening.model_validate(state.metadata.get(OPENING, {}))
    changes = {name: getattr(opening, name) for name in _CHANGED_BY_TURNS}
    return state.model_copy(update={**changes, "metadata": _with_qbs(state.metadata, opening.qbs)})


def fold(state: ConversationState, turns: Iterable[KeptTurn], history: Sequence[Turn] = ()) -> ConversationState:
    """The state after these turns, taken by their index whatever order they come in; `history` came before them.

    What each analyzer said is guarded again, against the state that it is folded onto and the turns before it.
    """
    before = list(history)
    for kept in sorted(turns, key=lambda kept: kept.turn.index):
        if kept.analysis is not None:
            state = advance(state, kept.turn, guard(state, kept.turn, before, kept.analysis))
        before.append(kept.turn)
    return state


def state_before(index: int, current: ConversationState, others: Sequence[KeptTurn]) -> ConversationState:
    """The state that turn `index` is analysed in, where `current` is the state after all `others`."""
    return _place(index, current, others).before


def take_in(
    current: ConversationState, others: Sequence[KeptTurn], turn: Turn, analysis: Analysis
) -> tuple[ConversationState, Analysis]:
    """The state with the analysis of `turn` folded in where it belongs, and the analysis as it is guarded there.

    `current` is the state after the `others`, for which `turn` counts as said already, if it came before them.
    """
    place = _place(turn.index, current, others)
    guarded = guard(place.before, turn, place.history, analysis)
    after = advance(place.before, turn, guarded)
    if not place.later:
        return after, guarded
    history = (*place.history, turn)
    expected, again = fold(place.before, place.later, history), fold(after, place.later, history)
    return _with_what_came_otherwise(again, expected, current), guarded


def make_room(current: ConversationState, others: Sequence[KeptTurn], turn: Turn) -> ConversationState:
    """The state once `turn` counts as said before those of the `others` that come after it; it is not analysed yet."""
    place = _place(turn.index, current, others)
    expected = fold(place.before, place.later, place.history)
    again = fold(place.before, place.later, (*place.history, turn))
    return _with_what_came_otherwise(again, expected, current)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a turn belongs: the state and the turns before it, and the turns after it, if any was folded in."""

    before: ConversationState
    history: tuple[Turn, ...]
    later: tuple[KeptTurn, ...]


def _place(index: int, current: ConversationState, others: Sequence[KeptTurn]) -> _Place:
    earlier = sorted((kept for kept in others if kept.turn.index < index), key=lambda kept: kept.turn.index)
    later = tuple(kept for kept in others if kept.turn.index > index)
    history = tuple(kept.turn for kept in earlier)
    if all(kept.analysis is None for kept in later):
        return _Place(current, history, ())
    return _Place(fold(opening_of(current), earlier), history, later)


def _with_what_came_otherwise(
    again: ConversationState, expected: ConversationState, current: ConversationState
) -> ConversationState:
    """The state folded `again`, with what there is in `current` beyond what was `expected` of its turns.

    That came otherwise than from turns: it cannot be had by folding, and is not to be lost.
    """
    if current.qualification != expected.qualification:
        merged = merge_qualification_signals(again.qualification, current.qualification)
        again = again.model_copy(update={"qualification": merged, "confidence_score": merged.overall_confidence})
    return _with_contacted(again, current)


def _with_contacted(state: ConversationState, current: ConversationState) -> ConversationState:
    """The state with those people marked as contacted whom somebody has contacted since."""
    expansion = known = memory.expansion(state)
    for entry in memory.expansion(current).entries:
        if entry.contacted:
            expansion = archive_contacted(expansion, entry.trigger.mentioned_name_or_role)
    return state if expansion == known else memory.put(state, expansion=expansion)


def _with_qbs(metadata: dict[str, Any], qbs: dict[str, Any]) -> dict[str, Any]:
    others = {name: section for name, section in metadata.items() if name != QBS}
    return {**others, QBS: qbs} if qbs else others
