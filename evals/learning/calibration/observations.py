"""Probabilities that were claimed beside what came of them, in an order that does not depend on how they came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from evals.inference.resampling import Array

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """Which of `names`, which are distinct and sorted, each observation belongs to, at one level."""

    names: tuple[str, ...]
    codes: Codes


@dataclass(frozen=True)
class Observations:
    """`confidence` and `positive` (0 or 1) have the shape (n,). Those of one conversation resemble each other.

    `cells` are from the coarsest level to the finest.
    """

    confidence: Array
    positive: Array
    conversations: Cells
    cells: tuple[Cells, ...] = ()

    def __len__(self) -> int:
        return len(self.confidence)

    def where(self, chosen: NDArray[np.bool_]) -> Observations:
        """Those chosen; conversations and cells that none of them has are left out."""
        return Observations(
            self.confidence[chosen],
            self.positive[chosen],
            _subset(self.conversations, chosen),
            tuple(_subset(level, chosen) for level in self.cells),
        )

    def of_cell(self, level: int, name: str) -> Observations:
        """Those of one cell; none if nobody belongs to it."""
        own = self.cells[level]
        code = own.names.index(name) if name in own.names else -1
        return self.where(own.codes == code)

    def claiming(self, confidence: Array) -> Observations:
        """The same outcomes, had another confidence been claimed."""
        return Observations(confidence, self.positive, self.conversations, self.cells)


def observe(
    confidence: Sequence[float] | Array,
    positive: Sequence[bool] | Array | NDArray[np.bool_],
    conversations: Sequence[str] | Cells,
    *,
    cells: Sequence[Sequence[str] | Cells] = (),
) -> Observations:
    """Observations from columns of equal length; `cells` has one such column for each level.

    They are ordered by all that they say, so that any order of equal rows gives equal bits. Raises InputError for a
    confidence that is no probability.
    """
    claimed, came = np.asarray(confidence, dtype=np.float64), np.asarray(positive, dtype=np.float64)
    if not np.all((claimed >= 0) & (claimed <= 1)):  # NaN is neither
        raise InputError("a confidence is not between 0 and 1: it cannot be calibrated; correct it at its source")
    own, *levels = (each if isinstance(each, Cells) else encoded(each) for each in (conversations, *cells))
    order = np.lexsort((came, claimed, *(level.codes for level in levels), own.codes))
    return Observations(
        claimed[order], came[order], _subset(own, order), tuple(_subset(level, order) for level in levels)
    )


def encoded(names: Sequence[str]) -> Cells:
    """Names as codes into the sorted distinct names."""
    found, codes = np.unique(np.asarray(names, dtype=np.str_), return_inverse=True)
    return Cells(tuple(found.tolist()), codes.astype(np.int64))


def _subset(cells: Cells, rows: NDArray[np.bool_] | Codes) -> Cells:
    kept, codes = np.unique(cells.codes[rows], return_inverse=True)
    return Cells(tuple(cells.names[code] for code in kept.tolist()), codes.astype(np.int64))
