from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from engine.calibration.maps import Beta, Intercept, Isotonic, Sigmoid
from evals.learning.calibration.methods import (
    METHODS,
    Counted,
    applied,
    candidates,
    fit_beta,
    fit_intercept,
    fit_isotonic,
    fit_sigmoid,
    logits,
)

GRID = np.arange(1, 100) / 100


def counted(truth, n: float) -> Counted:
    """Exactly what is to be expected of n claims of each confidence: no noise."""
    return Counted(GRID, np.full(len(GRID), n), n * truth(GRID))


def odds(shift: float, slope: float):
    return lambda confidence: 1 / (1 + np.exp(-(shift + slope * logits(confidence))))


@pytest.mark.parametrize(
    ("fit", "truth", "expected"),
    [
        (fit_intercept, odds(-0.7, 1.0), {"shift": -0.7}),
        (fit_sigmoid, odds(-0.5, 0.6), {"slope": 0.6, "shift": -0.5}),
        (fit_beta, odds(0.3, 1.4), {"low": 1.4, "high": 1.4, "shift": 0.3}),
    ],
)
def test_with_plenty_of_data_a_method_finds_what_is_there(fit, truth, expected):
    found = fit(counted(truth, 1e6)).model_dump()
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-3)


def test_a_sigmoid_without_penalty_is_that_of_scikit_learn():
    chance = np.random.default_rng(4)
    confidence = chance.uniform(0.05, 0.95, 400)
    came = chance.random(400) < odds(-0.4, 0.7)(confidence)
    own = fit_sigmoid(Counted(confidence, np.ones(400), came.astype(float)), strength=1e-9)
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logits(confidence)[:, None], came)
    assert (own.slope, own.shift) == pytest.approx((other.coef_[0, 0], other.intercept_[0]), abs=1e-4)


def test_isotonic_without_anything_added_is_that_of_scikit_learn():
    chance = np.random.default_rng(5)
    confidence = np.round(chance.uniform(0, 1, 1500), 2)
    came = (chance.random(1500) < 0.2 + 0.6 * confidence).astype(float)
    own = fit_isotonic(Counted(confidence, np.ones(1500), came), strength=1e-12)
    other = IsotonicRegression(out_of_bounds="clip").fit(confidence, came)
    assert applied(own, GRID) == pytest.approx(other.predict(GRID), abs=1e-6)


@pytest.mark.parametrize("method", [name for name in METHODS if name != "isotonic"])
def test_with_hardly_any_data_nothing_is_changed_much_and_with_none_nothing_at_all(method):
    little = METHODS[method](Counted(np.array([0.3, 0.8]), np.ones(2), np.array([1.0, 0.0])), 1.0)
    nothing = METHODS[method](Counted(np.array([0.3, 0.8]), np.full(2, 1e-12), np.zeros(2)), 1.0)
    assert np.abs(applied(little, GRID) - GRID).max() < 0.12
    assert applied(nothing, GRID) == pytest.approx(np.clip(GRID, 0.001, 0.999), abs=1e-6)


def test_a_stronger_penalty_holds_a_map_nearer_to_changing_nothing():
    data = counted(odds(1.0, 0.3), 0.5)
    moved = [np.abs(applied(fit_sigmoid(data, strength), GRID) - GRID).mean() for strength in (0.01, 1, 4, 100)]
    assert moved == sorted(moved, reverse=True)
    assert moved[-1] < moved[0] / 2


@pytest.mark.parametrize("method", list(METHODS))
def test_where_more_confidence_means_less_a_map_is_level_and_never_falls(method):
    own = METHODS[method](counted(odds(0.0, -1.0), 100), 1.0)
    said = applied(own, GRID)
    assert np.diff(said).min() >= 0
    if method != "intercept":
        assert said == pytest.approx(np.full(len(GRID), 0.5), abs=0.02)


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("came", [0.0, 1.0])
def test_where_all_came_out_the_same_nothing_becomes_certain(method, came):
    own = METHODS[method](Counted(GRID, np.full(len(GRID), 5.0), np.full(len(GRID), 5.0 * came)), 1.0)
    said = applied(own, GRID)
    assert 0 < said.min() <= said.max() < 1


@pytest.mark.parametrize(
    "own",
    [
        Intercept(shift=0.4),
        Sigmoid(slope=0.6, shift=-0.2),
        Beta(low=0.4, high=1.6, shift=0.1),
        Isotonic(confidences=(0.2, 0.4, 0.8), probabilities=(0.0, 0.3, 1.0)),
    ],
    ids=lambda own: own.kind,
)
def test_many_confidences_at_once_are_mapped_as_one_by_one(own):
    confidences = np.arange(1001) / 1000
    assert applied(own, confidences) == pytest.approx([own(value) for value in confidences.tolist()], abs=1e-12)


@pytest.mark.parametrize(
    ("n", "methods"),
    [
        (10, ("intercept",)),
        (49, ("intercept",)),
        (50, ("sigmoid", "beta")),
        (999, ("sigmoid", "beta")),
        (1000, ("sigmoid", "beta", "isotonic")),
    ],
)
def test_the_method_follows_the_amount_of_data(n, methods):
    assert candidates(n) == methods
