"""One measured figure beside its goal."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is measured in `unit`; it is good when it is at most (or at least) `goal`. No goal: for comparison."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    good: Literal["at most", "at least"] = "at most"
    note: str = ""

    @property
    def reached(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value <= self.goal if self.good == "at most" else self.value >= self.goal


def median_seconds(
    work: Callable[[], object], repeats: int = 5, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Median time of `work`, in seconds, after one call that is not counted. `time.process_time` is CPU time."""
    work()
    times = []
    for _ in range(repeats):
        started = clock()
        work()
        times.append(clock() - started)
    return statistics.median(times)
