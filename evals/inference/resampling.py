"""Resampling whole conversations: every figure is a function of sums, so all resamples are one matrix product.

A conversation's statistics are a row of counts, summed over its turns. A resample draws as many conversations as there
are, with replacement; its totals are the drawn multiplicities times the rows. Turns of one conversation resemble each
other, so drawing turns instead would count the same luck several times and find differences that are not there.

Of more than `CLUSTERS` conversations, that many groups are resampled, put together by chance and of equal size. Such
groups are as independent as conversations, so that intervals are right, and vary by 2 % more than they had to; but what
a resample costs no longer grows. With the number of conversations the number of resamples that are worth their time
falls: see `enough`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]
# Of shape (resamples, conversations): small numbers where there are many, which are made large block by block.
Weights = NDArray[np.uint16] | NDArray[np.int8] | Array

RESAMPLES, FEWEST_RESAMPLES = 10_000, 2_000
FLIPS = 10_000  # ways to turn signs, where not all are gone through
SEED = 20_260_101
BLOCK_CELLS = 2_000_000  # multiplicities held at once as numbers to reckon with: 16 MB
MAX_EXACT_CONVERSATIONS = 12  # 4,096 ways to turn signs
CLUSTERS = 1_000  # with so many, a standard error is known within 2.2 %: 1 / sqrt(2 CLUSTERS)
FLIPPED = 200  # groups whose signs are turned: the sums of so many are as good as normal
_KEPT = 3  # tables of multiplicities, and of signs: parts of the same runs are resampled alike


def enough(conversations: int) -> int:
    """How many resamples to draw of so many conversations: `RESAMPLES` of few, `FEWEST_RESAMPLES` of very many.

    The standard error is known within 1 / sqrt(2 conversations), whatever is drawn, and 1 / sqrt(2 resamples) comes on
    top: 0.7 % of 10,000 and 1.6 % of 2,000. More would add to the time and hardly to what is known.
    """
    return max(FEWEST_RESAMPLES, min(RESAMPLES, FEWEST_RESAMPLES * CLUSTERS // max(1, conversations)))


def resampled_totals(statistics: Array, *, resamples: int | None = None, seed: int = SEED) -> Iterator[Array]:
    """The totals of each resample, in blocks of shape (at most `resamples`, parts); None: as many as are `enough`.

    `statistics` has the shape (conversations, parts). Equal seeds draw equal conversations. Raises ValueError if there
    are no conversations.
    """
    own = clustered(statistics, seed)
    if not len(own):
        raise ValueError("there are no conversations to resample")
    return _blocks_of_totals(own, _multiplicities(len(own), resamples or enough(len(own)), seed))


def clustered(statistics: Array, seed: int = SEED, clusters: int = CLUSTERS) -> Array:
    """What is resampled of `statistics`: its rows, or their sums in so many `clusters` if there are more."""
    if len(statistics) <= clusters:
        return statistics
    cluster = cluster_of(len(statistics), seed, clusters)
    order = np.argsort(cluster, kind="stable")
    summed: Array = np.add.reduceat(statistics[order], np.searchsorted(cluster[order], np.arange(clusters)), axis=0)
    return summed


def cluster_of(conversations: int, seed: int = SEED, clusters: int = CLUSTERS) -> Places:
    """The number of each conversation's cluster: its own, or one by chance if there are more than `clusters`.

    They are of equal size, but for one conversation more or less.
    """
    if conversations <= clusters:
        return np.arange(conversations)
    mixed: Places = np.random.default_rng(seed).permutation(conversations) * clusters // conversations
    return mixed


def flipped_totals(differences: Array, *, flips: int = FLIPS, seed: int = SEED) -> Iterator[Array]:
    """The totals of `differences`, of shape (conversations, parts), with each conversation's sign kept or turned.

    All ways with up to `MAX_EXACT_CONVERSATIONS` (the first one turns nothing), else `flips` random ones; of more than
    `FLIPPED` conversations those of as many groups.
    """
    differences = clustered(differences, seed, FLIPPED)
    conversations = len(differences)
    if is_exact(conversations):
        ways = np.arange(2**conversations)[:, None] >> np.arange(conversations) & 1
        return iter([(1.0 - 2.0 * ways) @ differences])
    return _blocks_of_totals(differences, _signs(conversations, flips, seed))


def is_exact(conversations: int) -> bool:
    """Whether all ways to turn signs are few enough to go through them."""
    return conversations <= MAX_EXACT_CONVERSATIONS


@lru_cache(maxsize=_KEPT)
def _multiplicities(conversations: int, resamples: int, seed: int) -> Weights:
    """How often each conversation is in each resample."""
    generator = np.random.default_rng(seed)
    found = np.empty((resamples, conversations), dtype=np.uint16)
    for rows in _blocks(resamples, conversations):
        own = found[rows]
        drawn = generator.integers(0, conversations, size=own.shape)
        drawn += conversations * np.arange(len(own))[:, None]
        own[:] = np.bincount(drawn.ravel(), minlength=own.size).reshape(own.shape)
    return _kept(found)


@lru_cache(maxsize=_KEPT)
def _signs(conversations: int, flips: int, seed: int) -> Weights:
    """1 where a conversation's sign is kept, -1 where it is turned."""
    turned = np.random.default_rng(seed).integers(0, 2, size=(flips, conversations), dtype=np.int8)
    return _kept(np.subtract(1, 2 * turned, dtype=np.int8))


def _kept(weights: Weights) -> Weights:
    """Ready to be multiplied if they are one block, and written by nobody."""
    kept = weights.astype(np.float64) if weights.size <= BLOCK_CELLS else weights
    kept.setflags(write=False)
    return kept


def _blocks_of_totals(statistics: Array, weights: Weights) -> Iterator[Array]:
    """`weights @ statistics`, block by block; parts that nobody has are not multiplied."""
    counted = np.flatnonzero(statistics.any(axis=0))
    columns = np.ascontiguousarray(statistics.T[counted])
    for own in _blocks(*weights.shape):
        block = weights[own].astype(np.float64, copy=False)
        totals = np.zeros((statistics.shape[1], len(block)))  # a row for each part: metrics read parts one by one
        totals[counted] = columns @ block.T
        yield totals.T


def _blocks(count: int, width: int) -> Iterator[slice]:
    size = max(1, BLOCK_CELLS // max(1, width))
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
