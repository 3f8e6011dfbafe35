"""A run at a glance: every metric with its interval, from sums that the database made, however many turns there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evals.inference.intervals import estimate
from evals.inference.resampling import SEED, Array
from evals.metrics import METRICS
from evals.metrics.metric import Metric
from evals.records import Estimate
from evals.scoring import draw

if TYPE_CHECKING:
    from evals.runs.counts import CountStore, ScoringKey, Sums

RESAMPLES = 2_000  # their standard deviation is that of endless many within 2 %


def scoreboard(store: CountStore, key: ScoringKey, metrics: Sequence[Metric] = METRICS) -> dict[str, Estimate] | None:
    """The metrics of a scoring by name; None if it was not kept.

    Beyond 400 conversations, 400 groups of them are resampled in their place. Made by chance, groups are as independent
    as conversations, so that intervals are right, if less steady by one part in thirty.
    """
    sums = store.sums(key)
    return None if sums is None else estimates(sums, metrics)


def estimates(sums: Sums, metrics: Sequence[Metric], *, seed: int = SEED) -> dict[str, Estimate]:
    """Every metric with its interval, by name."""
    (draws,) = draw(metrics, [sums.statistics], resamples=RESAMPLES, seed=seed)
    return {metric.name: _estimate(sums, metric, draws) for metric in metrics}


def _estimate(sums: Sums, metric: Metric, draws: dict[str, Array]) -> Estimate:
    records, conversations = sums.with_data[metric.name]
    statistics = sums.statistics[metric.tally.name]
    return estimate(
        float(metric.of_totals(statistics.sum(axis=0))),
        draws[metric.name],
        n=records,
        conversations=min(conversations, len(statistics)),
        bounds=metric.bounds,
        is_share=metric.unit == "share",
    )
