"""Outcomes as tests need them: cells with counts by conversation, and facts from a few words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from evals.learning.facts import Cell, Facts


def cell(positive: int, resolved: int, **counts: int) -> Cell:
    return Cell(("a",), resolved, resolved, positive, **counts)


def cells_of(facts: Facts, by: str) -> Iterator[Cell]:
    """The cells of one dimension, as the copy counts them, from single facts."""
    counted = facts.where(facts.resolved)
    column, positive = counted.words(by), counted.positive.astype(float)
    for code, label in enumerate(column.labels):
        chosen = column.codes == code
        if chosen.any():
            yield cell_of(label, positive[chosen], counted.conversations[chosen])


def cell_of(key: str, positive: Sequence[float], conversations: Sequence[int]) -> Cell:
    groups = np.unique(np.asarray(conversations), return_inverse=True)[1]
    size, answered = np.bincount(groups), np.bincount(groups, weights=positive)
    n, p = int(size.sum()), int(answered.sum())
    squares = float(((answered - p / n * size) ** 2).sum())
    return Cell((key,), n, n, p, conversations=len(size), squares=squares)
