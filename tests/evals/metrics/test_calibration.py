"""Confidence against being right, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from evals.metrics import find_metric
from evals.metrics.calibration import CLAIMS, counted, reliability
from tests.evals.metrics.turns import analysis, judged, said, signal, value_of


def totals(claims: list[tuple[float, bool]]) -> np.ndarray:
    sums = np.zeros(len(CLAIMS.parts))
    for confidence, right in claims:
        for part, amount in counted(confidence, right).items():
            sums[CLAIMS.positions[part]] += amount
    return sums


def test_brier_and_log_loss_of_a_worked_example():
    turn = judged(
        analysis({"budget": signal("q", confidence=0.8), "pain": signal("q", confidence=0.6)}),
        {"dimensions": [said("budget")]},
    )
    assert value_of(find_metric("extraction.brier"), turn) == pytest.approx((0.2**2 + 0.6**2) / 2)
    assert value_of(find_metric("extraction.log_loss"), turn) == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)


def test_brier_and_log_loss_are_those_of_scikit_learn():
    from sklearn.metrics import brier_score_loss, log_loss

    generator = np.random.default_rng(5)
    confidences = generator.uniform(0.05, 0.95, 200)
    right = generator.random(200) < confidences
    sums = totals(list(zip(confidences.tolist(), right.tolist(), strict=True)))
    brier, loss = (find_metric(f"extraction.{name}").of_totals(sums) for name in ("brier", "log_loss"))
    assert brier == pytest.approx(brier_score_loss(right, confidences))
    assert loss == pytest.approx(log_loss(right, confidences))


def test_one_mistake_of_full_confidence_does_not_cost_infinity():
    assert find_metric("extraction.log_loss").of_totals(totals([(1.0, False)])) == pytest.approx(-np.log(0.001))


def test_reliability_gives_each_bin_its_confidence_and_its_share_right():
    bins = reliability(totals([(0.81, True), (0.89, False), (0.35, False), (1.0, True)]))
    assert [(own.low, own.n, own.right) for own in bins] == [(0.3, 1, 0.0), (0.8, 2, 0.5), (0.9, 1, 1.0)]
    assert bins[1].confidence == pytest.approx(0.85)


def error_of(claims: list[tuple[float, bool]]) -> float:
    return float(find_metric("extraction.calibration_error").of_totals(totals(claims)))


def test_calibration_error_of_a_worked_example():
    # Ten claims of 0.85, two of them right: gap 0.65, and chance explains 0.2 * 0.8 / 9 of its square.
    claims = [(0.85, True)] * 2 + [(0.85, False)] * 8
    assert error_of(claims) == pytest.approx((0.65**2 - 0.16 / 9) ** 0.5)


def test_few_well_calibrated_claims_do_not_look_badly_calibrated():
    # Right as often as they say, give or take chance, which alone parts share and confidence by 0.13 on average.
    generator = np.random.default_rng(11)
    sets = [[(0.65, bool(generator.random() < 0.65)) for _ in range(8)] for _ in range(400)]
    plain = [abs(0.65 - np.mean([right for _, right in claims])) for claims in sets]
    assert np.mean(plain) > 0.12
    assert np.median([error_of(claims) for claims in sets]) == 0.0
