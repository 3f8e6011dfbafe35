"""What a calibration says of many observations at once."""

from __future__ import annotations

import numpy as np

from engine.calibration.values import Calibration
from evals.inference.resampling import Array
from evals.learning.calibration.methods import applied
from evals.learning.calibration.observations import Observations


def predicted(calibration: Calibration, observations: Observations) -> Array:
    """The probability of each, of the shape (n,); its confidence where the calibration says nothing of it."""
    said = observations.confidence.copy()
    for level in observations.cells:
        for code, name in enumerate(level.names):
            if (own := calibration.cells.get(name)) is not None:
                chosen = level.codes == code
                values, places = np.unique(said[chosen], return_inverse=True)
                said[chosen] = applied(own, values)[places]
    return said


def spoken_of(calibration: Calibration, observations: Observations) -> Observations:
    """Those that the calibration says anything of."""
    chosen = np.zeros(len(observations), dtype=np.bool_)
    for level in observations.cells:
        known = np.array([name in calibration.cells for name in level.names], dtype=np.bool_)
        chosen |= known[level.codes] if len(known) else False
    return observations.where(chosen)
