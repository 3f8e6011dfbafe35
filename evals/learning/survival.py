"""How long replies take: the share that has replied after so many seconds, counting those who may still reply rightly.

Kaplan and Meier's product limit estimator (JASA 53 (1958)): a question whose window is still open, or whose place a
newer one took, is censored there, not counted as unanswered. The interval is Greenwood's variance on the scale of
log(-log S) (J. D. Kalbfleisch and R. L. Prentice, "The Statistical Analysis of Failure Time Data" (1980), 1.3), which
stays inside 0 and 1; outcomes are taken for independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.model.outcome import OutcomeStatus
from evals.inference.intervals import LEVEL
from evals.learning.facts.reading import Waits
from evals.learning.facts.values import Facts, moment64

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class TimeToReply:
    """At each of `seconds` at which somebody replied: the share that has `replied` by then, and its interval.

    `at_risk` were still waited for just before. `n` questions, `answered` of them; the others are censored. The last
    moment that is known about is `followed_s`.
    """

    seconds: Integers
    replied: Floats
    low: Floats
    high: Floats
    at_risk: Integers
    n: int
    answered: int
    followed_s: int

    def by(self, seconds: float) -> float:
        """The share that has replied within `seconds`."""
        before = int(np.searchsorted(self.seconds, seconds, side="right"))
        return float(self.replied[before - 1]) if before else 0.0

    def quantile(self, share: float) -> int | None:
        """The seconds within which `share` of all replies; None if so many do not."""
        reached = np.flatnonzero(self.replied >= share)
        return int(self.seconds[reached[0]]) if len(reached) else None


def time_to_reply(waits: Waits, level: float = LEVEL) -> TimeToReply:
    """The estimate from how long replies took. Without any reply, the curve has no points."""
    from scipy.special import ndtri

    order = np.argsort(waits.seconds, kind="stable")
    seconds, answered, ended = waits.seconds[order], waits.answered[order], waits.ended[order]
    leaving = answered + ended
    at_risk = leaving[::-1].cumsum()[::-1]
    known = answered > 0
    d, n = answered[known].astype(np.float64), at_risk[known].astype(np.float64)
    waiting = np.asarray(np.cumprod(1 - d / n), np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(d / (n * (n - d)))
        half = float(ndtri((1 + level) / 2)) * np.sqrt(greenwood) / np.abs(np.log(waiting))
        low, high = 1 - waiting ** np.exp(-half), 1 - waiting ** np.exp(half)
    nobody_left = waiting <= 0
    return TimeToReply(
        seconds=seconds[known],
        replied=1 - waiting,
        low=np.where(nobody_left, np.nan, low),
        high=np.where(nobody_left, np.nan, high),
        at_risk=at_risk[known],
        n=int(leaving.sum()),
        answered=int(answered.sum()),
        followed_s=int(seconds.max()) if len(seconds) else 0,
    )


def waits_of(facts: Facts) -> Waits:
    """How long replies took, from single facts, as `OutcomeStore.waits` counts: without questions not sent."""
    status = facts.words("status")
    kept = facts.where(~status.equals(OutcomeStatus.NOT_SENT))
    answered = kept.positive
    ends = np.fmin(kept.array("closes_at"), kept.array("replaced_at"))
    pending = kept.words("status").equals(OutcomeStatus.PENDING)
    ends = np.where(pending, np.minimum(ends, moment64(facts.as_of)), ends)
    until = np.where(answered, kept.array("happened_at"), ends)
    waited = (until - kept.array("recommended_at")).astype("timedelta64[s]").astype(np.int64)
    seconds, position = np.unique(waited, return_inverse=True)
    count = np.bincount(position, minlength=len(seconds))
    positive = np.bincount(position, weights=answered, minlength=len(seconds)).astype(np.int64)
    return Waits(seconds, positive, count - positive)
