from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid5

import pytest

from engine.model.outcome import EventKind
from engine.outcomes.verdict import Fact, Verdict, verdict

ASKED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CLOSES = ASKED + timedelta(hours=24)
POSITIVE, NEGATIVE, LATE = EventKind.POSITIVE, EventKind.NEGATIVE, EventKind.LATE


def after(hours: float) -> datetime:
    return ASKED + timedelta(hours=hours)


def known(kind: EventKind, hours: float, *, corrects: bool = False) -> Fact:
    return Fact(uuid5(UUID(int=0), f"{kind} {hours}"), kind, after(hours), corrects)


SOON, LATER = known(POSITIVE, 2), known(POSITIVE, 20)
EMPTY = known(NEGATIVE, 24)
LATE_ONE, LATE_TWO = known(LATE, 30), known(LATE, 40)


@pytest.mark.parametrize(
    ("facts", "hours", "expected"),
    [
        ([], 1, Verdict(POSITIVE)),
        ([], 24, Verdict(POSITIVE)),  # the last moment is inside
        ([], 24.01, Verdict(LATE)),
        ([EMPTY], 5, Verdict(POSITIVE, EMPTY.event_id)),  # told after the window had been found empty
        ([EMPTY], 25, Verdict(LATE)),
        ([SOON], 5, None),
        ([SOON], 2, None),
        ([LATER], 5, Verdict(POSITIVE, LATER.event_id)),  # the first answer counts
        ([SOON], 50, None),
        ([EMPTY, LATE_ONE], 40, None),
        ([EMPTY, LATE_TWO], 30, Verdict(LATE, LATE_TWO.event_id)),
        ([LATE_ONE], 5, Verdict(POSITIVE)),
        ([EMPTY, LATE_ONE], 5, Verdict(POSITIVE, EMPTY.event_id)),
        ([known(LATE, 26, corrects=True)], 5, Verdict(POSITIVE, known(LATE, 26).event_id)),
    ],
)
def test_what_happened_is_held_against_the_window_and_what_is_known(facts, hours, expected):
    for order in permutations(facts):
        assert verdict(after(hours), CLOSES, order) == expected


def test_a_window_is_the_same_moment_in_every_zone():
    there = after(24).astimezone(tz=datetime.fromisoformat("2026-03-03T00:00:00+13:45").tzinfo)
    assert verdict(there, CLOSES, []) == Verdict(POSITIVE)
    assert verdict(there + timedelta(microseconds=1), CLOSES, []) == Verdict(LATE)
