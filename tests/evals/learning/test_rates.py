from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from evals.learning.facts import Cell
from evals.learning.rates import CLUSTERED, INDEPENDENT, design_effect, rate_of
from evals.learning.simulated import simulate
from tests.evals.learning.values import cell, cell_of, cells_of

TRUE_RATES = {"ic": 0.5547, "manager": 0.4933, "c_suite": 0.3679}  # of 400,000 outcomes; see the last test


@pytest.mark.parametrize(("positive", "resolved"), [(0, 1), (0, 9), (3, 10), (10, 10), (250, 1_000)])
def test_where_outcomes_are_independent_the_interval_is_wilsons(positive, resolved):
    rate = rate_of(cell(positive, resolved, conversations=resolved, squares=0.0))
    wilson = binomtest(positive, resolved).proportion_ci(method="wilson")
    assert (rate.low, rate.high) == pytest.approx((wilson.low, wilson.high), abs=1e-9)
    assert rate.method == INDEPENDENT


def test_without_outcomes_there_is_no_rate():
    rate = rate_of(Cell(("a",), 5, 0, 0, pending=5))
    assert (rate.value, rate.low, rate.high, rate.effective) == (None, None, None, 0.0)


def test_conversations_that_are_alike_inside_count_as_one_outcome_each():
    answers, conversations = [1.0] * 40 + [0.0] * 60, np.repeat(np.arange(20), 5)
    rate = rate_of(cell_of("a", answers, conversations))
    assert rate.method == CLUSTERED
    assert rate.effective == pytest.approx(19, rel=0.01)
    wider = rate_of(cell(40, 100, conversations=100, squares=0.0))
    assert rate.high - rate.low > 2 * (wider.high - wider.low)


@pytest.mark.parametrize("answers", [[0.0] * 30, [1.0] * 30])
def test_what_never_varied_is_worth_its_conversations(answers):
    found = cell_of("a", answers, np.repeat(np.arange(6), 5))
    assert design_effect(found) == pytest.approx(5)


def test_the_intervals_hold_the_true_rate():
    hits = total = 0
    for seed in range(50):
        for found in cells_of(simulate(seed, 150).facts, "persona"):
            rate = rate_of(found)
            total += 1
            hits += rate.low <= TRUE_RATES[found.key[0]] <= rate.high
    assert total == 150
    assert 0.89 <= hits / total <= 0.99  # three standard errors around 95 %


def test_the_true_rates_are_those_of_the_world():
    world = simulate(999, 4_000)
    counted = world.facts.resolved
    for persona, rate in TRUE_RATES.items():
        chosen = counted & world.facts.words("persona").equals(persona)
        assert world.truth.recorded[chosen].mean() == pytest.approx(rate, abs=0.015)
