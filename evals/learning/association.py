"""Which choices go with a reply, persona and stage accounted for: a logistic regression. Association, not cause.

Maximum likelihood by iteratively reweighted least squares, with a ridge of RIDGE on all coefficients but the intercept,
so that a level that was always or never answered has a large finite coefficient instead of none. Standard errors are
the sandwich over conversations, times G / (G - 1) * (n - 1) / (n - k), with Student's t of G - 1 degrees of freedom
(A. C. Cameron and D. L. Miller, "A Practitioner's Guide to Cluster-Robust Inference", Journal of Human Resources 50
(2015)). Average marginal effects by the delta method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from evals.inference.intervals import LEVEL, t_quantile
from evals.learning.facts.values import DIMENSIONS, UNKNOWN, Facts

Floats = NDArray[np.float64]

CHOICES = ("question_type", "target", "delivery")
ADJUSTED_FOR = ("persona", "stage")
WARNING = (
    "This is association, not effect: questions were chosen for reasons, and what those reasons say about the customer "
    "beyond persona and stage is not accounted for. What another choice would have done, only a random choice can tell."
)
RIDGE = 1e-3
FEWEST = 10  # outcomes of a level; rarer ones are left out, with their outcomes
MIN_CONVERSATIONS = 30
_STEPS, _CLOSE = 50, 1e-9


@dataclass(frozen=True, slots=True)
class Effect:
    """How a level of a choice compares with the most frequent one, `reference`, other things being equal.

    `odds_ratio` and its interval; `difference` in the probability of a reply, on average over these outcomes, as a
    share, and its interval. `n` outcomes have the level.
    """

    dimension: str
    level: str
    reference: str
    n: int
    odds_ratio: float
    odds_low: float
    odds_high: float
    difference: float
    difference_low: float
    difference_high: float


@dataclass(frozen=True, slots=True)
class Association:
    """Effects of the choices, from `n` resolved outcomes of so many conversations. `left_out` levels were too rare."""

    effects: tuple[Effect, ...]
    adjusted_for: tuple[str, ...]
    n: int
    conversations: int
    left_out: tuple[tuple[str, str], ...]
    warning: str = WARNING


@dataclass(frozen=True, slots=True, eq=False)
class _Design:
    """The matrix (n x k, the intercept first), which column stands for which level, and each dimension's reference."""

    matrix: Floats
    columns: tuple[tuple[str, str], ...]
    reference: dict[str, str]


def association(
    facts: Facts,
    choices: Sequence[str] = CHOICES,
    adjusted_for: Sequence[str] = ADJUSTED_FOR,
    level: float = LEVEL,
) -> Association:
    """The effects of `choices` on the reply, adjusted. Needs the columns named, `status`, `closes_at`, `conversation`.

    Raises InputError for dimensions that there are none of, and if there are too few conversations, or no replies (or
    nothing but replies), to say anything.
    """
    names = tuple(dict.fromkeys((*choices, *adjusted_for)))
    for name in names:
        if name not in DIMENSIONS:
            raise InputError(f"{name} is no dimension; there are {', '.join(DIMENSIONS)}")
    kept, left_out = _frequent(facts.where(facts.resolved), names)
    reply = kept.positive.astype(np.float64)
    groups = np.unique(kept.conversations, return_inverse=True)[1]
    count = int(groups.max()) + 1 if len(groups) else 0
    if count < MIN_CONVERSATIONS or reply.min() == reply.max():
        raise InputError(
            f"{len(kept)} resolved outcomes of {count} conversations do not tell choices apart; there have to be "
            f"{MIN_CONVERSATIONS} conversations, some answered and some not"
        )
    design = _design(kept, names)
    beta, covariance = _fitted(design.matrix, reply, groups)
    t = t_quantile((1 + level) / 2, count - 1)
    effects = [
        _effect(design, column, beta, covariance, t)
        for column in range(1, len(beta))
        if design.columns[column][0] in choices
    ]
    return Association(tuple(effects), tuple(adjusted_for), len(kept), count, left_out)


def _frequent(facts: Facts, names: Sequence[str]) -> tuple[Facts, tuple[tuple[str, str], ...]]:
    """The outcomes all of whose levels are known and occur often enough, and the levels that do not."""
    chosen = np.ones(len(facts), np.bool_)
    left_out: list[tuple[str, str]] = []
    for name in names:
        column = facts.words(name)
        counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.labels))
        rare = np.flatnonzero((counts > 0) & (counts < FEWEST))
        left_out += [(name, column.labels[code]) for code in rare]
        chosen &= (column.codes != UNKNOWN) & ~np.isin(column.codes, rare)
    return facts.where(chosen), tuple(left_out)


def _design(facts: Facts, names: Sequence[str]) -> _Design:
    parts, columns, reference = [np.ones(len(facts))], [("", "")], {}
    for name in names:
        column = facts.words(name)
        counts = np.bincount(column.codes, minlength=len(column.labels))
        first = int(counts.argmax())
        reference[name] = column.labels[first]
        for code in np.flatnonzero(counts):
            if code != first:
                parts.append((column.codes == code).astype(np.float64))
                columns.append((name, column.labels[code]))
    return _Design(np.column_stack(parts), tuple(columns), reference)


def _fitted(matrix: Floats, reply: Floats, groups: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """The coefficients and their covariance, clustered by `groups`."""
    n, k = matrix.shape
    ridge = RIDGE * np.eye(k)
    ridge[0, 0] = 0.0
    beta = np.zeros(k)
    for _ in range(_STEPS):
        p = _sigmoid(matrix @ beta)
        hessian = (matrix * (p * (1 - p))[:, None]).T @ matrix + ridge
        step = np.linalg.solve(hessian, matrix.T @ (reply - p) - ridge @ beta)
        beta = beta + np.clip(step, -4.0, 4.0)
        if np.abs(step).max() < _CLOSE:
            break
    p = _sigmoid(matrix @ beta)
    bread = np.linalg.inv((matrix * (p * (1 - p))[:, None]).T @ matrix + ridge)
    scores = np.zeros((int(groups.max()) + 1, k))
    np.add.at(scores, groups, matrix * (reply - p)[:, None])
    many = len(scores)
    factor = many / (many - 1) * (n - 1) / max(1, n - k)
    covariance: Floats = factor * bread @ (scores.T @ scores) @ bread
    return beta, covariance


def _effect(design: _Design, column: int, beta: Floats, covariance: Floats, t: float) -> Effect:
    name, level = design.columns[column]
    alike = [other for other, (dimension, _) in enumerate(design.columns) if dimension == name]
    error = float(np.sqrt(covariance[column, column]))
    without = design.matrix.copy()
    without[:, alike] = 0.0
    with_ = without.copy()
    with_[:, column] = 1.0
    p1, p0 = _sigmoid(with_ @ beta), _sigmoid(without @ beta)
    gradient = (with_ * (p1 * (1 - p1))[:, None] - without * (p0 * (1 - p0))[:, None]).mean(axis=0)
    difference, spread = float((p1 - p0).mean()), t * float(np.sqrt(gradient @ covariance @ gradient))
    low, value, high = np.exp(np.clip(beta[column] + np.array([-1, 0, 1]) * t * error, -700, 700)).tolist()
    return Effect(
        dimension=name,
        level=level,
        reference=design.reference[name],
        n=int(design.matrix[:, column].sum()),
        odds_ratio=value,
        odds_low=low,
        odds_high=high,
        difference=difference,
        difference_low=difference - spread,
        difference_high=difference + spread,
    )


def _sigmoid(log_odds: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-np.clip(log_odds, -700, 700)))
    return found
