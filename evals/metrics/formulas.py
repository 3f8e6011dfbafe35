"""Formulas over sums, vectorised: each takes totals of any shape and gives NaN where there is no data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evals.inference.resampling import Array
from evals.metrics.metric import Totals

Formula = Callable[[Totals], Array]


def ratio(part: str, of: str) -> Formula:
    """part / of."""
    return lambda totals: totals[part] / totals[of]


def precision(prefix: str = "") -> Formula:
    """tp / (tp + fp): how much of what was claimed is right."""
    return lambda totals: totals[f"{prefix}tp"] / (totals[f"{prefix}tp"] + totals[f"{prefix}fp"])


def recall(prefix: str = "") -> Formula:
    """tp / (tp + fn): how much of what is right was claimed."""
    return lambda totals: totals[f"{prefix}tp"] / (totals[f"{prefix}tp"] + totals[f"{prefix}fn"])


def f1(prefix: str = "") -> Formula:
    """2 tp / (2 tp + fp + fn), the harmonic mean of both. C. J. van Rijsbergen, "Information Retrieval" (1979)."""

    def value(totals: Totals) -> Array:
        twice = 2 * totals[f"{prefix}tp"]
        return twice / (twice + totals[f"{prefix}fp"] + totals[f"{prefix}fn"])

    return value


def mean_defined(values: Array) -> Array:
    """The mean over the last axis of what is defined; NaN where nothing is."""
    defined = np.isfinite(values)
    summed: Array = np.where(defined, values, 0.0).sum(axis=-1) / defined.sum(axis=-1)
    return summed


def confusion(totals: Totals, size: int) -> Array:
    """A tally whose parts are the cells of a table, as (..., labelled, claimed)."""
    return totals.all().reshape(*totals.counts.shape[:-1], size, size)


def accuracy(size: int) -> Formula:
    """The share on the diagonal."""

    def value(totals: Totals) -> Array:
        table = confusion(totals, size)
        share: Array = np.trace(table, axis1=-2, axis2=-1) / table.sum(axis=(-2, -1))
        return share

    return value


def macro_f1(size: int) -> Formula:
    """The mean of the classes' F1; a class that was neither labelled nor claimed has none and is left out."""

    def value(totals: Totals) -> Array:
        table = confusion(totals, size)
        right = np.diagonal(table, axis1=-2, axis2=-1)
        return mean_defined(2 * right / (table.sum(axis=-1) + table.sum(axis=-2)))

    return value


def quadratic_kappa(size: int) -> Formula:
    """1 - sum(d^2 observed) / sum(d^2 expected), d the distance of two ranks, expected as if both were independent.

    Undefined where all ranks are one and the same. J. Cohen, "Weighted kappa", Psychological Bulletin 70 (1968).
    """
    ranks = np.arange(size)
    distance = (ranks[:, None] - ranks[None, :]) ** 2.0

    def value(totals: Totals) -> Array:
        table = confusion(totals, size)
        expected = table.sum(axis=-1)[..., :, None] * table.sum(axis=-2)[..., None, :]
        apart = (distance * table).sum(axis=(-2, -1)) * table.sum(axis=(-2, -1))
        kappa: Array = 1 - apart / (distance * expected).sum(axis=(-2, -1))
        return kappa

    return value
