"""Two large runs judged and compared for the first time: what a turn costs, and that memory goes with the counts.

In a process of its own, since only that has a peak of memory of its own.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from engine.model.conversation import Persona
from evals.metrics import METRICS
from evals.metrics.judged import View
from evals.slices import Slice
from tests.benchmarks.figure import Figure
from tests.benchmarks.large_runs import DATASET, LargeRuns, write_large_runs
from workbench.comparing import Compared, Comparisons, RunState, Wanted
from workbench.presenters.compare_costs import LIFTS
from workbench.services import Services
from workbench.settings import Settings

TURNS = 20_000  # a run
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds, and the growth of the peak of memory in KB."""

    reading: float
    judging: float
    filtering: float
    kilobytes: float


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        runs = write_large_runs(_services(Path(folder)), TURNS)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
            spent = other.submit(_judge, Path(folder), runs).result()
    turns = len(runs.run_ids) * runs.turns
    about = f"{turns:,} turns of two runs, scored and compared"
    return [
        Figure("judge a turn for the first time", 1e3 * spent.judging / turns, "ms CPU", note=about),
        Figure("beside reading its record", spent.judging / spent.reading, "times", 6, note="CPU, in the same process"),
        Figure("memory at its peak, a turn", spent.kilobytes / turns, "KB", 8, note="counts stay, records go"),
        Figure("compare a part of it, first time", spent.filtering, "s CPU", 3, note=f"{len(METRICS)} metrics"),
    ]


def _judge(home: Path, runs: LargeRuns) -> Spent:
    services = _services(home)
    services.run_index().refresh()
    dataset, comparisons = services.dataset(DATASET), Comparisons(services)
    reading = _timed(lambda: sum(1 for run_id in runs.run_ids for _ in services.run(run_id).records()))[1]
    before = _peak()
    first, second = (RunState(run_id, runs.turns) for run_id in runs.run_ids)
    everything = Wanted("as made", first, second, View.MODEL, Slice())
    managers = Wanted("as made", first, second, View.MODEL, Slice(personas=(Persona.MANAGER,)))
    judging = _timed(lambda: _seen(comparisons.compare(everything, dataset)))[1]
    filtering = _timed(lambda: _seen(comparisons.compare(managers, dataset)))[1]
    return Spent(reading, judging, filtering, _peak() - before)


def _seen(compared: Compared) -> None:
    """What the page shows beside the scoreboard: lifts, and the turns behind one measure."""
    rows = [row for row in compared.comparison.rows if row.gain is not None and row.metric.name in LIFTS]
    compared.lifts([row.metric for row in rows])
    compared.outcomes(rows[0].metric)


def _timed(work: Callable[[], ResultT]) -> tuple[ResultT, float]:
    began = time.process_time()
    return work(), time.process_time() - began


def _peak() -> float:
    """The most memory that this process has held so far, in KB."""
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _services(home: Path) -> Services:
    return Services(Settings(home=home))
