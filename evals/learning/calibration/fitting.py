"""A calibration from outcomes: fitted from the coarsest cells to the finest, and offered only where it is proven.

A cell is fitted on top of what its parent says, and so shrunk to it. It is offered if it is better out of fold than its
parent alone, beyond luck; the whole only if it is better than no calibration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from engine.calibration.maps import Map
from engine.calibration.values import Calibration
from engine.model.outcome import OutcomeType
from evals.inference.multiplicity import holm
from evals.inference.resampling import Array
from evals.learning.calibration.gain import Gain, gain
from evals.learning.calibration.methods import FEW, candidates
from evals.learning.calibration.observations import Observations
from evals.learning.calibration.out_of_fold import Claims, Said, fit

LEAST = FEW  # resolved outcomes of a cell below the first level
LEAST_CONVERSATIONS = 10
STRENGTH_BELOW = 4.0  # a cell is held to its parent twice as closely as the first level is to doing nothing
# One-sided. What is fitted pays out of fold for having been estimated, so that far fewer get past this that do harm:
# `tests/benchmarks/calibration.py` counts them.
LUCK = 0.10
OPTIMISTIC = "the gain is read on the outcomes that chose the cells, and so is somewhat optimistic"


@dataclass(frozen=True, slots=True)
class CellFit:
    """What came of one cell. `own` is its map, also where it is not `offered`; None where none was fitted.

    `gain` is measured against what its parent says, out of fold; `p` is that of no gain, adjusted for the cells of its
    level.
    """

    cell: str
    level: int
    n: int
    positive: int
    conversations: int
    method: str | None = None
    own: Map | None = None
    gain: Gain | None = None
    p: float | None = None
    offered: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Fitted:
    """A calibration, the cells it was made of, and what it gains over none out of fold.

    The gain of the whole is read on the observations that chose which cells are offered: it is somewhat optimistic.
    `out_of_fold` is what it says of each observation by what was fitted without it; what is not corrected keeps its
    confidence. `gain` is None where no cell is offered.
    """

    calibration: Calibration
    cells: tuple[CellFit, ...]
    gain: Gain | None
    reason: str
    out_of_fold: Array = field(repr=False)

    @property
    def offered(self) -> bool:
        return bool(self.calibration.cells)


def fit_calibration(observations: Observations, outcome_type: OutcomeType = OutcomeType.EMAIL_ENGAGEMENT) -> Fitted:
    """The calibration that these outcomes bear; one that corrects nothing where none is proven to be better."""
    claims = Claims.of(observations)
    cells: list[CellFit] = []
    said: dict[str, Said] = {}
    for level in range(len(observations.cells)):
        found = _level(observations, claims, level, said)
        cells += [cell for cell, _ in found]
        said |= {cell.cell: new for cell, new in found if cell.offered and new is not None}
    corrected = _out_of_fold(observations, claims, said)
    maps = {cell.cell: cell.own for cell in cells if cell.offered and cell.own is not None}
    nothing = Calibration(outcome_type=outcome_type)
    if not maps:
        reason = "no cell is better out of fold with a correction than without, beyond luck"
        return Fitted(nothing, tuple(cells), None, reason, observations.confidence)
    whole = gain(observations, observations.confidence, corrected)
    if not _proven(whole, whole.p):
        reason = "cells are better with a correction, but all together not beyond luck"
        return Fitted(nothing, tuple(cells), whole, reason, observations.confidence)
    reason = f"better out of fold than no calibration, beyond luck; {OPTIMISTIC}"
    return Fitted(nothing.model_copy(update={"cells": maps}), tuple(cells), whole, reason, corrected)


def _level(
    observations: Observations, claims: Claims, level: int, said: Mapping[str, Said]
) -> list[tuple[CellFit, Said | None]]:
    """The cells of one level, and what is said in each with its map; the p-values are adjusted for one another."""
    own = observations.cells[level]
    tried = [
        _cell(observations, claims, level, code, _parent(observations, level, code, said))
        for code, name in enumerate(own.names)
        if name
    ]
    adjusted = holm([cell.gain.p if cell.gain else None for cell, _ in tried])
    return [(_decided(cell, p), new) for (cell, new), p in zip(tried, adjusted, strict=True)]


def _cell(
    observations: Observations, claims: Claims, level: int, code: int, parent: Said
) -> tuple[CellFit, Said | None]:
    """One cell, not decided yet: its map on top of what its parent says, and the gain out of fold."""
    chosen = observations.cells[level].codes == code
    own, mine = observations.where(chosen), claims.where(chosen)
    found = CellFit(
        cell=observations.cells[level].names[code],
        level=level,
        n=len(own),
        positive=int(own.positive.sum()),
        conversations=len(own.conversations.names),
    )
    if (level and len(own) < LEAST) or found.conversations < LEAST_CONVERSATIONS:
        return found, None
    fitted = fit(mine, parent, candidates(len(own)), STRENGTH_BELOW if level else 1.0)
    said = parent.corrected(fitted)
    better = gain(own, parent.of(mine), said.of(mine))
    return replace(found, method=fitted.method, own=fitted.new, gain=better), said


def _decided(cell: CellFit, p: float | None) -> CellFit:
    if cell.gain is None:
        few = f"fewer than {LEAST_CONVERSATIONS} conversations"
        few = few if cell.conversations < LEAST_CONVERSATIONS else f"fewer than {LEAST} resolved outcomes"
        return replace(cell, reason=f"{few}: what holds above it holds here")
    if not _proven(cell.gain, p):
        return replace(cell, p=p, reason="not better out of fold than without, beyond luck")
    return replace(cell, p=p, offered=True, reason="better out of fold than without, beyond luck")


def _proven(found: Gain, p: float | None) -> bool:
    return found.gain > 0 and p is not None and p < LUCK


def _parent(observations: Observations, level: int, code: int, said: Mapping[str, Said]) -> Said:
    """What is said in the nearest cell above that is corrected. Cells lie within those above them."""
    row = int(np.argmax(observations.cells[level].codes == code))
    for above in reversed(observations.cells[:level]):
        if (found := said.get(above.names[above.codes[row]])) is not None:
            return found
    return Said.nothing_done()


def _out_of_fold(observations: Observations, claims: Claims, said: Mapping[str, Said]) -> Array:
    """What is claimed of each observation by what has not seen it: that of its finest cell that is corrected."""
    corrected = observations.confidence.copy()
    for level in observations.cells:
        for code, name in enumerate(level.names):
            if name in said:
                chosen = level.codes == code
                corrected[chosen] = said[name].of(claims.where(chosen))
    return corrected
