"""How good probabilities are: Brier score and its parts, log loss, and calibration error beside what chance gives.

Every figure is a function of sums by conversation, so that its interval comes from resampling whole conversations. The
bins are those of `reliability`, made once from all claims.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.calibration.maps import NEAREST
from evals.inference.intervals import estimate
from evals.inference.resampling import SEED, Array, resampled_totals
from evals.learning.calibration.folds import groups
from evals.learning.calibration.observations import Codes, Observations
from evals.learning.calibration.reliability import BINS, Bin, design_effect, equal_mass, reliability
from evals.records import Estimate

RESAMPLES = 2_000
DRAWS = 1_000  # perfectly calibrated engines
SHARE, ERROR, LOSS = (0.0, 1.0), (-1.0, 1.0), (0.0, math.inf)


@dataclass(frozen=True, slots=True)
class Chance:
    """The plain calibration error of an engine that is perfectly calibrated, at this n: mean, and a 95 % band.

    `p` is the share of such engines that look at least as badly calibrated as this one.
    """

    mean: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What claims are worth. `bins` are the diagram; `n` counts claims.

    brier             mean (c - y)^2
    reliability       sum over bins of n_b / n (mean confidence - share)^2; 0 is best
    resolution        sum over bins of n_b / n (share - share of all)^2; the more the better
    uncertainty       share of all (1 - share of all): what nobody can change
    within_bins       what is left, of claims that differ within a bin: brier = reliability - resolution + uncertainty
                      + within_bins
    log_loss          mean -ln(probability given to what came), confidences cut to NEAREST .. 1 - NEAREST
    gap               mean confidence - share: above 0 too sure
    ece               sum over bins of n_b / n |mean confidence - share|: never 0, even of a perfect engine
    ece_debiased      the same, less what noise adds
    squared_error     reliability less what chance adds: on average 0 of a perfect engine, so it may be below
    design_effect     how many times as uncertain a share is, because conversations are alike

    A. H. Murphy, "A new vector partition of the probability score", Journal of Applied Meteorology 12 (1973);
    D. B. Stephenson, C. A. S. Coelho and I. T. Jolliffe, Weather and Forecasting 23 (2008), for what is within bins;
    A. Kumar, P. Liang and T. Ma, "Verified uncertainty calibration", NeurIPS (2019), for both debiased errors.
    """

    n: int
    conversations: int
    brier: Estimate
    reliability: Estimate
    resolution: Estimate
    uncertainty: Estimate
    within_bins: Estimate
    log_loss: Estimate
    gap: Estimate
    ece: Estimate
    ece_debiased: Estimate
    squared_error: Estimate
    design_effect: float
    chance: Chance
    bins: tuple[Bin, ...]


def read(
    observations: Observations, *, bins: int = BINS, resamples: int = RESAMPLES, seed: int = SEED
) -> Reading | None:
    """The reading of claims, the same for the same seed; None if there are none."""
    if not len(observations):
        return None
    codes = equal_mass(observations.confidence, bins)
    counts, alike = _counts(observations, codes), design_effect(observations, codes)
    sums = _Sums(counts.sum(axis=0), alike)
    drawn = np.concatenate(list(resampled_totals(counts, resamples=resamples, seed=seed)))
    resampled = _Sums(drawn, alike)

    def figure(value: Callable[[_Sums], Array], bounds: tuple[float, float]) -> Estimate:
        with np.errstate(divide="ignore", invalid="ignore"):
            found, draws = float(value(sums)), value(resampled)
        return estimate(found, draws, n=len(observations), conversations=len(counts), bounds=bounds, is_share=False)

    return Reading(
        n=len(observations),
        conversations=len(observations.conversations.names),
        brier=figure(_brier, SHARE),
        reliability=figure(_reliability, SHARE),
        resolution=figure(_resolution, SHARE),
        uncertainty=figure(_uncertainty, SHARE),
        within_bins=figure(_within_bins, ERROR),
        log_loss=figure(_log_loss, LOSS),
        gap=figure(_gap, ERROR),
        ece=figure(_ece, SHARE),
        ece_debiased=figure(_ece_debiased, ERROR),
        squared_error=figure(_squared_error, ERROR),
        design_effect=alike,
        chance=perfect(observations, codes, float(_ece(sums)), alike, seed=seed),
        bins=reliability(observations, bins),
    )


def log_losses(confidence: Array, positive: Array) -> Array:
    """-ln of the probability given to what came, claim by claim."""
    inside = np.clip(confidence, NEAREST, 1 - NEAREST)
    found: Array = -np.where(positive > 0, np.log(inside), np.log1p(-inside))
    return found


