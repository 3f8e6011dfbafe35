"""How an engine's confidence is corrected by what became of its questions: applied here, fitted in `evals`.

docs/calibration.md says how one is fitted, when it is offered, and how it is put to use.
"""

from engine.calibration.applying import calibrated, recommendation_cells
from engine.calibration.repository import CalibrationRepository
from engine.calibration.values import Calibration, FittedCalibration, PublishedCalibration

__all__ = [
    "Calibration",
    "CalibrationRepository",
    "FittedCalibration",
    "PublishedCalibration",
    "calibrated",
    "recommendation_cells",
]
