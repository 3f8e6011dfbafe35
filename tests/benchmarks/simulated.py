"""Pairs of runs whose truth is known: conversations of unequal length whose turns resemble each other strongly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evals.inference.intervals import Interval, interval, p_value, spread
from evals.inference.resampling import Array, resampled_totals
from evals.inference.significance import FEW_CONVERSATIONS, sign_flip_p

FEWEST_TURNS, MOST_TURNS = 4, 12
Value = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Pair:
    """Counts of two runs, of shape (conversations, turns, parts); turns that are not there count nothing."""

    first: Array
    second: Array


def f1(totals: Array) -> Array:
    """Of totals (..., [tp, fp, fn])."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value: Array = 2 * totals[..., 0] / (2 * totals[..., 0] + totals[..., 1] + totals[..., 2])
    return value


def accuracy(totals: Array) -> Array:
    """Of totals (..., [right, wrong, unused])."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value: Array = totals[..., 0] / (totals[..., 0] + totals[..., 1])
    return value


VALUES: dict[str, Value] = {"accuracy": accuracy, "F1": f1}


def pair(conversations: int, shift: float, generator: np.random.Generator) -> Pair:
    """Two runs. A turn is right if ability + conversation + conversation and run + luck > 0, all normal.

    Of the variance between turns 0.31 is due to the conversation and 0.44 more to how a run fares in that conversation
    as a whole (1, 1.44 and 1), so that differences are correlated within a conversation with 0.59. `shift` is what the
    second run is better by; 0 is a null comparison.
    """
    shape = (conversations, MOST_TURNS)
    turns = np.arange(MOST_TURNS) < generator.integers(FEWEST_TURNS, MOST_TURNS + 1, size=(conversations, 1))
    hard = generator.normal(0, 1.0, size=(conversations, 1))
    sides = []
    for ability in (1.0, 1.0 + shift):
        liking = generator.normal(0, 1.2, size=(conversations, 1))
        right = (ability + hard + liking + generator.normal(size=shape) > 0) & turns
        false_positive = turns & ~right
        missed = false_positive & (generator.random(shape) < 0.8)
        sides.append(np.stack([right, false_positive, missed], axis=-1).astype(np.float64))
    return Pair(*sides)


def truth(value: Value, shift: float, seed: int) -> float:
    """The difference that endless data would show, from 200,000 conversations."""
    large = pair(200_000, shift, np.random.default_rng(seed))
    return float(value(large.second.sum(axis=(0, 1))) - value(large.first.sum(axis=(0, 1))))


def clustered(both: Pair, value: Value, *, resamples: int, seed: int) -> tuple[Interval | None, float | None]:
    """Interval and p-value as `evals.compare` has them, conversations resampled."""
    return _inferred(both.first.sum(axis=1), both.second.sum(axis=1), value, resamples, seed)


def naive(both: Pair, value: Value, *, resamples: int, seed: int) -> tuple[Interval | None, float | None]:
    """The same, with every turn taken for a conversation of its own."""
    there = both.first.any(axis=-1)
    return _inferred(both.first[there], both.second[there], value, resamples, seed)


def percentile(both: Pair, value: Value, *, resamples: int, seed: int) -> tuple[Interval, None]:
    """The interval between the 2.5 % and 97.5 % quantiles of the resamples of conversations."""
    draws = _draws(both.first.sum(axis=1), both.second.sum(axis=1), value, resamples, seed)
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return (float(low), float(high)), None


def _inferred(
    first: Array, second: Array, value: Value, resamples: int, seed: int
) -> tuple[Interval | None, float | None]:
    difference = float(value(second.sum(axis=0)) - value(first.sum(axis=0)))
    around = spread(_draws(first, second, value, resamples, seed), len(first))
    if len(first) <= FEW_CONVERSATIONS:
        p = sign_flip_p(first, second, value, flips=resamples, seed=seed)
    else:
        p = p_value(difference, around)
    return interval(difference, around), p


def _draws(first: Array, second: Array, value: Value, resamples: int, seed: int) -> Array:
    parts = first.shape[1]
    blocks = resampled_totals(np.hstack([first, second]), resamples=resamples, seed=seed)
    return np.concatenate([value(totals[:, parts:]) - value(totals[:, :parts]) for totals in blocks])
