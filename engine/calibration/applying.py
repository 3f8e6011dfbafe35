"""The probability that a calibration makes of a confidence."""

from __future__ import annotations

from collections.abc import Iterable

from engine.calibration.cells import cells_of, estimator_of
from engine.calibration.values import Calibration
from engine.model.outcome import OutcomeDetails


def calibrated(calibration: Calibration, cells: Iterable[str], confidence: float) -> float | None:
    """`confidence` through the map of each of `cells` that has one, in turn; None if none has: nothing is known of it.

    The cells come from the coarsest to the finest. A finer map was learned on what the coarser ones say.
    """
    found, corrected = False, confidence
    for cell in cells:
        if (own := calibration.cells.get(cell)) is not None:
            found, corrected = True, own(corrected)
    return corrected if found else None


def recommendation_cells(action_type: str, details: OutcomeDetails, confidence: float) -> tuple[str, str, str]:
    """The cells of a recommendation that is about to be recorded."""
    estimator = estimator_of(details.analyzer, confidence, details.fallback_reason)
    return cells_of(estimator, action_type, details.target, details.delivery)
