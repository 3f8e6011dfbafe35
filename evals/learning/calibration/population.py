"""Who was asked what, with which confidence: what a calibration was learned from, to be compared with later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evals.inference.resampling import Array
from evals.learning.calibration.drift import Alert, alike_in, moved
from evals.learning.calibration.observations import Cells, Observations
from evals.learning.calibration.reliability import equal_mass

ACTIONS = 1  # the level whose cells are compared


def population(observations: Observations) -> dict[str, Any]:
    """The counts of cells and of bins of confidence, with the edges between the bins, as JSON."""
    codes = equal_mass(observations.confidence)
    edges = [float(observations.confidence[codes == code].min()) for code in range(1, int(codes.max(initial=0)) + 1)]
    return {
        "cells": _counts(observations.cells[ACTIONS]),
        "edges": edges,
        "confidence": _counts(_bins(observations.confidence, edges)),
    }


def population_moved(before: Mapping[str, Any], after: Observations) -> list[Alert]:
    """What has moved since; nothing where what was before is not known."""
    if not before or not len(after):
        return []
    bins = _bins(after.confidence, before["edges"])
    binned = Observations(after.confidence, after.positive, after.conversations, (bins,))
    return [
        *moved(before["cells"], _counts(after.cells[ACTIONS]), "questions", alike_in(after, ACTIONS)),
        *moved(before["confidence"], _counts(bins), "confidences", alike_in(binned, 0)),
    ]


def _bins(confidence: Array, edges: list[float]) -> Cells:
    names = tuple(f"{low:.3f} to {high:.3f}" for low, high in zip([0.0, *edges], [*edges, 1.0], strict=True))
    return Cells(names, np.searchsorted(edges, confidence, side="right").astype(np.int64))


def _counts(cells: Cells) -> dict[str, int]:
    counts = np.bincount(cells.codes, minlength=len(cells.names)).tolist()
    return dict(zip(cells.names, counts, strict=True))