def perfect(
    observations: Observations, bins: Codes, ece: float, design_effect: float, *, draws: int = DRAWS, seed: int = SEED
) -> Chance:
    """What calibration error perfectly calibrated engines show that claim the same, as alike within conversations.

    Each claim comes true with the probability that it states (rounded to a thousandth); the gaps of independent claims
    grow with the root of the design effect. J. Bröcker and L. A. Smith, "Increasing the reliability of reliability
    diagrams", Weather and Forecasting 22 (2007).
    """
    stated = np.round(observations.confidence, 3)
    both, counts = np.unique(np.stack([bins.astype(np.float64), stated]), axis=1, return_counts=True)
    came = np.random.default_rng(seed).binomial(counts, both[1], size=(draws, len(counts)))
    beyond = came - counts * both[1]
    starts = np.flatnonzero(np.diff(both[0], prepend=-1.0))
    gaps = np.abs(np.add.reduceat(beyond, starts, axis=1)) * math.sqrt(design_effect)
    shown = gaps.sum(axis=1) / len(observations)
    low, high = np.quantile(shown, [0.025, 0.975]).tolist()
    return Chance(float(shown.mean()), low, high, float((1 + (shown >= ece).sum()) / (1 + draws)))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Totals of shape (..., 3 bins + 2): by bin the number of claims, their confidence and how many came true; then the
    sums of both losses."""

    totals: Array
    alike: float

    def _part(self, number: int) -> Array:
        bins = (self.totals.shape[-1] - 2) // 3
        part: Array = self.totals[..., number * bins : (number + 1) * bins]
        return part

    @property
    def n(self) -> Array:
        return self._part(0)

    @property
    def all(self) -> Array:
        return np.asarray(self.n.sum(axis=-1))

    @property
    def share(self) -> Array:
        return np.where(self.n > 0, self._part(2) / np.maximum(self.n, 1), 0.0)

    @property
    def apart(self) -> Array:
        """Mean confidence less share, by bin."""
        return np.where(self.n > 0, self._part(1) / np.maximum(self.n, 1) - self.share, 0.0)

    @property
    def share_of_all(self) -> Array:
        return np.asarray(self._part(2).sum(axis=-1) / self.all)

    @property
    def noise(self) -> Array:
        """The variance that chance gives a bin's share."""
        several = self.n > 1
        found: Array = np.where(several, self.alike * self.share * (1 - self.share) / np.maximum(self.n - 1, 1), 0.0)
        return found

    def mean(self, by_bin: Array) -> Array:
        """The mean over claims of what each bin has."""
        return np.asarray((self.n * by_bin).sum(axis=-1) / self.all)

    def loss(self, number: int) -> Array:
        return np.asarray(self.totals[..., number - 2] / self.all)


def _counts(observations: Observations, bins: Codes) -> Array:
    """The sums of each conversation, or group of them."""
    places, width = groups(observations), int(bins.max()) + 1
    used, places = np.unique(places, return_inverse=True)
    size, at = len(used), places * width + bins
    claimed, came = observations.confidence, observations.positive
    by_bin = [np.bincount(at, own, size * width).reshape(size, width) for own in (np.ones_like(came), claimed, came)]
    losses = ((claimed - came) ** 2, log_losses(claimed, came))
    return np.hstack([*by_bin, *(np.bincount(places, own, size)[:, None] for own in losses)])


def _brier(sums: _Sums) -> Array:
    return sums.loss(0)


def _log_loss(sums: _Sums) -> Array:
    return sums.loss(1)


def _reliability(sums: _Sums) -> Array:
    return sums.mean(sums.apart**2)


def _resolution(sums: _Sums) -> Array:
    return sums.mean((sums.share - sums.share_of_all[..., None]) ** 2)


def _uncertainty(sums: _Sums) -> Array:
    return sums.share_of_all * (1 - sums.share_of_all)


def _within_bins(sums: _Sums) -> Array:
    return _brier(sums) - _reliability(sums) + _resolution(sums) - _uncertainty(sums)


def _gap(sums: _Sums) -> Array:
    return sums.mean(sums.apart)


def _ece(sums: _Sums) -> Array:
    return sums.mean(np.abs(sums.apart))


def _ece_debiased(sums: _Sums) -> Array:
    """Each gap less what normal noise of its size adds to it on average (the mean of a folded normal)."""
    from scipy.special import ndtr

    gap, noise = np.abs(sums.apart), np.sqrt(sums.noise)
    ratio = gap / np.maximum(noise, 1e-300)
    folded = noise * math.sqrt(2 / math.pi) * np.exp(-0.5 * np.minimum(ratio, 40) ** 2) + gap * (1 - 2 * ndtr(-ratio))
    return sums.mean(2 * gap - np.where(noise > 0, folded, gap))


def _squared_error(sums: _Sums) -> Array:
    return sums.mean(sums.apart**2 - sums.noise)
