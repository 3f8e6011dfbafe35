"""What a metric is: a tally that counts turn by turn, and a formula over the sums of what was counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evals.inference.resampling import Array
from evals.metrics.judged import Answer, JudgedTurn

Positions = NDArray[np.int64]
Direction = Literal["higher", "lower"]
Unit = Literal["share", "score", "rating", "count", "ms", "s", "tokens", "USD"]

Counted = Mapping[str, float]  # by part; parts left out are 0


@dataclass(frozen=True)
class Tally:
    """What is counted on each turn; figures of one tally share its counts.

    `observe` gives the counts of one turn by part, an empty mapping where the turn was judged and there was nothing
    to count, and None where it cannot be judged at all: no label, or not measured. `answer` is the one of the
    three whose source decides whether the turn counts; None counts every turn, also those that failed.
    """

    name: str
    parts: tuple[str, ...]
    answer: Answer | None
    observe: Callable[[JudgedTurn], Counted | None]

    @cached_property
    def positions(self) -> Mapping[str, int]:
        return {part: position for position, part in enumerate(self.parts)}


@dataclass(frozen=True)
class Totals:
    """Sums of a tally's counts, by part. `counts` has the shape (..., parts): one total, or one per resample."""

    counts: Array
    positions: Mapping[str, int]

    def all(self) -> Array:
        """Of shape (..., parts), in the order of the tally."""
        return self.counts

    def __getitem__(self, part: str) -> Array:
        found: Array = self.counts[..., self.positions[part]]
        return found

    def stacked(self, parts: tuple[str, ...]) -> Array:
        """Of shape (..., len(parts))."""
        found: Array = self.counts[..., [self.positions[part] for part in parts]]
        return found


@dataclass(frozen=True)
class _Read(Totals):
    """Totals that note which parts are read."""

    positions_read: set[int] = field(default_factory=set)

    def __getitem__(self, part: str) -> Array:
        self.positions_read.add(self.positions[part])
        return super().__getitem__(part)

    def stacked(self, parts: tuple[str, ...]) -> Array:
        self.positions_read.update(self.positions[part] for part in parts)
        return super().stacked(parts)

    def all(self) -> Array:
        self.positions_read.update(self.positions.values())
        return super().all()


@dataclass(frozen=True)
class Margin:
    """The largest difference that nobody would act on: in the metric's unit, or as a share of the first value."""

    size: float
    relative: bool = False

    def around(self, value: float | None) -> float:
        """The margin in the metric's unit. Relative to an unknown value it is 0."""
        if not self.relative:
            return self.size
        return 0.0 if value is None or math.isnan(value) else self.size * abs(value)


FIVE_POINTS = Margin(0.05)
A_TENTH = Margin(0.10, relative=True)
NONE_AT_ALL = Margin(0.0)


@dataclass(frozen=True)
class Metric:
    """One figure of a run. `value` is vectorised over totals and gives NaN where there is no data.

    `of` says what is judged: what was `used`, after the guardrails, or what was `proposed`, before them. `detail`
    marks the breakdown of another metric: shown below it, and corrected for multiplicity among its own kind.
    """

    name: str
    title: str
    direction: Direction
    unit: Unit
    formula: str
    source: str
    tally: Tally
    value: Callable[[Totals], Array]
    margin: Margin
    of: Literal["used", "proposed"] = "used"
    detail: bool = False

    def of_totals(self, counts: Array) -> Array:
        """The metric of totals of shape (..., parts); NaN where it is undefined."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.value(Totals(counts, self.tally.positions)), dtype=np.float64)

    @cached_property
    def reads(self) -> Positions:
        """The positions of the parts that the formula reads: a turn has data for it if any of them was counted."""
        read = _Read(np.ones(len(self.tally.parts)), self.tally.positions)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.value(read)
        return np.array(sorted(read.positions_read), dtype=np.int64)

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and greatest value that it can have."""
        return {"share": (0.0, 1.0), "score": (-1.0, 1.0), "rating": (1.0, 4.0)}.get(self.unit, (0.0, math.inf))

    @property
    def is_limit(self) -> bool:
        """Whether it must be 0: then a conversation is either clean or not."""
        return self.direction == "lower" and self.margin == NONE_AT_ALL

    def gain(self, difference: float) -> float:
        """The difference counted upwards for better."""
        return difference if self.direction == "higher" else -difference
