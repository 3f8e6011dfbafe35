"""Whether calibrations can be believed, in the simulated world, where the truth is known: 200 seeds of each kind.

A fit does harm if it is worse than no calibration for outcomes that nobody has seen: 5,000 customers' of another seed,
whose expected log loss is worked out from their true probabilities, so that no luck is left in the comparison. The
miscalibration of what is reported is the mean squared difference from the perfect calibration, which undoes the
distortion that was put in; what is removed of it is one less the share that is left, on average over seeds.

Coverage is that of 95 % intervals: the share answered in each bin of the diagram, against the mean true probability of
fresh customers' outcomes in that bin, and the figures of a reading, against those of the world with the same bins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evals.inference.resampling import Array
from evals.learning.calibration.drift import drift, drifted
from evals.learning.calibration.fitting import Fitted, fit_calibration
from evals.learning.calibration.observations import Observations
from evals.learning.calibration.outcomes import observations_of, observed
from evals.learning.calibration.predicting import predicted
from evals.learning.calibration.reliability import Bin
from evals.learning.calibration.scores import Reading, log_losses, read
from evals.learning.simulated import Distortion, WorldSettings, simulate
from evals.records import Estimate
from tests.benchmarks.figure import Figure

SEEDS = 200
FRESH_SEED, FRESH_CUSTOMERS = 1_000_000, 5_000
HONEST, EXAGGERATING = Distortion(intercept=0.0, slope=1.0), Distortion()
READ_SIZE, RESAMPLES = 1_000, 1_000


@dataclass(frozen=True)
class World:
    """Outcomes of one kind of engine, and what is true of them."""

    distortion: Distortion

    def outcomes(self, seed: int, n: int) -> Observations:
        """`n` resolved outcomes of whole customers, but for the last."""
        own = observed(simulate(seed, n // 3 + 30, self._settings).facts)
        return own.where(np.arange(len(own)) < n)

    @cached_property
    def fresh(self) -> Observations:
        """Outcomes that no calibration has seen."""
        return observations_of(simulate(FRESH_SEED, FRESH_CUSTOMERS, self._settings).facts)

    @cached_property
    def truth(self) -> Array:
        """The probability of a reply to each of `fresh`."""
        return np.asarray(self.distortion.undo(self.fresh.confidence))

    def loss(self, said: Array) -> float:
        """The expected log loss of claiming `said` of `fresh`."""
        came, missed = log_losses(said, np.ones_like(said)), log_losses(said, np.zeros_like(said))
        return float((self.truth * came + (1 - self.truth) * missed).mean())

    def error(self, said: Array) -> float:
        """The mean squared miscalibration of claiming `said` of `fresh`."""
        return float(((said - self.truth) ** 2).mean())

    def harms(self, fitted: Fitted) -> bool:
        return self.loss(predicted(fitted.calibration, self.fresh)) > self.loss(self.fresh.confidence) + 1e-12

    def removed(self, fitted: Fitted) -> float:
        """The share of the injected miscalibration that is gone."""
        return 1 - self.error(predicted(fitted.calibration, self.fresh)) / self.error(self.fresh.confidence)

    @property
    def _settings(self) -> WorldSettings:
        return WorldSettings(distortion=self.distortion)


def measure(seeds: int = SEEDS) -> list[Figure]:
    exaggerating, honest = World(EXAGGERATING), World(HONEST)
    return [
        *harm(exaggerating, honest, seeds),
        *removal(exaggerating, seeds),
        *coverage(exaggerating, seeds),
        *alarms(honest, exaggerating, seeds),
    ]


def harm(exaggerating: World, honest: World, seeds: int) -> Iterator[Figure]:
    """Fits to 100 outcomes that are worse than none, of each kind of engine."""
    for name, world in (("an exaggerating", exaggerating), ("an honest", honest)):
        fits = [fit_calibration(world.outcomes(seed, 100)) for seed in range(seeds)]
        share = 100 * sum(world.harms(own) for own in fits) / seeds
        offered = sum(own.offered for own in fits)
        note = f"offered in {offered} of {seeds}"
        yield Figure(f"calibration, 100 outcomes of {name} engine: worse than none", share, "%", 5, note=note)


def removal(world: World, seeds: int) -> Iterator[Figure]:
    """What fits to 2,000 outcomes remove of what is wrong."""
    shares = [world.removed(fit_calibration(world.outcomes(seed, 2_000))) for seed in range(seeds)]
    note = (
        f"injected: {world.error(world.fresh.confidence) ** 0.5:.3f}, root mean square; least {100 * min(shares):.0f} %"
    )
    mean = 100 * float(np.mean(shares))
    yield Figure("calibration, 2,000 outcomes: miscalibration removed", mean, "%", 80, "at least", note)


def coverage(world: World, seeds: int) -> Iterator[Figure]:
    """How often 95 % intervals hold what is true."""
    for name, found in held(world, seeds).items():
        share = 100 * float(np.mean(found))
        yield Figure(f"calibration, coverage of 95 % intervals: {name}, at least", share, "%", 92, "at least")
        yield Figure(f"calibration, coverage of 95 % intervals: {name}, at most", share, "%", 98, "at most")


def held(world: World, seeds: int) -> dict[str, list[bool]]:
    """Whether each interval of a reading held what is true, by what it is of."""
    found: dict[str, list[bool]] = {}
    for seed in range(seeds):
        own = read(world.outcomes(seed, READ_SIZE), resamples=RESAMPLES, seed=seed)
        if own is not None:
            for name, holds in _held(world, own):
                found.setdefault(name, []).append(holds)
    return found


def alarms(honest: World, exaggerating: World, seeds: int) -> Iterator[Figure]:
    """How often the drift test cries out, where nothing is wrong and where the engine exaggerates."""
    for name, world, goal, good in (
        ("nothing wrong", honest, 5, "at most"),
        ("the engine exaggerating", exaggerating, 80, "at least"),
    ):
        cried = 0
        for seed in range(seeds):
            own = world.outcomes(seed, READ_SIZE)
            cried += bool(drifted(drift(own, own.confidence)))
        yield Figure(f"calibration, alerts of drift with {name}", 100 * cried / seeds, "%", goal, good)  # type: ignore[arg-type]


def _held(world: World, own: Reading) -> Iterator[tuple[str, bool]]:
    """What has an interval, and whether that holds the truth."""
    fresh, truth = world.fresh.confidence, world.truth
    parts = [_inside(fresh, each, following) for each, following in zip(own.bins, [*own.bins[1:], None], strict=True)]
    for each, part in zip(own.bins, parts, strict=True):
        yield "a bin's share", each.low <= truth[part].mean() <= each.high
    gaps = np.array([fresh[part].mean() - truth[part].mean() for part in parts])
    mass = np.array([part.mean() for part in parts])
    squared = truth * (fresh - 1) ** 2 + (1 - truth) * fresh**2
    yield "Brier score", _holds(own.brier, float(squared.mean()))
    yield "log loss", _holds(own.log_loss, world.loss(fresh))
    yield "mean confidence - share", _holds(own.gap, float((fresh - truth).mean()))
    yield "squared error, debiased", _holds(own.squared_error, float((mass * gaps**2).sum()))
    yield "ECE, debiased", _holds(own.ece_debiased, float((mass * np.abs(gaps)).sum()))


def _inside(fresh: Array, own: Bin, following: Bin | None) -> Array:
    """Which fresh claims fall into a bin: from its lowest claim to that of the next."""
    return (fresh >= own.lowest) & (fresh < (1.1 if following is None else following.lowest))


def _holds(own: Estimate, truth: float) -> bool:
    return own.low is not None and own.high is not None and own.low <= truth <= own.high
