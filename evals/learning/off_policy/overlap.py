"""How well a log covers what a policy would have done: weights, and how many outcomes they leave.

A weight is the policy's probability of what was asked over the log's. On average it is the share of the policy's
choices that the log could have made: 1 where the log covers everything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from evals.inference.intervals import Spread, interval
from evals.learning.off_policy.log import NOWHERE, ChoiceLog, Codes, Numbers, Shares

WEIGHT_EDGES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)  # the last bin has no end

_CERTAIN = 1e-9


@dataclass(frozen=True, slots=True)
class WeightBin:
    """How many outcomes have a weight above `low` and up to `high` (None: whatever their weight)."""

    low: float
    high: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """How far a log and a policy overlap.

    `used` counts the outcomes with a weight above 0 of `outcomes`. `effective` is how many unweighted outcomes say as
    much: (sum w)^2 / sum w^2 (L. Kish, "Survey Sampling" (1965)); `effective_conversations` the same of weights added
    up by conversation. `outside` is the share of the policy's choices that the log could not have made, None where
    nobody wrote down what else could have been chosen. `mean_weight` is near 1 - `outside`, with its 95 % interval.
    """

    outcomes: int
    conversations: int
    used: int
    effective: float
    effective_conversations: float
    mean_weight: float
    mean_weight_low: float | None
    mean_weight_high: float | None
    max_weight: float
    outside: float | None
    weights: tuple[WeightBin, ...]


def weights(log: ChoiceLog, shares: Shares) -> Numbers:
    """The policy's probability of what was asked over the log's, row by row."""
    wanted: Numbers = shares.of(np.arange(len(log)), log.action, max(len(log.actions), 1)) / log.propensity
    return wanted


def inside(log: ChoiceLog, shares: Shares) -> Numbers:
    """The shares as far as the log could have made these choices, pair by pair; all of them where it does not say."""
    if log.offered is None:
        return np.where(shares.action == NOWHERE, 0.0, shares.share)
    could = log.offered.of(shares.row, shares.action, len(log.actions)) > _CERTAIN
    return np.where(could, shares.share, 0.0)


def overlap(log: ChoiceLog, shares: Shares) -> Overlap:
    weight = weights(log, shares)
    by_conversation = summed(log.conversation.codes.astype(np.int64), weight)
    mean = float(weight.mean()) if len(weight) else 0.0
    around = interval(mean, clustered_spread(weight - mean, log)) if len(weight) else None
    wanted = float(shares.share.sum())
    missing = wanted - float(inside(log, shares).sum())
    return Overlap(
        outcomes=len(log),
        conversations=log.conversations,
        used=int(np.count_nonzero(weight)),
        effective=kish(weight),
        effective_conversations=kish(by_conversation),
        mean_weight=mean,
        mean_weight_low=None if around is None else around[0],
        mean_weight_high=None if around is None else around[1],
        max_weight=float(weight.max()) if len(weight) else 0.0,
        outside=_outside(log, shares, missing / wanted if wanted else 0.0),
        weights=_bins(weight),
    )


def kish(weight: Numbers) -> float:
    """(sum w)^2 / sum w^2; 0 where all weights are."""
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def summed(group: Codes, value: Numbers) -> Numbers:
    """The sum of `value` in each group that there is."""
    _, place = np.unique(group, return_inverse=True)
    total: Numbers = np.bincount(place.reshape(-1), weights=value).astype(np.float64)
    return total


def clustered_spread(centred: Numbers, log: ChoiceLog, degrees: int | None = None) -> Spread:
    """The standard error of a mean whose centred terms are given, with those of a conversation taken together:
    sqrt(G / (G - 1) sum_g (sum of g)^2) / n (K.-Y. Liang and S. L. Zeger, Biometrika 73 (1986)).
    """
    groups = log.conversations
    if groups < 2:
        return Spread(None, max(groups - 1, 0))
    together = summed(log.conversation.codes.astype(np.int64), centred)
    error = math.sqrt(groups / (groups - 1) * float((together**2).sum())) / len(centred)
    return Spread(error, groups - 1 if degrees is None else max(1, min(degrees, groups - 1)))


def _outside(log: ChoiceLog, shares: Shares, missing: float) -> float | None:
    """None where it is not known, but an action that the log does not have at all is outside in any case."""
    if log.offered is None and not np.any(shares.action == NOWHERE):
        return None
    return max(0.0, missing)


def _bins(weight: Numbers) -> tuple[WeightBin, ...]:
    nothing = WeightBin(0.0, 0.0, int(np.count_nonzero(weight == 0)))
    edges = [*WEIGHT_EDGES, math.inf]
    found = []
    for low, high in pairwise(edges):
        count = int(np.count_nonzero((weight > low) & (weight <= high)))
        found.append(WeightBin(low, None if math.isinf(high) else high, count))
    return (nothing, *found)
