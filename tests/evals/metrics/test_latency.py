"""Quantiles from a histogram."""

from __future__ import annotations

import numpy as np
import pytest

from evals.metrics import find_metric
from evals.metrics.latency import BINS, GROWTH, bin_of, quantile
from evals.records import Failure
from tests.evals.metrics.turns import FALLBACK, LLM, analysis, judged, value_of


def histogram(latencies: np.ndarray) -> np.ndarray:
    return np.bincount([bin_of(float(latency)) for latency in latencies], minlength=BINS).astype(np.float64)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("seed", range(3))
def test_quantiles_are_those_of_numpy_within_the_width_of_a_bin(share: float, seed: int):
    latencies = np.random.default_rng(seed).lognormal(6.5, 0.6, 2_000)
    exact = float(np.quantile(latencies, share, method="inverted_cdf"))
    assert exact / GROWTH <= quantile(histogram(latencies), share) <= exact * GROWTH


@pytest.mark.parametrize(("latency", "wanted"), [(0.0, 0), (1.0, 0), (1.06, 1), (1e9, BINS - 1)])
def test_latencies_beyond_the_bins_are_in_the_first_or_the_last(latency: float, wanted: int):
    assert bin_of(latency) == wanted


def test_the_bins_reach_ten_minutes():
    assert GROWTH ** (BINS - 1) < 660_000
    assert GROWTH**BINS > 600_000


def test_a_turn_waits_for_its_slowest_call():
    slow = LLM.model_copy(update={"latency_ms": 900.0})
    turn = judged(analysis(sources={"question": slow}))
    assert value_of(find_metric("operations.latency_p50"), turn) == pytest.approx(900, rel=0.05)
    assert value_of(find_metric("operations.wait"), turn) == pytest.approx(0.9)


def test_rules_are_not_waited_for_and_have_no_latency():
    turn = judged(analysis(source=LLM.model_copy(update={"kind": "rules", "latency_ms": None})))
    assert value_of(find_metric("operations.wait"), turn) == 0.0
    assert value_of(find_metric("operations.latency_p50"), turn) is None


@pytest.mark.parametrize(
    "result",
    [
        Failure(error="E", message="m"),
        analysis(source=LLM.model_copy(update={"latency_ms": None})),
        analysis(source=FALLBACK),
    ],
    ids=["failed", "recorded without latency", "fallback without latency"],
)
def test_what_was_not_measured_is_no_data(result: object):
    assert value_of(find_metric("operations.wait"), judged(result)) is None
    assert value_of(find_metric("operations.latency_p95"), judged(result)) is None
