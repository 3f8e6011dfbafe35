"""Whether one set of probabilities is better than another, of the same outcomes: paired, by conversation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evals.inference.intervals import Spread, interval
from evals.inference.resampling import Array
from evals.learning.calibration.observations import Codes, Observations
from evals.learning.calibration.scores import log_losses


@dataclass(frozen=True, slots=True)
class Gain:
    """The mean log loss with and without a correction; `gain` above 0 is better with it, `p` that of no gain.

    `p` is one-sided: None where nothing varies, and with fewer than two conversations.
    """

    without: float
    corrected: float
    gain: float
    low: float | None
    high: float | None
    p: float | None


def gain(observations: Observations, without: Array, corrected: Array) -> Gain:
    """What `corrected` gains over `without`, both of the shape (n,).

    The mean of a ratio of sums over conversations: its standard error is that of the sums' residuals, the distribution
    t with one degree less than there are conversations. The bootstrap would give the same with more conversations and
    another number at each seed. W. G. Cochran, "Sampling Techniques" (1977), chapter 6.
    """
    before, after = log_losses(without, observations.positive), log_losses(corrected, observations.positive)
    better, codes = before - after, observations.conversations.codes
    mean, conversations = float(better.mean()), len(observations.conversations.names)
    spread = clustered(better, codes, conversations)
    low, high = (interval(mean, spread) if spread.known else None) or (None, None)
    p = None
    if spread.known and spread.error is not None:
        from scipy.special import stdtr

        p = float(stdtr(spread.degrees, -mean / spread.error))
    return Gain(float(before.mean()), float(after.mean()), mean, low, high, p)


def clustered(values: Array, codes: Codes, clusters: int) -> Spread:
    """The spread of the mean of `values`, where those with equal `codes` may resemble each other."""
    if clusters < 2:
        return Spread(None, max(0, clusters - 1))
    together = np.bincount(codes, values - values.mean(), minlength=clusters)
    error = math.sqrt(clusters / (clusters - 1) * float((together**2).sum())) / len(values)
    return Spread(0.0 if error < 1e-12 else error, clusters - 1)
