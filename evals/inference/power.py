"""How small a difference a data set could have shown."""

from __future__ import annotations

from evals.inference.intervals import LEVEL, Spread, t_quantile

POWER = 0.8


def smallest_detectable(spread: Spread, power: float = POWER) -> float | None:
    """The true difference that would be found at 5 % with a chance of 80 %: (t(0.975) + t(0.8)) standard errors.

    None if the spread is not known, or nothing varied. H. S. Bloom, "Minimum detectable effects", Evaluation Review 19
    (1995). It belongs to the standard error seen here, so it says what this comparison could show, not another one.
    """
    if not spread.known or spread.error is None:
        return None
    both = t_quantile((1 + LEVEL) / 2, spread.degrees) + t_quantile(power, spread.degrees)
    return both * spread.error
