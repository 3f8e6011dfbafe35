"""How likely an answer is, by a small regression: what doubly robust estimates lean on where the log is thin.

Logistic regression with a ridge on indicators of context, action, and question type by engagement and by persona. It is
cross-fitted: the answers of a conversation are predicted by a model that has not seen that conversation, without which
the model would explain away the luck that the estimate has to carry (V. Chernozhukov et al., "Double/debiased machine
learning", The Econometrics Journal 21 (2018)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evals.learning.facts import Coded
from evals.learning.off_policy.log import NOWHERE, ChoiceLog, Codes, Numbers, Shares

FOLDS = 5
RIDGE = 2.0  # as if each coefficient had been seen to be near 0 that much: indicators of rare words stay small
SEED = 20_260_101
MOST_FITTED = 20_000  # rows that one model is fitted to, evenly taken; more would not change it visibly
ROUNDS = 30
CLOSE = 1e-8

_TOGETHER = ("engagement", "persona")  # what may make the same type of question work otherwise
_BLOCK = 50_000  # pairs of turn and action predicted at once


@dataclass(frozen=True, slots=True)
class Predicted:
    """The chance of an answer: at each turn after what was asked, and after each action of the shares."""

    logged: Numbers
    wanted: Numbers


def cross_fitted(log: ChoiceLog, shares: Shares, *, folds: int = FOLDS, seed: int = SEED) -> Predicted:
    """The chances that models predict which were fitted to other conversations. Equal seeds give equal folds."""
    design = _Design.of(log)
    fold = _folds(log.conversation.codes.astype(np.int64), folds, seed)
    logged, wanted = np.empty(len(log)), np.empty(len(shares.row))
    for own in range(folds):
        rows = np.flatnonzero(fold != own)
        fitted = rows[:: -(-len(rows) // MOST_FITTED) or 1]
        weights = fit_logistic(design.present(fitted, log.action[fitted]), design.size, log.reply[fitted])
        inside, pairs = np.flatnonzero(fold == own), np.flatnonzero(fold[shares.row] == own)
        logged[inside] = design.predict(weights, inside, log.action[inside])
        wanted[pairs] = design.predict(weights, shares.row[pairs], shares.action[pairs])
    return Predicted(logged, wanted)


def fit_logistic(present: Codes, size: int, reply: Numbers, ridge: float = RIDGE) -> Numbers:
    """Coefficients of `size` indicators that maximise the log likelihood minus ridge / 2 times their squares.

    `present` has a row for each reply and lists the indicators that are 1 there, the constant (0) among them; `size`
    itself stands for none. The constant is not held back. Newton's method, which ends after ROUNDS at the latest.
    """
    penalty = np.full(size, ridge)
    penalty[0] = 1e-6
    left, right = np.triu_indices(present.shape[1])
    pairs = (present[:, left] * (size + 1) + present[:, right]).ravel()
    weights = np.zeros(size)
    for _ in range(ROUNDS):
        chance = _chances(present, weights)
        gradient = _added(present, reply - chance, size + 1)[:size] - penalty * weights
        half = _added(pairs.reshape(len(reply), -1), chance * (1 - chance), (size + 1) ** 2)
        upper = half.reshape(size + 1, size + 1)[:size, :size]
        both = upper + upper.T
        curvature = both - np.diag(np.diag(both) / 2) + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < CLOSE:
            break
    return weights


@dataclass(frozen=True, slots=True, eq=False)
class _Design:
    """Indicators: a constant, the context's words, the action's words, and question type with some of the context."""

    context: Mapping[str, Coded]
    action: tuple[Codes, ...]  # for each part, the word's code of each action; -1 for one that is not known
    words: tuple[int, ...]  # how many words each part has

    @classmethod
    def of(cls, log: ChoiceLog) -> _Design:
        parts = [Coded.of([action[place] for action in log.actions]) for place in range(len(log.parts))]
        codes = tuple(np.append(part.codes.astype(np.int64), NOWHERE) for part in parts)  # the last is NOWHERE's
        return cls(log.context, codes, tuple(len(part.labels) for part in parts))

    @property
    def _sizes(self) -> list[int]:
        """How many indicators each kind has, in the order of `present`."""
        context = {name: len(column.labels) for name, column in self.context.items()}
        together = [self.words[0] * context[name] for name in _TOGETHER]
        return [1, *context.values(), *self.words, *together]

    @property
    def size(self) -> int:
        return sum(self._sizes)

    def present(self, rows: Codes, actions: Codes) -> Codes:
        """The indicators that are 1, a row for each pair of turn and action; `size` where a word is not known."""
        context = {name: column.codes[rows].astype(np.int64) for name, column in self.context.items()}
        parts = [codes[actions] for codes in self.action]
        kinds = [np.zeros(len(rows), np.int64), *context.values(), *parts]
        for name in _TOGETHER:
            both = parts[0] * len(self.context[name].labels) + context[name]
            kinds.append(np.where((parts[0] < 0) | (context[name] < 0), NOWHERE, both))
        begins = np.cumsum([0, *self._sizes[:-1]])
        found: Codes = np.stack(
            [np.where(own < 0, self.size, own + begin) for own, begin in zip(kinds, begins, strict=True)], axis=1
        )
        return found

    def predict(self, weights: Numbers, rows: Codes, actions: Codes) -> Numbers:
        blocks = [
            _chances(self.present(rows[at : at + _BLOCK], actions[at : at + _BLOCK]), weights)
            for at in range(0, len(rows), _BLOCK)
        ]
        return np.concatenate(blocks) if blocks else np.zeros(0)


def _chances(present: Codes, weights: Numbers) -> Numbers:
    value = np.append(weights, 0.0)[present].sum(axis=1)
    chance: Numbers = 1.0 / (1.0 + np.exp(-np.clip(value, -30, 30)))
    return chance


def _added(places: Codes, value: Numbers, size: int) -> Numbers:
    """For each place the sum of the values of the rows that list it."""
    total: Numbers = np.bincount(places.ravel(), weights=np.repeat(value, places.shape[1]), minlength=size).astype(
        np.float64
    )
    return total


def _folds(conversation: Codes, folds: int, seed: int) -> Codes:
    """A fold for each row, the same for all rows of a conversation, and folds of as many conversations."""
    distinct, place = np.unique(conversation, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(distinct))
    fold: Codes = (order % folds)[place.reshape(-1)]
    return fold
