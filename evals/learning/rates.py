"""Reply rates of cells with their intervals: positive / (positive + negative + late), by conversation.

Outcomes of one conversation resemble each other. The variance of a rate r = sum(p_c) / sum(n_c) over G conversations is
G / (G - 1) * sum((p_c - r n_c)^2) / n^2 (W. G. Cochran, "Sampling Techniques" (1977), 9.24, without the correction for
finite populations); its ratio to r (1 - r) / n is the design effect d. The interval is Wilson's (JASA 22 (1927)) with
n / max(1, d) in the place of n, which keeps it inside 0 and 1 (J. N. K. Rao and A. J. Scott, Biometrics 48 (1992)),
and with Student's t of G - 1 degrees of freedom. Where each conversation has one outcome it is Wilson's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from evals.inference.intervals import LEVEL, t_quantile
from evals.learning.facts.values import Cell

INDEPENDENT = "Wilson"
CLUSTERED = "Wilson, by conversation"


@dataclass(frozen=True, slots=True)
class Rate:
    """The reply rate of a cell. `value`, `low` and `high` are shares, None where nothing is resolved.

    `effective` is the number of independent outcomes that the interval is worth; `method` says which interval it is.
    """

    cell: Cell
    value: float | None
    low: float | None
    high: float | None
    effective: float
    method: str

    @property
    def n(self) -> int:
        return self.cell.resolved


def rate_of(cell: Cell, level: float = LEVEL) -> Rate:
    """The rate of a cell with its interval. Without counts by conversation, outcomes are taken for independent."""
    value, n = cell.rate, cell.resolved
    if value is None:
        return Rate(cell, None, None, None, 0.0, INDEPENDENT)
    from scipy.special import ndtri

    z = float(ndtri((1 + level) / 2))
    if cell.conversations is None or cell.conversations >= n:
        return Rate(cell, value, *wilson(value, n, z), float(n), INDEPENDENT)
    effective = n / design_effect(cell)
    t = t_quantile((1 + level) / 2, cell.conversations - 1) if cell.conversations > 1 else z
    return Rate(cell, value, *wilson(value, effective, t), effective, CLUSTERED)


def rates(cells: Iterable[Cell], level: float = LEVEL) -> list[Rate]:
    """The rate of each cell, in the same order."""
    return [rate_of(cell, level) for cell in cells]


def design_effect(cell: Cell) -> float:
    """How many times the variance is what independent outcomes would have; at least 1.

    One conversation is one observation, and so are conversations that are all alike inside.
    """
    value, n, conversations = cell.rate, cell.resolved, cell.conversations
    if value is None or conversations is None or cell.squares is None or conversations >= n:
        return 1.0
    if conversations < 2 or value in (0.0, 1.0):
        return n / max(1, conversations)
    variance = conversations / (conversations - 1) * cell.squares / n**2
    return max(1.0, variance / (value * (1 - value) / n))


def wilson(value: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's score interval of a share `value` of `n` (which need not be whole) at the quantile `z`."""
    centre = (value + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
