"""Folds of whole conversations: which one a conversation is in follows from its id alone."""

from __future__ import annotations

import hashlib

import numpy as np

from evals.learning.calibration.observations import Codes, Observations

FOLDS = 5
GROUPS = 2_000  # conversations are resampled in at most so many groups


def folds(observations: Observations) -> Codes:
    """The fold of each observation, 0 to `FOLDS` - 1."""
    return _of_each(observations, "fold", FOLDS)


def groups(observations: Observations) -> Codes:
    """The group of each observation, in which its conversation is resampled: by itself while there are few enough.

    Beyond that groups are drawn by id. Conversations are independent of each other, and so are groups of them.
    """
    if len(observations.conversations.names) <= GROUPS:
        return observations.conversations.codes
    return _of_each(observations, "group", GROUPS)


def _of_each(observations: Observations, purpose: str, count: int) -> Codes:
    names = observations.conversations.names
    of_conversation = np.array([_place(f"{purpose} {name}", count) for name in names], dtype=np.int64)
    placed: Codes = of_conversation[observations.conversations.codes]
    return placed


def _place(text: str, count: int) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % count
