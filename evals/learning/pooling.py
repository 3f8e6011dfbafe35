"""Small cells pulled toward the whole: partial pooling of rates in a beta-binomial model.

The rates of the cells are draws from a Beta(m k, (1 - m) k) with mean m and k outcomes' worth of agreement. Neither is
known: m is uniform and log k is logistic about log 20, both on a grid, weighted by the beta-binomial likelihood of all
cells (A. Gelman et al., "Bayesian Data Analysis" (3rd ed. 2013), 5.3). A cell's rate is the mean of its posteriors over
the grid, and its interval that of a beta with their mixture's mean and variance: what is not known about m and k widens
it. Counts are those that independent outcomes would be worth (`evals.learning.rates`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evals.inference.intervals import LEVEL
from evals.learning.facts.values import Cell
from evals.learning.rates import Rate, rate_of

Floats = NDArray[np.float64]

_MEANS = 60
_AGREEMENTS = np.exp(np.linspace(np.log(0.5), np.log(5_000.0), 30))
_USUAL = 20.0


@dataclass(frozen=True, slots=True)
class Pooled:
    """A cell's rate, `raw` as counted and pulled toward the whole.

    `weight` is the share of `value` that comes from the cell's own outcomes (0: all from the others, 1: all its own).
    """

    raw: Rate
    value: float
    low: float
    high: float
    weight: float


def pooled(cells: Sequence[Cell], level: float = LEVEL) -> list[Pooled]:
    """The rates of the cells pulled toward their whole, in the same order. A cell without outcomes gets the whole's.

    The cells have to be of one tenant and one crossing: what they share is learned from them alone.
    """
    raw = [rate_of(cell, level) for cell in cells]
    if not any(rate.n for rate in raw):
        return []
    n = np.array([rate.effective for rate in raw])
    x = n * np.array([rate.value or 0.0 for rate in raw])
    a, b, weight = _grid(x, n)
    own_a, own_b = a[None, :] + x[:, None], b[None, :] + (n - x)[:, None]  # cells x grid
    each = own_a / (own_a + own_b)
    value = each @ weight
    variance = (each**2 + each * (1 - each) / (own_a + own_b + 1)) @ weight - value**2
    own = (n[:, None] / (own_a + own_b)) @ weight
    low, high = _interval(value, variance, level)
    return [Pooled(rate, *map(float, figures)) for rate, *figures in zip(raw, value, low, high, own, strict=True)]


def _grid(x: Floats, n: Floats) -> tuple[Floats, Floats, Floats]:
    """The parameters of the beta at each point of the grid, and the points' posterior weights; light ones left out."""
    from scipy.special import betaln

    mean = (np.arange(_MEANS) + 0.5) / _MEANS
    m, k = (axis.ravel() for axis in np.meshgrid(mean, _AGREEMENTS, indexing="ij"))
    a, b = m * k, (1 - m) * k
    log_prior = -np.log(k / _USUAL) - 2 * np.log1p(_USUAL / k)
    log_weight = log_prior + sum(betaln(a + each, b + of - each) - betaln(a, b) for each, of in zip(x, n, strict=True))
    weight = np.exp(log_weight - log_weight.max())
    kept = weight > 1e-6
    return a[kept], b[kept], weight[kept] / weight[kept].sum()


def _interval(mean: Floats, variance: Floats, level: float) -> tuple[Floats, Floats]:
    """The quantiles of betas with these means and variances."""
    from scipy.special import betaincinv

    worth = np.maximum(mean * (1 - mean) / variance - 1, 1e-6)
    a, b = mean * worth, (1 - mean) * worth
    return betaincinv(a, b, (1 - level) / 2), betaincinv(a, b, (1 + level) / 2)
