"""Two large runs judged and compared for the first time: what a turn costs, that memory goes with the counts, and how
soon the Compare page answers from then on.

In a process of its own, since only that has a peak of memory of its own.
"""

from __future__ import annotations

import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from evals.metrics.judged import View
from evals.slices import Slice
from tests.benchmarks.figure import Figure
from tests.benchmarks.large_runs import DATASET, LargeRuns, write_large_runs
from workbench.background import background
from workbench.comparing import Comparisons, RunState, Wanted
from workbench.services import Services
from workbench.settings import Settings

TURNS = 100_000  # a run
_FILTERS = (
    ("persona", "ic"),
    ("persona", "c_suite"),
    ("persona", "manager"),
    ("engagement", "resistant"),
    ("channel", "chat"),
    ("stage", "discovery"),
)
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of reading and judging, and the growth of the peak of memory in KB; then seconds of the clock that
    the page takes for each new filter, for being drawn again, and for the breakdowns of measures.
    """

    reading: float
    judging: float
    kilobytes: float
    filters: tuple[float, ...]
    again: float
    breakdowns: float


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
        Figure("the Compare page of the same, drawn again", 1000 * spent.again, "ms", 300, note="no browser"),
        Figure("its answer to a new filter, median of six", 1000 * statistics.median(spent.filters), "ms", 300),
        Figure("the slowest of the six, which leaves 70 % of the turns", 1000 * max(spent.filters), "ms", 300),
        Figure("its breakdowns of measures, opened over all turns", 1000 * spent.breakdowns, "ms", 300),
    ]


def _judge(home: Path, runs: LargeRuns) -> Spent:
    services = _services(home)
    services.run_index().refresh()
    dataset, comparisons = services.dataset(DATASET), Comparisons(services)
    reading = _timed(lambda: sum(1 for run_id in runs.run_ids for _ in services.run(run_id).records()))[1]
    before = _peak()
    first, second = (RunState(run_id, runs.turns) for run_id in runs.run_ids)
    everything = Wanted("as made", first, second, View.MODEL, Slice())
    judging = _timed(lambda: comparisons.compare(everything, dataset))[1]
    return Spent(reading, judging, _peak() - before, *_on_the_page(home, runs))


def _on_the_page(home: Path, runs: LargeRuns) -> tuple[tuple[float, ...], float, float]:
    """Seconds that the Compare page takes for each new filter, for being drawn again, and for the breakdowns."""
    from streamlit.testing.v1 import AppTest

    def page() -> None:
        from workbench.views import compare

        compare.page()

    os.environ["QBS_HOME"] = str(home)
    app = AppTest.from_function(page, default_timeout=600)
    app.query_params["run"] = list(runs.run_ids)

    def run() -> float:
        began = time.perf_counter()
        app.run()
        assert not app.exception
        assert not app.error
        return time.perf_counter() - began

    run()
    while any(not job.ended for job in background().jobs()):
        time.sleep(0.1)
    run()
    again = statistics.median(run() for _ in range(3))
    filters = []
    for name, value in _FILTERS:
        for other, _ in _FILTERS:
            app.query_params.pop(other, None)
        app.query_params[name] = value
        filters.append(run())
    app.query_params.pop(_FILTERS[-1][0])
    run()
    app.toggle[0].set_value(True)
    return tuple(filters), again, run()


def _timed(work: Callable[[], ResultT]) -> tuple[ResultT, float]:
    began = time.process_time()
    return work(), time.process_time() - began


def _peak() -> float:
    """The most memory that this process has held so far, in KB."""
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _services(home: Path) -> Services:
    return Services(Settings(home=home))
