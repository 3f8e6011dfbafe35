"""What happens to the questions of a simulated world, when it becomes known, and where that leaves each at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engine.model.outcome import OutcomeStatus
from evals.learning.facts.values import Coded

if TYPE_CHECKING:
    from evals.learning.simulated import WorldSettings

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DAY_S = 86_400.0
WINDOW_S = DAY_S
PROGRESS_S = 30 * DAY_S
STATUSES = tuple(map(str, OutcomeStatus))


@dataclass(frozen=True, slots=True, eq=False)
class Happenings:
    """Per row, in seconds since the world began, NaN for what never happens or is never known.

    A reply came at `replied_s` and was known at `reported_s`; a newer question took the place at `replaced_s`; the
    window was found empty at `emptied_s`. `unsent` were not sent, `told` says of which of the others it is known.
    """

    asked_s: Floats
    replied_s: Floats
    reported_s: Floats
    replaced_s: Floats
    emptied_s: Floats
    unsent: Flags
    told: Flags
    advanced: Floats

    @property
    def closes_s(self) -> Floats:
        return self.asked_s + WINDOW_S


def happenings(
    chance: Generator, customer: NDArray[np.int64], asked_s: Floats, probability: Floats, told: WorldSettings
) -> Happenings:
    """Rows are in order of customer and time. `probability` is that of a reply inside the window."""
    count = len(asked_s)
    unsent = chance.random(count) < told.unsent
    replaced = _replaced(customer, asked_s, unsent)
    replied = _replies(chance, asked_s, probability, told.late)
    gone = unsent | (replied >= replaced)  # nobody saw the question, or the reply answers the newer one
    replied = np.where(gone | (chance.random(count) < told.missing), np.nan, replied)
    lag = np.where(chance.random(count) < told.reported_late, chance.uniform(1, 6, count) * DAY_S, 600.0)
    reported = np.round(replied + lag)
    return Happenings(
        asked_s=asked_s,
        replied_s=replied,
        reported_s=reported,
        replaced_s=replaced,
        emptied_s=_emptied(asked_s + WINDOW_S, replied, reported, unsent | ~np.isnan(replaced)),
        unsent=unsent,
        told=chance.random(count) < told.sending_told,
        advanced=_advanced(chance, asked_s, replied, told.weeks * 7 * DAY_S),
    )


def standing(found: Happenings, end_s: float) -> Coded:
    """Where each outcome stands for whom it is known what was known at `end_s`, as `engine.outcomes.standing` says."""
    known = found.reported_s <= end_s
    answered = known & (found.replied_s <= found.closes_s)
    conditions = [
        found.unsent,
        answered,
        known & ~answered,
        found.emptied_s <= end_s,
        found.replaced_s <= end_s,
    ]
    order = ["not_sent", "positive", "late", "negative", "superseded"]
    codes = np.select(conditions, [STATUSES.index(status) for status in order], STATUSES.index("pending"))
    return Coded(codes.astype(np.int32), STATUSES)


def known_later(found: Happenings, end_s: float) -> dict[str, Any]:
    """The columns of facts that only time fills, as numbers of seconds where they are times."""
    status = standing(found, end_s)
    known = status.equals("positive", "late")
    return {
        "status": status,
        "sent": np.where(found.unsent, 0.0, np.where(found.told, 1.0, np.nan)),
        "stage_advanced": found.advanced,
        "happened_at": np.where(known, found.replied_s, np.nan),
        "replaced_at": np.where(found.replaced_s <= end_s, found.replaced_s, np.nan),
    }


def _replaced(customer: NDArray[np.int64], asked_s: Floats, unsent: Flags) -> Floats:
    """When the next question that was sent to the same customer came, if the window was still open then."""
    sent = np.flatnonzero(~unsent)
    following = np.searchsorted(sent, np.arange(len(asked_s)), side="right")
    exists = following < len(sent)
    at = sent[np.minimum(following, max(len(sent) - 1, 0))] if len(sent) else np.zeros(len(asked_s), np.int64)
    taken = exists & (customer[at] == customer) & (asked_s[at] <= asked_s + WINDOW_S)
    return np.where(taken, asked_s[at], np.nan)


def _replies(chance: Generator, asked_s: Floats, probability: Floats, late: float) -> Floats:
    """When each customer replies: soon, most often; some after the window; many never."""
    count = len(asked_s)
    inside = chance.random(count) < probability
    after = ~inside & (chance.random(count) < late)
    soon = WINDOW_S * chance.beta(0.9, 2.5, count)
    later = WINDOW_S + 1 + chance.exponential(2 * DAY_S, count)
    waited = np.where(inside, np.clip(soon, 1.0, WINDOW_S), np.where(after, later, np.nan))
    return np.round(asked_s + waited)


def _emptied(closes_s: Floats, replied_s: Floats, reported_s: Floats, excepted: Flags) -> Floats:
    """When whoever looks every hour finds the window over and empty."""
    looked = (np.floor(closes_s / 3600.0) + 1) * 3600.0
    answered = (replied_s <= closes_s) & (reported_s <= looked)
    return np.where(excepted | answered, np.nan, looked)


def _advanced(chance: Generator, asked_s: Floats, replied_s: Floats, end_s: float) -> Floats:
    """Whether the deal moved within 30 days (1 or 0), NaN where those are not over."""
    odds = np.where(np.isnan(replied_s), -2.2, -0.9)
    moved = (chance.random(len(asked_s)) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    return np.where(asked_s + PROGRESS_S <= end_s, moved, np.nan)
