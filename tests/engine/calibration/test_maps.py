from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from engine.calibration.maps import NEAREST, Beta, Intercept, Isotonic, Sigmoid, logit, probability

STEPS = Isotonic(confidences=(0.2, 0.4, 0.8), probabilities=(0.1, 0.3, 0.9))


@pytest.mark.parametrize(
    ("own", "confidence", "expected"),
    [
        (Intercept(shift=0.0), 0.37, 0.37),
        (Intercept(shift=math.log(3)), 0.5, 0.75),  # odds of 1 become odds of 3
        (Intercept(shift=-math.log(3)), 0.75, 0.5),
        (Sigmoid(slope=1.0, shift=0.0), 0.37, 0.37),
        (Sigmoid(slope=2.0, shift=0.0), 0.75, 0.9),  # odds of 3 become 3 squared
        (Sigmoid(slope=0.0, shift=math.log(4)), 0.01, 0.8),  # level
        (Beta(low=1.0, high=1.0, shift=0.0), 0.37, 0.37),
        (Beta(low=2.0, high=1.0, shift=0.0), 0.5, 1 / 3),  # odds of 0.25 / 0.5
        (STEPS, 0.1, 0.1),
        (STEPS, 0.2, 0.1),
        (STEPS, 0.3, 0.2),
        (STEPS, 0.6, 0.6),
        (STEPS, 0.95, 0.9),
        (Isotonic(confidences=(0.5,), probabilities=(0.3,)), 0.9, 0.3),
        (Isotonic(confidences=(0.5,), probabilities=(0.0,)), 0.9, NEAREST),
    ],
)
def test_each_map_says_what_its_formula_says(own, confidence, expected):
    assert own(confidence) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "own",
    [Intercept(shift=3), Sigmoid(slope=4, shift=-9), Beta(low=0, high=5, shift=1), Beta(low=3, high=0, shift=1), STEPS],
    ids=lambda own: own.kind,
)
def test_no_map_reverses_an_order_or_is_ever_certain(own):
    said = [own(step / 500) for step in range(501)]
    assert said == sorted(said)
    assert min(said) >= NEAREST
    assert max(said) <= 1 - NEAREST


def test_logits_of_the_impossible_and_the_certain_are_finite_and_extreme_logits_give_probabilities():
    assert logit(0.0) == logit(NEAREST) == pytest.approx(-logit(1.0))
    assert probability(-5000.0) == NEAREST
    assert probability(5000.0) == 1 - NEAREST


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Sigmoid(slope=-0.1, shift=0),
        lambda: Beta(low=-0.1, high=1, shift=0),
        lambda: Intercept(shift=math.inf),
        lambda: Isotonic(confidences=(0.2, 0.2), probabilities=(0.1, 0.3)),
        lambda: Isotonic(confidences=(0.2, 0.4), probabilities=(0.3, 0.1)),
        lambda: Isotonic(confidences=(0.2, 0.4), probabilities=(0.3,)),
        lambda: Isotonic(confidences=(), probabilities=()),
    ],
)
def test_a_map_that_would_reverse_an_order_cannot_be_made(wrong):
    with pytest.raises(ValidationError):
        wrong()
