"""A model against the rules: what it gains for each dollar and each second, and the turns where only one was right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evals.compare import pair_alike, turn_changes
from evals.inference.intervals import interval, spread
from evals.inference.resampling import SEED, Array
from evals.metrics.latency import WAIT
from evals.metrics.metric import Metric
from evals.metrics.operations import COST_USD
from evals.pairing import PairedTally, Pairing
from evals.records import Estimate
from evals.scoring import FallbackNote, Scores, draw, tallies_of
from evals.turn_changes import TurnChange, TurnChanges

Outcome = Literal["only the model right", "only the rules right", "both right", "neither right"]
# By whether the rules were right, and 2 if the model was.
_OUTCOMES: tuple[Outcome, ...] = ("neither right", "only the rules right", "only the model right", "both right")


@dataclass(frozen=True)
class Lift:
    """What the model gains over the rules in one metric, and what that costs.

    `gain` counts upwards for better. `dollars` is the extra cost of a conversation, `seconds` the extra wait of a turn.
    `per_dollar` and `per_second` divide the gain by them; they are undefined (value None) where the extra cost is not
    known, or not surely above 0.
    """

    metric: Metric
    gain: Estimate
    dollars: Estimate
    seconds: Estimate
    per_dollar: Estimate
    per_second: Estimate


@dataclass(frozen=True)
class Disagreement:
    """A turn on which model and rules differ, and who was right."""

    change: TurnChange
    outcome: Outcome


@dataclass(frozen=True)
class Ledger:
    """The turns on which model and rules differ, the model's largest gain first, and every fallback of the model."""

    disagreements: tuple[Disagreement, ...]
    fallbacks: tuple[FallbackNote, ...]

    def count(self, outcome: Outcome) -> int:
        return sum(item.outcome == outcome for item in self.disagreements)


def lift(rules: Scores, model: Scores, metric: Metric, *, resamples: int | None = None, seed: int = SEED) -> Lift:
    """The gain of `model` over `rules` for its price, over the turns that both answered.

    All figures come from the same resamples of conversations, so that a ratio's interval knows that a conversation that
    costs more may also gain more. Raises InputError if the runs cannot be compared.
    """
    return lifts(pair_alike(rules, model), (metric,), resamples=resamples, seed=seed)[0]


def lifts(
    paired: Pairing, metrics: Sequence[Metric], *, resamples: int | None = None, seed: int = SEED
) -> tuple[Lift, ...]:
    """The lift in each of these metrics, of the second run over the first, all from the same resamples."""
    needed = (*metrics, COST_USD, WAIT)
    tallies = {tally.name: paired.of(tally) for tally in tallies_of(needed)}
    clusters = {name: own.clusters(seed) for name, own in tallies.items()}
    sides = [{name: own[side] for name, own in clusters.items()} for side in (0, 1)]
    before, after = draw(needed, sides, resamples=resamples, seed=seed)
    *gains, dollars, seconds = (
        _Difference.of(own, tallies[own.tally.name], before[own.name], after[own.name]) for own in needed
    )
    return tuple(_lift(metric, gain, dollars, seconds) for metric, gain in zip(metrics, gains, strict=True))


def _lift(metric: Metric, difference: _Difference, dollars: _Difference, seconds: _Difference) -> Lift:
    gain = difference.times(metric.gain(1.0))
    return Lift(
        metric=metric,
        gain=gain.estimate,
        dollars=dollars.estimate,
        seconds=seconds.estimate,
        per_dollar=gain.per(dollars).estimate,
        per_second=gain.per(seconds).estimate,
    )


def ledger(rules: Scores, model: Scores, metric: Metric) -> Ledger:
    """Which turns only one of them got right in this metric, and what fallbacks the model's run had.

    A turn is right if the metric of that turn alone is as good as can be, or there was nothing to find and nothing
    was found.
    """
    changes = turn_changes(rules, model, metric)
    disagreements = tuple(Disagreement(change, outcome_of(change, metric)) for change in changes)
    return Ledger(disagreements=disagreements, fallbacks=model.fallbacks)


@dataclass(frozen=True, eq=False)
class _Difference:
    """A difference, or a ratio of two, with its draws."""

    value: float
    draws: Array
    conversations: int

    @classmethod
    def of(cls, metric: Metric, tally: PairedTally, before: Array, after: Array) -> _Difference:
        first, second = (float(metric.of_totals(totals)) for totals in tally.totals)
        return cls(second - first, after - before, tally.conversations_with_data(metric)[2])

    def times(self, factor: float) -> _Difference:
        return _Difference(factor * self.value, factor * self.draws, self.conversations)

    def per(self, price: _Difference) -> _Difference:
        """This for each unit of the price; undefined unless the price is surely above 0."""
        conversations = min(self.conversations, price.conversations)
        low = price.estimate.low
        if low is None or low <= 0:
            return _Difference(math.nan, np.full_like(self.draws, np.nan), conversations)
        with np.errstate(divide="ignore", invalid="ignore"):
            return _Difference(self.value / price.value, self.draws / price.draws, conversations)

    @property
    def estimate(self) -> Estimate:
        if math.isnan(self.value):
            return Estimate(value=None, n=self.conversations)
        found = interval(self.value, spread(self.draws, self.conversations))
        return Estimate(value=self.value, low=found and found[0], high=found and found[1], n=self.conversations)


def outcomes_of(changes: TurnChanges, metric: Metric) -> Mapping[Outcome, int]:
    """On how many of these turns who was right, the first run taken for the rules."""
    rules, model = _right(changes.first, metric), _right(changes.second, metric)
    ways = np.bincount(2 * model + rules, minlength=len(_OUTCOMES)).tolist()
    return dict(zip(_OUTCOMES, ways, strict=True))


def outcome_of(change: TurnChange, metric: Metric) -> Outcome:
    """Who was right on this turn, the first run taken for the rules."""
    rules, model = (np.array(np.nan if own is None else own) for own in (change.first, change.second))
    return _OUTCOMES[int(2 * _right(model, metric) + _right(rules, metric))]


def _right(values: Array, metric: Metric) -> NDArray[np.bool_]:
    low, high = metric.bounds
    best: NDArray[np.bool_] = values >= high if metric.direction == "higher" else values <= low
    return np.isnan(values) | best
