"""Whether a calibration in use has gone stale: too old, no longer right, or made for another population.

Asked again and again, a test finds something by luck: LUCK is therefore strict and shared among all that is tested at
once, and what is found must also be large enough to matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from evals.inference.multiplicity import holm
from evals.inference.resampling import Array
from evals.learning.calibration.gain import clustered
from evals.learning.calibration.methods import logits
from evals.learning.calibration.observations import Codes, Observations
from evals.learning.calibration.reliability import design_effect

MAX_AGE = timedelta(days=90)
LEAST = 50  # resolved outcomes since, in a cell that is tested
LEAST_CONVERSATIONS = 10
LUCK = 0.01
GAP = 0.03  # of mean confidence and share: less than this nobody would act on
SLOPE = 0.2  # of the logits
MOVED = 0.2  # population stability index from which a population counts as another one


class Stale(StrEnum):
    """Why a calibration is stale."""

    TOO_OLD = "too_old"
    GAP = "gap"  # confidence is too high or too low by now
    SLOPE = "slope"  # high confidence is too high and low too low, or the other way round
    POPULATION = "population"  # other questions are asked, or with other confidence


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that is wrong: the `figure` that is beyond its `limit`, in which cell, and what it means, in words."""

    kind: Stale
    figure: float
    limit: float
    words: str
    cell: str | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    """What was found of one cell since: how far `gap` and `slope` are from what they should be, 0 and 1.

    `slope` is one Newton step from 1: how much steeper the logits should be. The p-values are adjusted.
    """

    cell: str
    n: int
    conversations: int
    confidence: float
    share: float
    slope: float
    gap_p: float | None
    slope_p: float | None


def too_old(as_of: datetime, now: datetime, limit: timedelta = MAX_AGE) -> list[Alert]:
    """An alert if what it was learned from is longer ago than `limit`."""
    days, most = (now - as_of) / timedelta(days=1), limit / timedelta(days=1)
    if days <= most:
        return []
    words = f"learned {days:.0f} days ago, more than {most:.0f}: customers and prompts have moved on; fit again"
    return [Alert(Stale.TOO_OLD, days, most, words)]


def drifted(tested: list[Tested]) -> list[Alert]:
    """The cells in which it is no longer right: beyond luck, and by more than nobody would mind."""
    alerts = []
    for own in tested:
        gap = own.confidence - own.share
        if own.gap_p is not None and own.gap_p < LUCK and abs(gap) > GAP:
            words = f"{own.confidence:.0%} were to answer, and {own.share:.0%} of {own.n:,} did"
            alerts.append(Alert(Stale.GAP, gap, GAP, words, own.cell, own.gap_p))
        if own.slope_p is not None and own.slope_p < LUCK and abs(own.slope) > SLOPE:
            ends = ("low", "high") if own.slope > 0 else ("high", "low")
            words = f"of {own.n:,}, high probabilities are too {ends[0]} and low ones too {ends[1]}"
            alerts.append(Alert(Stale.SLOPE, own.slope, SLOPE, words, own.cell, own.slope_p))
    return alerts


def drift(observations: Observations, probability: Array) -> list[Tested]:
    """How right `probability`, of the shape (n,), has been of outcomes that it was not learned from, cell by cell.

    Of every cell of the two coarser levels with enough outcomes. Score tests of logit(p) = a + b logit(probability) at
    a = 0 and b = 1, with variances by conversation, adjusted after Holm for all that is tested here. D. R. Cox, "Two
    further applications of a model for binary regression", Biometrika 45 (1958); D. J. Spiegelhalter, "Probabilistic
    prediction in patient management", Statistics in Medicine 5 (1986).
    """
    found = []
    for level in observations.cells[:2]:
        for code, name in enumerate(level.names):
            chosen = level.codes == code
            own = observations.where(chosen)
            if len(own) >= LEAST and len(own.conversations.names) >= LEAST_CONVERSATIONS:
                found.append(_tested(name, own, probability[chosen]))
    adjusted = holm([p for own in found for p in (own.gap_p, own.slope_p)])
    return [
        Tested(own.cell, own.n, own.conversations, own.confidence, own.share, own.slope, *adjusted[2 * at : 2 * at + 2])
        for at, own in enumerate(found)
    ]


def moved(before: Mapping[str, int], after: Mapping[str, int], what: str, alike: float = 1.0) -> list[Alert]:
    """An alert if the shares of cells (or of bins of confidence) are no longer those that it was learned from.

    Beyond luck by a chi-square test of both samples, its statistic divided by the design effect `alike` (J. N. K. Rao
    and A. J. Scott, JASA 76 (1981)), and by a population stability index above MOVED: the sum of (q - p) ln(q / p) over
    cells, each with half an outcome more, so that an empty one counts.
    """
    names = sorted({*before, *after})
    counts = np.array([[sample.get(name, 0) for name in names] for sample in (before, after)], dtype=np.float64)
    if len(names) < 2 or counts.sum(axis=1).min() < LEAST:
        return []
    from scipy.special import chdtrc

    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum()) / max(1.0, alike)
    p = float(chdtrc(len(names) - 1, statistic))
    first, second = (counts + 0.5) / (counts + 0.5).sum(axis=1, keepdims=True)
    index = float(((second - first) * np.log(second / first)).sum())
    if p >= LUCK or index <= MOVED:
        return []
    most = int(np.argmax(np.abs(second - first)))
    words = f"{what} have moved: {names[most]} was {first[most]:.0%} of them, and is {second[most]:.0%} now"
    return [Alert(Stale.POPULATION, index, MOVED, words, names[most], p)]


def alike_in(observations: Observations, level: int) -> float:
    """The design effect of how often cells come: the mean over cells, of being in one or not."""
    own = observations.cells[level]
    effects = []
    for code in range(len(own.names)):
        inside = Observations(
            observations.confidence, (own.codes == code).astype(np.float64), observations.conversations
        )
        effects.append(design_effect(inside, np.zeros(len(observations), dtype=np.int64)))
    return float(np.mean(effects)) if effects else 1.0


def _tested(cell: str, own: Observations, probability: Array) -> Tested:
    x, beyond = logits(probability), own.positive - probability
    weight = probability * (1 - probability)
    lever = x - float((weight * x).sum() / weight.sum())  # so that a shift is no slope
    curvature = float((weight * lever**2).sum())
    codes, conversations = own.conversations.codes, len(own.conversations.names)
    return Tested(
        cell=cell,
        n=len(own),
        conversations=conversations,
        confidence=float(probability.mean()),
        share=float(own.positive.mean()),
        slope=float((lever * beyond).sum()) / curvature if curvature > 0 else 0.0,
        gap_p=_two_sided(beyond, codes, conversations),
        slope_p=_two_sided(lever * beyond, codes, conversations) if curvature > 0 else None,
    )


def _two_sided(scores: Array, codes: Codes, conversations: int) -> float | None:
    """That scores are 0 on average."""
    from evals.inference.intervals import p_value

    return p_value(float(scores.mean()), clustered(scores, codes, conversations))
