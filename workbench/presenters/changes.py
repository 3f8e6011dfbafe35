"""What changed in the state since the turn before, as a short list in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engine import memory
from engine.model.qualification import AnySignal, Dimension, ListSignal
from engine.model.state import ConversationState
from workbench.presenters.board import Mark, mark
from workbench.presenters.figures import percent
from workbench.presenters.words import DEPTHS, DIMENSIONS, STAGES, URGENCIES
from workbench.text import clip

_LONGEST_BEFORE = 80  # characters of a value that was replaced

Kind = Literal["added", "raised", "changed"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different: what, from what (None where there was nothing), to what."""

    kind: Kind
    what: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that changed, and what is known and stayed as it was."""

    changes: tuple[Change, ...]
    unchanged: tuple[str, ...]


def changes_between(before: ConversationState, after: ConversationState) -> Changes:
    """What is different in `after`: stage, the ten dimensions, pain, people."""
    changed = (*_stage(before, after), *_signals(before, after), *_pain(before, after), *_people(before, after))
    same = [
        DIMENSIONS[dimension].name
        for dimension in after.qualification.identified
        if mark(before.qualification, after.qualification, dimension) is Mark.SAME
    ]
    return Changes(tuple(changed), tuple(same))


def _stage(before: ConversationState, after: ConversationState) -> Iterator[Change]:
    if before.deal_stage is not after.deal_stage:
        yield Change("changed", "Deal stage", STAGES[before.deal_stage].name, STAGES[after.deal_stage].name)


def _signals(before: ConversationState, after: ConversationState) -> Iterator[Change]:
    for dimension in Dimension:
        change = _signal(before, after, dimension)
        if change is not None:
            yield change


def _signal(before: ConversationState, after: ConversationState, dimension: Dimension) -> Change | None:
    old, new = before.qualification.signal(dimension), after.qualification.signal(dimension)
    name = DIMENSIONS[dimension].name
    match mark(before.qualification, after.qualification, dimension):
        case Mark.NEW:
            return Change("added", name, None, _valued(new.value, new))
        case Mark.CHANGED:
            return _changed(name, old, new)
        case Mark.SURER:
            return Change("raised", f"{name}, confidence", percent(old.confidence), percent(new.confidence))
        case Mark.MORE_EVIDENCE:
            return Change("raised", f"{name}, quotes", str(len(old.evidence)), str(len(new.evidence)))
        case _:
            return None


def _changed(name: str, old: AnySignal, new: AnySignal) -> Change:
    """Another value, or what came to a list that only grew."""
    if isinstance(old, ListSignal) and isinstance(new, ListSignal) and set(old.values) <= set(new.values):
        return Change("added", name, None, _valued("; ".join(v for v in new.values if v not in old.values), new))
    return Change("changed", name, clip(old.value or "", _LONGEST_BEFORE), _valued(new.value, new))


def _valued(value: str | None, signal: AnySignal) -> str:
    return f"{value} ({percent(signal.confidence)}{'' if signal.grounded else ', not trusted'})"


def _pain(before: ConversationState, after: ConversationState) -> Iterator[Change]:
    old, new = memory.pain(before), memory.pain(after)
    if new.depth is not old.depth:
        yield Change("raised", "Pain depth", DEPTHS[old.depth].name, DEPTHS[new.depth].name)
    known = {topic.name: topic for topic in old.topics}
    for topic in new.topics:
        if topic.name not in known:
            yield Change("added", "Pain topic", None, topic.name)
        elif (depth := known[topic.name].depth) is not topic.depth:
            yield Change("raised", f"Pain topic “{topic.name}”", DEPTHS[depth].name, DEPTHS[topic.depth].name)
    if new.backing_off and not old.backing_off:
        yield Change("changed", "Probing", "going on", "backing off")
    if old.backing_off and not new.backing_off:
        yield Change("changed", "Probing", "backing off", "may go on")


def _people(before: ConversationState, after: ConversationState) -> Iterator[Change]:
    known = {entry.trigger.mentioned_name_or_role for entry in memory.expansion(before).entries}
    for entry in memory.expansion(after).entries:
        if entry.trigger.mentioned_name_or_role not in known:
            urgency = URGENCIES[entry.trigger.urgency].name.lower()
            yield Change("added", "Person", None, f"{entry.trigger.mentioned_name_or_role} ({urgency})")
