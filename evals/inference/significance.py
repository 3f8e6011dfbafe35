"""Whether a difference could be luck: sign flips by conversation, and exact McNemar for yes or no."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evals.inference.resampling import FLIPS, MAX_EXACT_CONVERSATIONS, SEED, Array, flipped_totals, is_exact

# Up to this many conversations the p-value comes from sign flips: all of them, so that nothing is approximated.
FEW_CONVERSATIONS = MAX_EXACT_CONVERSATIONS

_SAME = 1e-12


def sign_flip_p(
    first: Array, second: Array, value: Callable[[Array], Array], *, flips: int = FLIPS, seed: int = SEED
) -> float | None:
    """Two-sided p of no difference between two runs: how often as large a one comes from swapping them at random.

    `first` and `second` have the shape (conversations, parts); a swap exchanges all that the two runs said in one
    conversation. Exact with up to 12 conversations; else (1 + as large) / (1 + flips), B. Phipson and G. Smyth,
    Statistical Applications in Genetics and Molecular Biology 9 (2010). None where the difference is undefined.
    """
    both, apart = first + second, second - first
    moved = apart.any(axis=1)  # swapping equals changes nothing
    both_total, apart = both.sum(axis=0), apart[moved]
    observed = _difference(value, both_total, apart.sum(axis=0))
    if not np.isfinite(observed):
        return None
    totals = flipped_totals(apart, flips=flips, seed=seed)
    differences = np.concatenate([_difference(value, both_total, block) for block in totals])
    as_large = int(np.count_nonzero(~(np.abs(differences) < abs(observed) - _SAME)))  # undefined counts as large
    if is_exact(len(apart)):
        return as_large / len(differences)
    return (1 + as_large) / (1 + len(differences))


def mcnemar_p(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float | None:
    """Exact two-sided p that yes is equally likely in both, from yes or no of each pair; None without any pair.

    Only the pairs that disagree tell: binomial with probability 1/2. Q. McNemar, Psychometrika 12 (1947).
    """
    if not len(first):
        return None
    only_first = int(np.count_nonzero(first & ~second))
    only_second = int(np.count_nonzero(second & ~first))
    if only_first + only_second == 0:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(only_first, only_first + only_second).pvalue)


def _difference(value: Callable[[Array], Array], both: Array, apart: Array) -> Array:
    return value((both + apart) / 2) - value((both - apart) / 2)
