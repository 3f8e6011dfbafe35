"""Metrics: each is a tally of what is counted on a turn, and a formula over sums. Here is the list of all of them."""

from __future__ import annotations

from collections.abc import Iterable

from evals.errors import unknown
from evals.metrics import (
    calibration,
    conduct,
    expansion,
    extraction,
    judged_by_model,
    known,
    latency,
    operations,
    question,
)
from evals.metrics.metric import Metric

METRICS: tuple[Metric, ...] = (
    *extraction.METRICS,
    *known.METRICS,
    *calibration.METRICS,
    *question.METRICS,
    *conduct.METRICS,
    *expansion.METRICS,
    *judged_by_model.METRICS,
    *operations.METRICS,
    *latency.METRICS,
)


def find_metric(name: str) -> Metric:
    """The metric of that name. Raises InputError, which names similar ones, if there is none."""
    return find_metrics((name,))[0]


def find_metrics(names: Iterable[str]) -> tuple[Metric, ...]:
    """The metrics of these names, in their order. Raises InputError for the first that there is none of."""
    by_name = {metric.name: metric for metric in METRICS}
    return tuple(_found(name, by_name) for name in names)


def _found(name: str, by_name: dict[str, Metric]) -> Metric:
    if name not in by_name:
        raise unknown("metric", name, by_name)
    return by_name[name]
