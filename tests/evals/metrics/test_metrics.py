"""The list of metrics as a whole: each says what it is, and no data gives no figure."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import InputError
from evals.metrics import METRICS, find_metric, find_metrics
from evals.metrics.metric import Margin, Metric


def test_names_are_unique_and_begin_with_their_family():
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    families = {"extraction", "known", "question", "conduct", "expansion", "judged", "operations"}
    assert {name.split(".")[0] for name in names} == families


def test_tallies_with_one_name_are_one():
    assert len({metric.tally.name for metric in METRICS}) == len({id(metric.tally) for metric in METRICS})


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_says_what_it_is_and_without_data_has_no_value(metric: Metric):
    assert all((metric.title, metric.formula, metric.source, metric.unit))
    assert np.isnan(metric.of_totals(np.zeros(len(metric.tally.parts))))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_the_same_of_one_total_and_of_many(metric: Metric):
    counts = np.random.default_rng(1).integers(1, 9, size=(3, len(metric.tally.parts))).astype(np.float64)
    np.testing.assert_allclose(metric.of_totals(counts), [float(metric.of_totals(row)) for row in counts])


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_depends_on_the_parts_that_it_reads_and_on_no_other(metric: Metric):
    counts = np.random.default_rng(2).integers(1, 9, size=len(metric.tally.parts)).astype(np.float64)
    elsewhere = np.setdiff1d(np.arange(len(counts)), metric.reads)
    changed = counts.copy()
    changed[elsewhere] += 5
    assert len(metric.reads)
    assert metric.of_totals(changed) == metric.of_totals(counts)


def test_an_unknown_name_says_which_are_like_it():
    with pytest.raises(InputError, match=r"no metric 'extraction\.f2'; did you mean extraction\.f1"):
        find_metrics(("question.type", "extraction.f2"))


def test_metrics_come_in_the_order_asked_for():
    names = ("question.type", "extraction.f1")
    assert tuple(metric.name for metric in find_metrics(names)) == names
    assert find_metric("question.type").name == "question.type"


@pytest.mark.parametrize(
    ("margin", "value", "wanted"),
    [
        (Margin(0.05), 0.5, 0.05),
        (Margin(0.1, relative=True), 200.0, 20.0),
        (Margin(0.1, relative=True), None, 0.0),
        (Margin(0.1, relative=True), float("nan"), 0.0),
    ],
)
def test_a_margin_is_in_the_unit_of_its_metric(margin: Margin, value: float | None, wanted: float):
    assert margin.around(value) == pytest.approx(wanted)


@pytest.mark.parametrize(("name", "gain"), [("extraction.f1", 0.2), ("operations.fallbacks", -0.2)])
def test_a_gain_counts_upwards_for_better(name: str, gain: float):
    assert find_metric(name).gain(0.2) == gain
