"""How a map is fitted to counts, by penalised likelihood: the fewer the data, the nearer to changing nothing.

The penalties are normal priors around the identity: with little to go by a map stays there. Parameters are rounded, so
that the last bits of a machine's arithmetic do not make another calibration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from engine.calibration.maps import NEAREST, Beta, Intercept, Isotonic, Map, Sigmoid
from evals.inference.resampling import Array

SHIFT_PRECISION = 1.0  # one standard deviation of the prior is a logit of 1
SLOPE_PRECISION = 4.0  # and half a slope
DIGITS = 8
STEPS, CLOSE = 100, 1e-12


@dataclass(frozen=True)
class Counted:
    """How often each `confidence` was claimed, and how often it came true. All of the shape (values,)."""

    confidence: Array
    n: Array
    positive: Array


Method = Callable[[Counted, float], Map]


def fit_intercept(counted: Counted, strength: float = 1.0) -> Intercept:
    """logit(p) = logit(c) + shift; `strength` multiplies the penalty."""
    x = logits(counted.confidence)
    (shift,) = penalised(np.ones((len(x), 1)), x, counted, np.array([SHIFT_PRECISION * strength]))
    return Intercept(shift=_rounded(shift))


def fit_sigmoid(counted: Counted, strength: float = 1.0) -> Sigmoid:
    """A slope and a shift at the mean logit, so that shrinking the one does not move the other."""
    x = logits(counted.confidence)
    middle = _mean(x, counted.n)
    shift, steeper = _shrunk(x, [x - middle], counted, strength)
    return Sigmoid(slope=_rounded(1 + steeper), shift=_rounded(shift - steeper * middle))


def fit_beta(counted: Counted, strength: float = 1.0) -> Beta:
    """A slope for each end, and a shift at their means."""
    inside = np.clip(counted.confidence, NEAREST, 1 - NEAREST)
    low, high = np.log(inside), -np.log1p(-inside)
    middles = _mean(low, counted.n), _mean(high, counted.n)
    shift, of_low, of_high = _shrunk(
        logits(counted.confidence), [low - middles[0], high - middles[1]], counted, strength
    )
    moved = shift - of_low * middles[0] - of_high * middles[1]
    return Beta(low=_rounded(1 + of_low), high=_rounded(1 + of_high), shift=_rounded(moved))


def fit_isotonic(counted: Counted, strength: float = 1.0) -> Isotonic:
    """The rising steps nearest to the shares, as straight lines between the ends of each step.

    Two more claims, one of them come true, are spread over each step times `strength`, so that none is certain.
    """
    from scipy.optimize import isotonic_regression

    seen = counted.n > 0
    confidence, n, positive = counted.confidence[seen], counted.n[seen], counted.positive[seen]
    confidence, place = np.unique(confidence, return_inverse=True)
    n = np.bincount(place, n).astype(np.float64)
    positive = np.bincount(place, positive).astype(np.float64)
    steps = isotonic_regression(positive / n, weights=n).blocks
    knots: dict[float, float] = {}
    for start, end in zip(steps[:-1].tolist(), steps[1:].tolist(), strict=True):
        share = (positive[start:end].sum() + strength) / (n[start:end].sum() + 2 * strength)
        floor = max(knots.values(), default=0.0)
        knots[confidence[start]] = knots[confidence[end - 1]] = max(floor, share)
    return Isotonic(
        confidences=tuple(float(knot) for knot in knots), probabilities=tuple(_rounded(p) for p in knots.values())
    )


METHODS: Mapping[str, Method] = {
    "intercept": fit_intercept,
    "sigmoid": fit_sigmoid,
    "beta": fit_beta,
    "isotonic": fit_isotonic,
}


def candidates(n: float) -> tuple[str, ...]:
    """The methods that so many resolved outcomes bear."""
    if n < FEW:
        return ("intercept",)
    return ("sigmoid", "beta") if n < MANY else ("sigmoid", "beta", "isotonic")


FEW, MANY = 50, 1_000


def applied(own: Map, confidence: Array) -> Array:
    """The map of each confidence: what `own` says of one, of many at once."""
    if isinstance(own, Isotonic):
        said = np.interp(confidence, own.confidences, own.probabilities)
    elif isinstance(own, Beta):
        inside = np.clip(confidence, NEAREST, 1 - NEAREST)
        said = _probabilities(own.low * np.log(inside) - own.high * np.log1p(-inside) + own.shift)
    else:
        said = _probabilities((own.slope if isinstance(own, Sigmoid) else 1.0) * logits(confidence) + own.shift)
    return np.clip(said, NEAREST, 1 - NEAREST)


def logits(confidence: Array) -> Array:
    inside = np.clip(confidence, NEAREST, 1 - NEAREST)
    found: Array = np.log(inside) - np.log1p(-inside)
    return found


def penalised(features: Array, offset: Array, counted: Counted, precision: Array) -> Array:
    """The coefficients of greatest posterior, of shape (features,), in logit(p) = offset + features @ coefficients.

    Newton's steps, halved while they do not improve; with penalties there is one best answer.
    """

    def posterior(coefficients: Array) -> float:
        eta = offset + (features * coefficients).sum(axis=1)
        likelihood = counted.positive * eta - counted.n * np.logaddexp(0.0, eta)
        return float(likelihood.sum() - 0.5 * (precision * coefficients**2).sum())

    coefficients = np.zeros(features.shape[1])
    best = posterior(coefficients)
    for _ in range(STEPS):
        p = _probabilities(offset + (features * coefficients).sum(axis=1))
        slope = (features * (counted.positive - counted.n * p)[:, None]).sum(axis=0) - precision * coefficients
        weighted = features * (counted.n * p * (1 - p))[:, None]
        curvature = (weighted[:, :, None] * features[:, None, :]).sum(axis=0) + np.diag(precision)
        step = np.linalg.solve(curvature, slope)
        while (reached := posterior(coefficients + step)) < best and np.abs(step).max() > CLOSE:
            step = step / 2
        if reached < best or np.abs(step).max() < CLOSE:
            break
        coefficients, best = coefficients + step, reached
    return coefficients


def _shrunk(x: Array, slopes: list[Array], counted: Counted, strength: float) -> tuple[float, ...]:
    """The shift, and how much steeper than 1 each slope is: -1 where it would have been negative, which is level."""
    level: set[int] = set()
    while True:
        free = [number for number in range(len(slopes)) if number not in level]
        offset = x - sum((slopes[number] for number in level), np.zeros_like(x))
        features = np.stack([np.ones_like(x), *(slopes[number] for number in free)], axis=1)
        precision = strength * np.array([SHIFT_PRECISION, *(SLOPE_PRECISION for _ in free)])
        shift, *found = penalised(features, offset, counted, precision).tolist()
        steeper = dict(zip(free, found, strict=True))
        reversed_ = {number for number, own in steeper.items() if own < -1}
        if not reversed_:
            return (shift, *(steeper.get(number, -1.0) for number in range(len(slopes))))
        level |= reversed_


def _probabilities(eta: Array) -> Array:
    found: Array = 1 / (1 + np.exp(-np.clip(eta, -700, 700)))
    return found


def _mean(values: Array, n: Array) -> float:
    return float((values * n).sum() / n.sum())


def _rounded(value: float) -> float:
    return round(float(value), DIGITS) + 0.0  # no negative zero
