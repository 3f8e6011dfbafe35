"""What the questions of a simulated world were chosen from, as outcomes write it down: JSON, the same for many rows."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evals.learning.facts.values import UNKNOWN, Coded

DIGITS = 7


def choices_of(
    actions: Sequence[tuple[str, str]], propensities: NDArray[np.float64], at_random: NDArray[np.bool_]
) -> Coded:
    """The column `choices`: every action (type, delivery) with its probability, where the choice was `at_random`.

    `propensities` has a row for each outcome and a column for each action. The target is no part of the choice.
    """
    distinct, codes = np.unique(np.round(propensities, DIGITS), axis=0, return_inverse=True)
    labels = tuple(_written(actions, row) for row in distinct.tolist())
    return Coded(np.where(at_random, codes.reshape(-1), UNKNOWN).astype(np.int32), labels)


def _written(actions: Sequence[tuple[str, str]], probabilities: Sequence[float]) -> str:
    offered = (
        {"question_type": kind, "delivery": delivery, "probability": round(probability, DIGITS)}
        for (kind, delivery), probability in zip(actions, probabilities, strict=True)
        if probability > 0
    )
    return json.dumps(list(offered), separators=(",", ":"))
