"""What a way of fitting says of conversations that it has not seen, the choice of its method included.

Each fold is predicted by a map that was fitted, and whose method was chosen, on the other folds alone: the choice by
how what fits all but two folds does on the second. Claims are counted by thousandths of confidence, so that the work
does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.calibration.maps import Map
from evals.inference.resampling import Array
from evals.learning.calibration.folds import FOLDS, folds
from evals.learning.calibration.methods import METHODS, Counted, applied
from evals.learning.calibration.observations import Codes, Observations
from evals.learning.calibration.scores import log_losses

GRID = 1_000  # confidences are fitted as multiples of 1 / GRID
PLACES = GRID + 1


@dataclass(frozen=True, slots=True)
class Claims:
    """The fold of each observation, its place on the grid, and whether it came true."""

    fold: Codes
    place: Codes
    positive: Array

    @classmethod
    def of(cls, observations: Observations) -> Claims:
        place = np.rint(observations.confidence * GRID).astype(np.int64)
        return cls(folds(observations), place, observations.positive)

    def where(self, chosen: NDArray[np.bool_]) -> Claims:
        return Claims(self.fold[chosen], self.place[chosen], self.positive[chosen])

    def table(self) -> tuple[Array, Array]:
        """How many were claimed and how many came true, by fold and place."""
        at, size = self.fold * PLACES + self.place, FOLDS * PLACES
        n, came = np.bincount(at, minlength=size), np.bincount(at, self.positive, size)
        shape = (FOLDS, PLACES)
        return n.astype(np.float64).reshape(shape), came.astype(np.float64).reshape(shape)


@dataclass(frozen=True, slots=True)
class Said:
    """What is claimed at each place of the grid: of each fold by what was fitted without it, of the shape
    (folds, places), and of whoever comes new, of the shape (places,).
    """

    unseen: Array
    new: Array

    @classmethod
    def nothing_done(cls) -> Said:
        grid = np.arange(PLACES) / GRID
        return cls(np.tile(grid, (FOLDS, 1)), grid)

    def of(self, claims: Claims) -> Array:
        """What is claimed of each observation by what has not seen it."""
        found: Array = self.unseen[claims.fold, claims.place]
        return found

    def corrected(self, fit: Fit) -> Said:
        """The same through further maps."""
        unseen = [applied(own, row) for own, row in zip(fit.unseen, self.unseen, strict=True)]
        return Said(np.stack(unseen), applied(fit.new, self.new))


@dataclass(frozen=True, slots=True)
class Fit:
    """The map for whoever comes new, with its method, and the map that each fold is predicted by."""

    method: str
    new: Map
    unseen: tuple[Map, ...]


def fit(claims: Claims, said: Said, methods: Sequence[str], strength: float = 1.0) -> Fit:
    """Maps on top of what is `said` already; `strength` multiplies how strongly they are held to the identity."""
    n, positive = claims.table()

    def fitted(method: str, said_there: Array, without: Iterable[int]) -> Map:
        left = np.setdiff1d(np.arange(FOLDS), list(without))
        there = n[left].sum(axis=0)
        used = there > 0
        came = positive[left].sum(axis=0)
        return METHODS[method](Counted(said_there[used], there[used], came[used]), strength)

    def loss(own: Map, said_there: Array, fold: int) -> float:
        used = n[fold] > 0
        claimed = applied(own, said_there[used])
        came, missed = positive[fold][used], n[fold][used] - positive[fold][used]
        ones = np.ones_like(claimed)
        return float((came * log_losses(claimed, ones) + missed * log_losses(claimed, 0 * ones)).sum())

    def chosen_without(held: int) -> str:
        if len(methods) == 1:
            return methods[0]
        there = said.unseen[held]
        others = [fold for fold in range(FOLDS) if fold != held]
        return min(methods, key=lambda m: sum(loss(fitted(m, there, (held, g)), there, g) for g in others))

    every = range(FOLDS)
    own = {m: [fitted(m, said.unseen[held], (held,)) for held in every] for m in methods}
    best = min(methods, key=lambda m: sum(loss(own[m][held], said.unseen[held], held) for held in every))
    unseen = tuple(own[chosen_without(held)][held] for held in every)
    return Fit(best, fitted(best, said.new, ()), unseen)
