"""The reply rate that another way of choosing would have had, three ways, from choices made at random.

With r the reply (1 or 0), w = pi(a | x) / p(a | x) the policy's probability of what was asked over the log's, and q the
chance of an answer that a model predicts:

    IPS    mean(w r)                                     D. G. Horvitz and D. J. Thompson, JASA 47 (1952)
    SNIPS  sum(w r) / sum(w)                             J. Hajek (1971); A. Swaminathan and T. Joachims, NIPS 28 (2015)
    DR     mean(sum_a pi(a | x) q(x, a) + w (r - q))     M. Dudik, J. Langford and L. Li, ICML 28 (2011)

IPS is right on average whatever the customers are like; SNIPS gives up a little of that for steadiness; DR uses the
model as well and is right if either the probabilities or the model are: it is the headline. Intervals take all outcomes
of a conversation together, through the terms whose mean each figure is (for SNIPS to first order: w (r - V) / mean(w)),
with t for as many conversations as the weights leave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evals.inference.intervals import interval
from evals.learning.off_policy.log import ChoiceLog, Numbers, Shares
from evals.learning.off_policy.overlap import clustered_spread, inside, kish, summed, weights
from evals.learning.off_policy.reward import Predicted, cross_fitted
from evals.records import Estimate


@dataclass(frozen=True, slots=True)
class Estimates:
    """Reply rates with their 95 % intervals. `logged` is that of what was really asked, at the same turns; `difference`
    is `doubly_robust` less that. These two have intervals that are wider than chance alone makes them by what the log
    could not have asked: at worst nobody, at best everybody would have answered. The others leave that part out.
    """

    doubly_robust: Estimate
    self_normalised: Estimate
    inverse_propensity: Estimate
    logged: Estimate
    difference: Estimate


def estimates(log: ChoiceLog, shares: Shares, predicted: Predicted | None = None) -> Estimates:
    """All figures; `predicted` (cross-fitted if None) are the chances of an answer.

    Raises ValueError for an empty log.
    """
    if not len(log):
        raise ValueError("there are no outcomes to estimate from")
    predicted = predicted or cross_fitted(log, shares)
    weight, could = weights(log, shares), inside(log, shares)
    modelled = np.bincount(shares.row, weights=shares.share * predicted.wanted, minlength=len(log))
    robust = modelled + weight * (log.reply - predicted.logged)
    beyond = shares.share - could
    guessed, unknown = float((beyond * predicted.wanted).sum()) / len(log), float(beyond.sum()) / len(log)
    degrees = round(kish(summed(log.conversation.codes.astype(np.int64), weight))) - 1
    plain, normalised = weight * log.reply, _normalised(weight, log.reply)
    own = _Mean(log, degrees)
    return Estimates(
        doubly_robust=own.estimate(robust, wider=(guessed, unknown - guessed)),
        self_normalised=own.estimate(normalised),
        inverse_propensity=own.estimate(plain),
        logged=_Mean(log, None).estimate(log.reply),
        difference=own.estimate(robust - log.reply, wider=(guessed, unknown - guessed), bounds=(-1.0, 1.0)),
    )


def _normalised(weight: Numbers, reply: Numbers) -> Numbers:
    """Terms whose mean is sum(w r) / sum(w), and whose spread is its spread to first order."""
    total = float(weight.sum())
    if not total:
        return np.full(len(weight), np.nan)
    value = float((weight * reply).sum()) / total
    return value + weight * (reply - value) * len(weight) / total


@dataclass(frozen=True, slots=True)
class _Mean:
    """The mean of terms over a log, with its interval."""

    log: ChoiceLog
    degrees: int | None

    def estimate(
        self, terms: Numbers, *, wider: tuple[float, float] = (0.0, 0.0), bounds: tuple[float, float] = (0.0, 1.0)
    ) -> Estimate:
        """`wider` is what is added to the interval below and above. A figure that never varies has none."""
        value, count = float(terms.mean()), len(terms)
        if np.isnan(value):
            return Estimate(value=None, n=count)
        around = clustered_spread(terms - value, self.log, self.degrees)
        found = interval(value, around) if around.known else None
        shown = min(max(value, bounds[0]), bounds[1])
        if found is None:
            return Estimate(value=shown, n=count)
        low, high = max(found[0] - wider[0], bounds[0]), min(found[1] + wider[1], bounds[1])
        return Estimate(value=shown, low=min(low, shown), high=max(high, shown), n=count)
