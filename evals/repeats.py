"""The same question asked several times: how far answers differ from each other, apart from how conversations do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evals.inference.intervals import spread
from evals.inference.resampling import SEED, Array
from evals.metrics.metric import Metric
from evals.scoring import Scores, conversations_with_data, draw


@dataclass(frozen=True)
class Variation:
    """Where the uncertainty of one metric comes from, as standard deviations in its unit.

    `answers`: how far the metric of all conversations moves when everything is asked again. `conversations`: how far
    it would move with other conversations, if every answer were asked endlessly often. `samples` is how often a
    conversation was asked; with one sample `answers` is not known (None), and neither is `conversations`.
    """

    metric: Metric
    samples: int
    answers: float | None
    conversations: float | None


def variations(scores: Scores, *, resamples: int | None = None, seed: int = SEED) -> tuple[Variation, ...]:
    """The variation of every metric of a run with repeats.

    Answers: the sum over conversations of the variance, between its samples, of the metric with that conversation's
    mean answer replaced by the sample (independent answers add up). Conversations: the bootstrap variance over
    conversations of the mean answers, less the part of it that is due to answers, variance / samples. It is a one-way
    random effects analysis of variance; S. R. Searle, G. Casella and C. E. McCulloch, "Variance Components" (1992).
    """
    if not scores.records:
        return tuple(Variation(metric, 0, None, None) for metric in scores.metrics)
    means = {name: _mean_of_samples(scores, name) for name in scores.counts}
    (drawn,) = draw(scores.metrics, [means], resamples=resamples, seed=seed)
    return tuple(_variation(scores, metric, means[metric.tally.name], drawn[metric.name]) for metric in scores.metrics)


def _variation(scores: Scores, metric: Metric, means: Array, draws: Array) -> Variation:
    variance, samples = _between_answers(scores, metric, means)
    around = spread(draws, conversations_with_data(means, metric))
    if variance is None or around.error is None:
        return Variation(metric, samples, None if variance is None else float(np.sqrt(variance)), None)
    left = max(0.0, around.error**2 - variance / samples)
    return Variation(metric, samples, float(np.sqrt(variance)), float(np.sqrt(left)))


def _between_answers(scores: Scores, metric: Metric, means: Array) -> tuple[float | None, int]:
    """The variance of the metric of one sample of everything, and the fewest samples that a conversation has."""
    counts, replays = scores.counts[metric.tally.name], scores.replays
    table = counts.sums(scores.replay_of, len(replays))
    conversation_of = np.array([conversation for conversation, _ in replays])
    with_one_replaced = metric.of_totals(means.sum(axis=0) - means[conversation_of] + table)
    samples, variance = [], 0.0
    for conversation in np.unique(conversation_of):
        values = with_one_replaced[conversation_of == conversation]
        samples.append(len(values))
        variance += float(values.var(ddof=1)) if len(values) > 1 else 0.0
    fewest = min(samples)
    return (variance if fewest > 1 and np.isfinite(variance) else None), fewest


def _mean_of_samples(scores: Scores, tally: str) -> Array:
    """What a conversation counts on average over its samples, of shape (conversations, parts)."""
    conversations = np.array([conversation for conversation, _ in scores.replays])
    samples = np.bincount(conversations, minlength=len(scores.conversations))
    weight_of = 1.0 / samples[scores.conversation_of]
    return scores.counts[tally].sums(scores.conversation_of, len(scores.conversations), weight_of)
