from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from evals.learning.calibration.observations import Observations, observe
from evals.learning.calibration.reliability import design_effect, equal_mass, reliability, share_interval
from evals.learning.calibration.scores import perfect, read

# 20 claims of 0.2, of which 6 came true, and 20 of 0.7, of which 12 did; each by somebody else.
SAID = [0.2] * 20 + [0.7] * 20
CAME = [True] * 6 + [False] * 14 + [True] * 12 + [False] * 8


def by_everybody(confidence, positive) -> Observations:
    return observe(confidence, positive, [f"c{number}" for number in range(len(confidence))])


def world(n: int, seed: int, *, exponent: float = 1.0) -> Observations:
    """Claims of which c comes true with a chance of c ** exponent."""
    chance = np.random.default_rng(seed)
    confidence = np.round(chance.beta(2, 2, n), 3)
    return by_everybody(confidence, chance.random(n) < confidence**exponent)


def test_every_figure_is_that_of_a_table_worked_by_hand():
    found = read(by_everybody(SAID, CAME))
    assert found is not None
    # share of all 18 / 40 = 0.45; bins 0.3 and 0.6
    assert found.reliability.value == pytest.approx((0.1**2 + 0.1**2) / 2)
    assert found.resolution.value == pytest.approx((0.15**2 + 0.15**2) / 2)
    assert found.uncertainty.value == pytest.approx(0.45 * 0.55)
    assert found.within_bins.value == pytest.approx(0.0, abs=1e-12)
    assert found.brier.value == pytest.approx((6 * 0.64 + 14 * 0.04 + 12 * 0.09 + 8 * 0.49) / 40)
    expected = -(6 * math.log(0.2) + 14 * math.log(0.8) + 12 * math.log(0.7) + 8 * math.log(0.3)) / 40
    assert found.log_loss.value == pytest.approx(expected)
    assert found.gap.value == pytest.approx((-0.1 + 0.1) / 2, abs=1e-12)
    assert found.ece.value == pytest.approx(0.1)
    chance = (0.3 * 0.7 / 19 + 0.6 * 0.4 / 19) / 2
    assert found.squared_error.value == pytest.approx(0.01 - chance * found.design_effect)
    assert found.ece_debiased.value is not None
    assert found.ece_debiased.value < found.ece.value


def test_brier_score_and_log_loss_are_those_of_scikit_learn():
    own = world(500, 3, exponent=1.6)
    found = read(own)
    assert found is not None
    assert found.brier.value == pytest.approx(brier_score_loss(own.positive, own.confidence))
    assert found.log_loss.value == pytest.approx(log_loss(own.positive, own.confidence))


def test_the_parts_of_the_brier_score_add_up_whatever_is_claimed():
    found = read(world(777, 5, exponent=0.5))
    assert found is not None
    parts = found.reliability.value - found.resolution.value + found.uncertainty.value + found.within_bins.value
    assert parts == pytest.approx(found.brier.value)


def test_a_perfect_engine_looks_calibrated_and_one_that_exaggerates_does_not():
    honest, loud = read(world(800, 1)), read(world(800, 1, exponent=1.8))
    assert honest is not None
    assert loud is not None
    assert honest.chance.low <= honest.ece.value <= honest.chance.high
    assert honest.squared_error.low <= 0 <= honest.squared_error.high
    assert loud.ece.value > loud.chance.high
    assert loud.chance.p < 0.01
    assert loud.squared_error.low > 0


def test_the_plain_error_of_perfect_engines_is_what_their_noise_alone_gives():
    """With 100 claims of one half in one bin the mean error is that of |binomial - 50| / 100: about 0.0398."""
    own = by_everybody([0.5] * 100, [True] * 50 + [False] * 50)
    found = perfect(own, np.zeros(100, dtype=np.int64), 0.0, 1.0)
    assert found.mean == pytest.approx(0.0398, abs=0.003)
    assert found.p == 1.0


def test_the_same_seed_gives_the_same_reading_in_whatever_order_claims_come():
    own = world(300, 8)
    order = np.random.default_rng(1).permutation(300)
    names = [own.conversations.names[code] for code in own.conversations.codes[order]]
    shuffled = observe(own.confidence[order], own.positive[order], names)
    assert read(shuffled) == read(own)


@pytest.mark.parametrize("observations", [by_everybody([], [])])
def test_without_claims_there_is_no_reading_and_no_diagram(observations):
    assert read(observations) is None
    assert reliability(observations) == ()


def test_a_single_conversation_gives_figures_without_intervals():
    found = read(observe([0.2, 0.8, 0.6], [False, True, True], ["one"] * 3))
    assert found is not None
    assert found.brier.value is not None
    assert found.brier.low is None
    assert (found.bins[0].low, found.bins[0].high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("confidence", "sizes"),
    [
        (np.linspace(0, 1, 200), [20] * 10),
        (np.linspace(0, 1, 31), [15, 16]),  # fewer bins where there is little
        (np.linspace(0, 1, 10), [10]),
        (np.repeat([0.2, 0.9], [30, 170]), [30, 170]),  # equal claims are never parted
        (np.full(200, 0.5), [200]),
    ],
)
def test_bins_hold_as_many_claims_each_as_equal_claims_allow(confidence, sizes):
    assert np.bincount(equal_mass(confidence)).tolist() == sizes


def test_a_bin_s_interval_is_wilson_s_where_everybody_is_somebody_else():
    own = by_everybody([0.5] * 400, [True] * 100 + [False] * 300)
    low, high = share_interval(own)
    assert (low, high) == pytest.approx((0.2101, 0.2948), abs=0.0005)  # t with 399 degrees is nearly normal


def test_claims_of_conversations_that_are_alike_count_for_less():
    positive = [True] * 100 + [False] * 100
    alone = by_everybody([0.5] * 200, positive)
    together = observe([0.5] * 200, positive, [f"c{number // 10}" for number in range(200)])
    bins = np.zeros(200, dtype=np.int64)
    assert design_effect(alone, bins) == pytest.approx(200 / 199)
    assert design_effect(together, bins) == pytest.approx(20 / 19 * 10)
    narrow, wide = (high - low for low, high in (share_interval(alone), share_interval(together)))
    assert wide > 3 * narrow


def test_a_bin_in_which_nothing_came_true_counts_each_conversation_once():
    together = observe([0.1] * 40, [False] * 40, [f"c{number // 10}" for number in range(40)])
    low, high = share_interval(together)
    assert low == 0.0
    assert high > 0.5
