"""Maps from a confidence to a probability, in the order of how much data each needs. None of them reverses an order."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from engine.model.value import Probability, Value

NEAREST = 0.001  # a confidence of 0 or 1 counts as this far from it, and no map says anything surer


class Intercept(Value):
    """logit(p) = logit(c) + shift: all are too sure, or not sure enough, by as much."""

    kind: Literal["intercept"] = "intercept"
    shift: float

    def __call__(self, confidence: float) -> float:
        return probability(logit(confidence) + self.shift)


class Sigmoid(Value):
    """logit(p) = slope · logit(c) + shift. J. Platt, "Probabilistic outputs for support vector machines" (1999)."""

    kind: Literal["sigmoid"] = "sigmoid"
    slope: float = Field(ge=0)
    shift: float

    def __call__(self, confidence: float) -> float:
        return probability(self.slope * logit(confidence) + self.shift)


class Beta(Value):
    """logit(p) = low · ln(c) - high · ln(1 - c) + shift; low = high = 1 and no shift is the identity.

    M. Kull, T. M. Silva Filho and P. Flach, "Beta calibration", AISTATS (2017).
    """

    kind: Literal["beta"] = "beta"
    low: float = Field(ge=0)
    high: float = Field(ge=0)
    shift: float

    def __call__(self, confidence: float) -> float:
        inside = within(confidence)
        return probability(self.low * math.log(inside) - self.high * math.log1p(-inside) + self.shift)


class Isotonic(Value):
    """Straight lines between knots, level outside them: any map that never falls.

    B. Zadrozny and C. Elkan, "Transforming classifier scores into accurate multiclass probability estimates" (2002).
    """

    kind: Literal["isotonic"] = "isotonic"
    confidences: tuple[Probability, ...] = Field(min_length=1)
    probabilities: tuple[Probability, ...]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if len(self.confidences) != len(self.probabilities):
            raise ValueError("an isotonic map needs a probability for each confidence")
        if any(after <= before for before, after in zip(self.confidences, self.confidences[1:], strict=False)):
            raise ValueError("the confidences of an isotonic map must rise")
        if any(after < before for before, after in zip(self.probabilities, self.probabilities[1:], strict=False)):
            raise ValueError("the probabilities of an isotonic map must not fall")
        return self

    def __call__(self, confidence: float) -> float:
        knots, values = self.confidences, self.probabilities
        right = bisect_right(knots, confidence)
        if right == 0 or right == len(knots):
            return within(values[max(0, right - 1)])
        left = right - 1
        share = (confidence - knots[left]) / (knots[right] - knots[left])
        return within(values[left] + share * (values[right] - values[left]))


Map = Annotated[Intercept | Sigmoid | Beta | Isotonic, Field(discriminator="kind")]


def within(probability: float) -> float:
    """The nearest value that is neither certain nor impossible."""
    return min(max(probability, NEAREST), 1 - NEAREST)


def logit(confidence: float) -> float:
    """ln(c / (1 - c)), of the nearest value that has one."""
    inside = within(confidence)
    return math.log(inside) - math.log1p(-inside)


def probability(logit: float) -> float:
    """The probability with this logit, never certain."""
    return within(1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit)))
