"""Corrections for looking at several metrics at once. A metric without a p-value is no part of the family."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from evals.inference.resampling import Array


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values; those below 0.05 hold together with a chance of at most 5 % that any one is luck.

    The i-th smallest of m is multiplied by m - i + 1, and never less than the one before. S. Holm, "A simple
    sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
    """
    return _adjusted(p_values, lambda ordered: np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1)))


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values; of those below 0.05, on average at most 5 % are luck.

    The i-th smallest of m is multiplied by m / i, and never more than the one after. Y. Benjamini and Y. Hochberg,
    Journal of the Royal Statistical Society B 57 (1995).
    """

    def stepped(ordered: Array) -> Array:
        scaled: Array = ordered * len(ordered) / np.arange(1, len(ordered) + 1)
        return np.minimum.accumulate(scaled[::-1])[::-1]

    return _adjusted(p_values, stepped)


def _adjusted(p_values: Sequence[float | None], step: Callable[[Array], Array]) -> list[float | None]:
    """The p-values in ascending order through `step`, back in their places and at most 1."""
    family = [position for position, p in enumerate(p_values) if p is not None]
    given = np.array([p_values[position] for position in family], dtype=np.float64)
    order = np.argsort(given, kind="stable")
    adjusted: list[float | None] = [None] * len(p_values)
    for position, p in zip(order, step(given[order]), strict=True):
        adjusted[family[position]] = min(1.0, float(p))
    return adjusted
