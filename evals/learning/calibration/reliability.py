"""The reliability diagram as values: what was claimed beside how often it came true, in bins of equal mass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evals.inference.intervals import LEVEL, t_quantile
from evals.inference.resampling import Array
from evals.learning.calibration.observations import Codes, Observations
from evals.learning.rates import wilson

BINS = 10
LEAST_PER_BIN = 15


@dataclass(frozen=True, slots=True)
class Bin:
    """Claims between `lowest` and `highest`: their mean `confidence`, and the `share` that came true, with interval."""

    lowest: float
    highest: float
    n: int
    conversations: int
    confidence: float
    share: float
    low: float
    high: float


def reliability(observations: Observations, bins: int = BINS) -> tuple[Bin, ...]:
    """At most `bins` bins, from the lowest confidence to the highest; none if there are no observations."""
    codes = equal_mass(observations.confidence, bins)
    return tuple(_bin(observations.where(codes == code)) for code in np.unique(codes).tolist())


def equal_mass(confidence: Array, bins: int = BINS) -> Codes:
    """The bin of each claim: as many claims in each as equal claims allow, which are never parted.

    There are fewer bins where there would be less than `LEAST_PER_BIN` claims in each. Bins of equal width would leave
    most of them nearly empty, and their error mostly chance.
    """
    if not len(confidence):
        return np.zeros(0, dtype=np.int64)
    count = max(1, min(bins, len(confidence) // LEAST_PER_BIN))
    ordered = np.sort(confidence)
    starts = ordered[(np.arange(1, count) * len(ordered)) // count]
    codes: Codes = np.searchsorted(np.unique(starts), confidence, side="right").astype(np.int64)
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def share_interval(observations: Observations) -> tuple[float, float]:
    """The 95 % interval of the share that came true: Wilson's, for as many claims as these are worth.

    Of n claims whose conversations are alike only n / design effect tell something new, and the quantile is that of t
    with as many degrees of freedom as there are conversations, less one. Where all came out the same, each conversation
    counts once. E. B. Wilson, JASA 22 (1927); E. L. Korn and B. I. Graubard, Survey Methodology 24 (1998).
    """
    n, conversations = len(observations), len(observations.conversations.names)
    if conversations < 2:
        return 0.0, 1.0
    share = float(observations.positive.mean())
    worth = conversations if share in (0.0, 1.0) else n / design_effect(observations, np.zeros(n, dtype=np.int64))
    return wilson(share, worth, t_quantile((1 + LEVEL) / 2, conversations - 1))


def design_effect(observations: Observations, bins: Codes) -> float:
    """How many times as uncertain a share is as with independent claims: at least 1, which it is with none.

    The variance between conversations of what came true beyond the share of its bin, over that of single claims.
    L. Kish, "Survey Sampling" (1965).
    """
    n = np.bincount(bins)
    beyond = observations.positive - (np.bincount(bins, observations.positive) / n)[bins]
    alone = float((beyond**2).sum())
    conversations = len(observations.conversations.names)
    if alone == 0 or conversations < 2:
        return 1.0
    together = np.bincount(observations.conversations.codes, beyond)
    return max(1.0, conversations / (conversations - 1) * float((together**2).sum()) / alone)


def _bin(own: Observations) -> Bin:
    low, high = share_interval(own)
    return Bin(
        lowest=float(own.confidence.min()),
        highest=float(own.confidence.max()),
        n=len(own),
        conversations=len(own.conversations.names),
        confidence=float(own.confidence.mean()),
        share=float(own.positive.mean()),
        low=low,
        high=high,
    )
