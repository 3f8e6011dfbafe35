"""How sure a figure is: an interval and a p-value from its resamples.

Interval: value ± t(0.975, G - 1) · s · sqrt(G / (G - 1)), where s is the standard deviation over the resamples and G
the number of conversations with anything to count. The p-value is that of the same t. Chosen by simulation
(`tests/benchmarks/statistics.py`): with 18 to 50 conversations of strongly alike turns it covers 94 to 96 %, where
percentile intervals cover as little as 91 %, and intervals that take turns for independent 66 %.
B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 12;
A. C. Cameron, J. B. Gelbach and D. L. Miller, "Bootstrap-based improvements for inference with clustered errors",
Review of Economics and Statistics 90 (2008), for t with G - 1 degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evals.inference.resampling import CLUSTERS, Array
from evals.records import Estimate

Interval = tuple[float, float]

LEVEL = 0.95
MIN_DEFINED = 0.5  # share of the resamples in which the figure is defined; with fewer there is no interval


@dataclass(frozen=True, slots=True)
class Spread:
    """The standard error of a figure and its degrees of freedom; `error` is None where it is not known."""

    error: float | None
    degrees: int

    @property
    def known(self) -> bool:
        """Whether it says something: nothing that never varied does."""
        return self.error is not None and self.error > 0


def spread(draws: Array, conversations: int) -> Spread:
    """The spread of a figure from its value in each resample; NaN where a resample leaves it undefined.

    `conversations` counts those with anything to count for this figure. No more than the clusters that are resampled
    tell of it.
    """
    conversations = min(conversations, CLUSTERS)
    defined = draws[np.isfinite(draws)]
    if conversations < 2 or len(defined) < MIN_DEFINED * len(draws) or len(defined) < 2:
        return Spread(None, max(0, conversations - 1))
    correction = math.sqrt(conversations / (conversations - 1))
    error = float(defined.std()) * correction
    # What is left of rounding in sums of equal numbers is no spread.
    negligible = 1e-12 * max(1.0, float(np.abs(defined).max()))
    return Spread(0.0 if error <= negligible else error, conversations - 1)


def interval(value: float, spread: Spread, level: float = LEVEL) -> Interval | None:
    """The interval around `value`; a figure that never varied has one of no width, an unknown spread has none."""
    if spread.error is None:
        return None
    if spread.error == 0:
        return value, value
    half = t_quantile((1 + level) / 2, spread.degrees) * spread.error
    return value - half, value + half


def p_value(difference: float, spread: Spread) -> float | None:
    """Two-sided p of no difference, by the t of the interval. None if the spread is not known or 0."""
    if not spread.known or spread.error is None:
        return None
    from scipy.special import stdtr

    return float(2 * stdtr(spread.degrees, -abs(difference) / spread.error))


def estimate(
    value: float, draws: Array, *, n: int, conversations: int, bounds: tuple[float, float], is_share: bool
) -> Estimate:
    """A figure with its 95 % interval, cut to the `bounds` that it can have. An undefined value (NaN) is None.

    A figure that is the same in every resample gets no interval of no width, which would claim certainty. A share of
    0 or 1 gets the exact binomial bound as if each conversation were one observation, which is right in the worst case,
    that its turns are all alike (C. J. Clopper and E. S. Pearson, Biometrika 26 (1934)); anything else gets none.
    """
    if math.isnan(value):
        return Estimate(value=None, n=n)
    around = spread(draws, conversations)
    if around.known and (found := interval(value, around)) is not None:
        return Estimate(value=value, low=max(found[0], bounds[0]), high=min(found[1], bounds[1]), n=n)
    if is_share and value in (0.0, 1.0) and conversations > 0:
        reach = ((1 - LEVEL) / 2) ** (1 / conversations)
        low, high = (reach, 1.0) if value == 1.0 else (0.0, 1 - reach)
        return Estimate(value=value, low=low, high=high, n=n)
    return Estimate(value=value, n=n)


def t_quantile(probability: float, degrees: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))
