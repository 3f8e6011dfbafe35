"""Whether intervals and p-values can be believed, by simulation, and how long a bootstrap takes.

1,000 pairs of runs of each kind: 18, 24 and 50 conversations of 4 to 12 turns, two metrics, with no difference and with
one. The turns of a conversation resemble each other strongly; the naive figures take them for independent. With 10
conversations p-values come from all sign flips, which are exact and therefore, with counts this coarse, cautious.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from evals.inference.intervals import Interval
from evals.inference.resampling import resampled_totals
from tests.benchmarks import simulated
from tests.benchmarks.figure import Figure, median_seconds
from tests.benchmarks.simulated import VALUES, Pair, Value

COMPARISONS, RESAMPLES = 1_000, 1_000
SIZES, FEW = (18, 24, 50), 10
SHIFT = 0.5
SEED = 7

Infer = Callable[..., tuple[Interval | None, float | None]]


@dataclass(frozen=True)
class Kind:
    """Pairs of runs of one size, judged by one metric. What is found is in percent of the pairs."""

    size: int
    metric: str

    @property
    def value(self) -> Value:
        return VALUES[self.metric]

    def false_positives(self, infer: Infer = simulated.clustered, count: int = COMPARISONS) -> float:
        """Comparisons without any difference that come out at 5 %."""
        found = self._inferred(infer, 0.0, count)
        return 100 * sum(p is not None and p < 0.05 for _, p in found) / count

    def coverage(self, shift: float, infer: Infer = simulated.clustered, count: int = COMPARISONS) -> float:
        """95 % intervals that hold the true difference; a comparison without an interval does not."""
        true = simulated.truth(self.value, shift, SEED) if shift else 0.0
        found = self._inferred(infer, shift, count)
        return 100 * sum(own is not None and own[0] <= true <= own[1] for own, _ in found) / count

    def _inferred(self, infer: Infer, shift: float, count: int) -> list[tuple[Interval | None, float | None]]:
        pairs = self._pairs(shift, count)
        return [infer(both, self.value, resamples=RESAMPLES, seed=number) for number, both in enumerate(pairs)]

    def _pairs(self, shift: float, count: int) -> list[Pair]:
        generator = np.random.default_rng([SEED, self.size, int(100 * shift)])
        return [simulated.pair(self.size, shift, generator) for _ in range(count)]


def measure() -> list[Figure]:
    kinds = [Kind(size, metric) for size, metric in product(SIZES, VALUES)]
    found = _extremes({kind: kind.false_positives() for kind in kinds})
    covered = _extremes({(kind, shift): kind.coverage(shift) for kind in kinds for shift in (0.0, SHIFT)})
    naive = _extremes({kind: kind.false_positives(simulated.naive) for kind in kinds})
    percentile = _extremes({kind: kind.coverage(SHIFT, simulated.percentile) for kind in kinds})
    few = _extremes({kind: kind.false_positives() for kind in (Kind(FEW, metric) for metric in VALUES)})
    return [
        _speed(),
        Figure("false positives at 5 %, the most of any kind", found[1], "%", 6.5, "at most"),
        Figure("false positives at 5 %, the fewest of any kind", found[0], "%", 3.5, "at least"),
        Figure("the same with turns taken for independent", naive[1], "%", note=f"at least {naive[0]:.1f} %"),
        Figure(f"the same with {FEW} conversations", few[1], "%", note="exact sign flips"),
        Figure("coverage of 95 % intervals, the least of any kind", covered[0], "%", 93, "at least"),
        Figure("coverage of 95 % intervals, the most of any kind", covered[1], "%", 97, "at most"),
        Figure("the same by percentiles, the least of any kind", percentile[0], "%"),
    ]


def _extremes(found: dict[object, float]) -> tuple[float, float]:
    return min(found.values()), max(found.values())


def _speed() -> Figure:
    """20 metrics of five parts each, both runs, over 1,000 conversations of ten turns."""
    generator = np.random.default_rng(SEED)
    statistics = generator.poisson(0.5, size=(1_000, 10, 20 * 5 * 2)).sum(axis=1).astype(np.float64)

    def work() -> float:
        differences = []
        for totals in resampled_totals(statistics, resamples=10_000, seed=SEED):
            first, second = totals[:, :100].reshape(-1, 20, 5), totals[:, 100:].reshape(-1, 20, 5)
            differences.append(simulated.f1(second) - simulated.f1(first))
        return float(np.concatenate(differences).std(axis=0).sum())

    note = "10,000 resamples, 1,000 conversations x 10 turns, 20 metrics"
    return Figure("clustered paired bootstrap", median_seconds(work), "s", 1.0, note=note)
