"""Whether the confidence of an extraction can be believed: confidence against being right.

A claim about a turn is right if the label names that dimension for that turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.model.qualification import Dimension
from evals.inference.resampling import Array
from evals.metrics.formulas import ratio
from evals.metrics.judged import JudgedTurn
from evals.metrics.metric import Counted, Margin, Metric, Tally, Totals

BINS = 10  # of equal width; sums need bins that are the same in every resample
NEAREST = 0.001  # a confidence of 0 or 1 counts as this far from it: one mistake must not be worth infinity


def _of_bin(kind: str) -> tuple[str, ...]:
    return tuple(f"{kind}{number}" for number in range(BINS))


_N, _CONFIDENCE, _RIGHT = _of_bin("n"), _of_bin("confidence"), _of_bin("right")


def counted(confidence: float, right: bool) -> Counted:
    """What one claim adds to the sums."""
    surely = min(max(confidence, NEAREST), 1 - NEAREST)
    number = min(int(confidence * BINS), BINS - 1)
    return {
        "n": 1.0,
        "squared": (confidence - right) ** 2,
        "log": -math.log(surely if right else 1 - surely),
        _N[number]: 1.0,
        _CONFIDENCE[number]: confidence,
        _RIGHT[number]: float(right),
    }


class Claim(NamedTuple):
    """That a turn speaks of a dimension: how sure the engine was, and whether the label says so too."""

    dimension: Dimension
    confidence: float
    right: bool


def claims(turn: JudgedTurn) -> tuple[Claim, ...] | None:
    """The claims about one turn; None if nobody has labelled it."""
    if turn.label is None:
        return None
    said = {item.dimension for item in turn.label.dimensions}
    return tuple(Claim(dimension, signal.confidence, dimension in said) for dimension, signal in turn.claimed.items())


def _claims(turn: JudgedTurn) -> Counted | None:
    if (found := claims(turn)) is None:
        return None
    counts: dict[str, float] = {}
    for claim in found:
        for part, amount in counted(claim.confidence, claim.right).items():
            counts[part] = counts.get(part, 0.0) + amount
    return counts


CLAIMS = Tally(
    name="extraction.claims",
    parts=("n", "squared", "log", *_N, *_CONFIDENCE, *_RIGHT),
    answer="extraction",
    observe=_claims,
)


def calibration_error(totals: Totals) -> Array:
    """Root of the mean squared gap between confidence and share right, bin by bin, less what chance alone gives.

    sqrt(max(0, sum over the bins of n/N ((mean confidence - share)^2 - share (1 - share) / (n - 1)))); bins with a
    single claim are left out. Without the second term, few claims look badly calibrated whatever they are.
    A. Kumar, P. Liang and T. Ma, "Verified uncertainty calibration", NeurIPS (2019).
    """
    n, confidence, right = (totals.stacked(parts) for parts in (_N, _CONFIDENCE, _RIGHT))
    told = n > 1
    share = np.where(told, right / n, 0.0)
    gap = np.where(told, confidence / n - right / n, 0.0) ** 2
    chance = np.where(told, share * (1 - share) / (n - 1), 0.0)
    counted = np.where(told, n, 0.0)
    squared = (counted * (gap - chance)).sum(axis=-1) / counted.sum(axis=-1)
    error: Array = np.sqrt(np.maximum(squared, 0.0))
    return error


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Claims with a confidence from `low` up to `high`: their mean confidence, and the share that was right."""

    low: float
    high: float
    n: float
    confidence: float
    right: float


def reliability(totals: Array) -> tuple[ReliabilityBin, ...]:
    """The reliability diagram of one total of `CLAIMS`; empty bins are left out."""
    sums = Totals(totals, CLAIMS.positions)
    numbers, confidences, rights = (sums.stacked(parts).tolist() for parts in (_N, _CONFIDENCE, _RIGHT))
    return tuple(
        ReliabilityBin(number / BINS, (number + 1) / BINS, n, confidences[number] / n, rights[number] / n)
        for number, n in enumerate(numbers)
        if n
    )


BRIER = Metric(
    name="extraction.brier",
    title="Confidence, Brier score",
    direction="lower",
    unit="share",
    formula="mean of (confidence - right)^2 over claims",
    source='G. W. Brier, "Verification of forecasts", Monthly Weather Review 78 (1950)',
    tally=CLAIMS,
    value=ratio("squared", "n"),
    margin=Margin(0.02),
)
LOG_LOSS = Metric(
    name="extraction.log_loss",
    title="Confidence, log loss",
    direction="lower",
    unit="count",
    formula=f"mean of -ln(probability given to what is so) over claims, confidences cut to {NEAREST}..{1 - NEAREST}",
    source='I. J. Good, "Rational decisions", Journal of the Royal Statistical Society B 14 (1952)',
    tally=CLAIMS,
    value=ratio("log", "n"),
    margin=Margin(0.05),
    detail=True,
)
CALIBRATION_ERROR = Metric(
    name="extraction.calibration_error",
    title="Confidence, calibration error",
    direction="lower",
    unit="share",
    formula=f"root mean squared gap of confidence and share right in {BINS} bins, less what chance alone gives",
    source='A. Kumar, P. Liang and T. Ma, "Verified uncertainty calibration", NeurIPS (2019)',
    tally=CLAIMS,
    value=calibration_error,
    margin=Margin(0.05),
    detail=True,
)

METRICS = (BRIER, LOG_LOSS, CALIBRATION_ERROR)
