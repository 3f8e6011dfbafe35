"""What something that happened says about one outcome, given what is recorded of it already. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from engine.model.outcome import EventKind


class Fact(NamedTuple):
    """An event that still holds: nothing has superseded it. `corrects` says that it superseded another."""

    event_id: UUID
    kind: EventKind
    occurred_at: datetime
    corrects: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The event to add, and the one in whose place it comes, if any."""

    kind: EventKind
    supersedes: UUID | None = None


def verdict(at: datetime, closes_at: datetime, facts: Sequence[Fact]) -> Verdict | None:
    """The event that something which happened `at` adds to an outcome with these facts; None if it says nothing new.

    The first moment at which it happened is the one that counts, in whatever order the reports come in. Inside the
    window it is positive, also when its report came after the window had been found empty: the negative was then
    premature, and is superseded. After the window it is late, which changes neither a positive nor a negative.
    """
    answered = _first(facts, EventKind.POSITIVE)
    if at > closes_at:
        late = _first(facts, EventKind.LATE)
        if answered or (late and late.occurred_at <= at):
            return None
        return Verdict(EventKind.LATE, late.event_id if late else None)
    if answered and answered.occurred_at <= at:
        return None
    # A late one that corrects stands where the resolution stood, and so has to make room for the new one.
    corrected = next((fact for fact in facts if fact.kind is EventKind.LATE and fact.corrects), None)
    replaced = answered or _first(facts, EventKind.NEGATIVE) or corrected
    return Verdict(EventKind.POSITIVE, replaced.event_id if replaced else None)


def _first(facts: Sequence[Fact], kind: EventKind) -> Fact | None:
    return min((fact for fact in facts if fact.kind is kind), key=lambda fact: fact.occurred_at, default=None)
