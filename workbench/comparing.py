"""Comparisons as pages ask for them: computed once, off the page, and kept for as long as there is room.

A run is scored once in each view, whichever run it is compared with and whichever part of it is looked at. What is
kept is frozen and shared by all sessions; what it was made of is its key.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from engine.errors import InputError, QBSError
from evals.progress import Progress
from evals.records import RunTotals
from evals.slices import Slice
from workbench.text import count

if TYPE_CHECKING:
    from evals.compare import Comparison, TurnChange
    from evals.evaluation import Evaluation
    from evals.library import Dataset
    from evals.lift import Lift, Outcome
    from evals.metrics.judged import View
    from evals.metrics.metric import Metric
    from evals.repeats import Variation
    from evals.scoring import Scores
    from workbench.background import Report, Work
    from workbench.services import Services

KEPT_TURNS = 500_000  # of scored runs
KEPT_COMPARISONS = 24
AT_ONCE = 4_000  # turns that are scored while a page waits; more are scored in the background

ValueT = TypeVar("ValueT")
Counted = Callable[[int], None]  # told how many turns more are scored


@dataclass(frozen=True, slots=True)
class RunState:
    """A run as far as it is there: a finished one never changes, one under way is another with each turn."""

    run_id: str
    turns: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A comparison of two runs over a part of a data set. `stamp` differs once its conversations or labels do."""

    stamp: Hashable
    first: RunState
    second: RunState
    view: View
    part: Slice

    @property
    def key(self) -> str:
        """The name of the job that computes it."""
        return f"compare {self.first.run_id} {self.second.run_id} {self.view} {hash(self.part)}"

    @property
    def turns(self) -> int:
        return self.first.turns + self.second.turns


class _StoppedError(QBSError):
    """A person did not want to wait any longer."""


class Compared:
    """A finished comparison, and what can be asked of it without comparing again. Thread-safe.

    `notes` are what a reader has to know about what could be judged, in sentences.
    """

    def __init__(self, first: Scores, second: Scores, comparison: Comparison, notes: tuple[str, ...]) -> None:
        self.first = first
        self.second = second
        self.comparison = comparison
        self.notes = notes
        self._kept: dict[tuple[str, str], object] = {}
        self._lock = threading.RLock()

    def changes(self, metric: Metric) -> tuple[TurnChange, ...]:
        """The turns that were counted differently, the largest gain first."""
        return self._moved(metric).changes

    def outcomes(self, metric: Metric) -> Mapping[Outcome, int]:
        """On how many of those turns who was right; `first` is taken for the rules."""
        return self._moved(metric).outcomes

    def _moved(self, metric: Metric) -> _Moved:
        from evals.lift import ledger

        def found() -> _Moved:
            own = ledger(self.first, self.second, metric).disagreements
            return _Moved(tuple(item.change for item in own), Counter(item.outcome for item in own))

        return self._once("moved", metric, found)

    def lift(self, metric: Metric) -> Lift:
        """What the second gains over the first, and at which price."""
        from evals.lift import lift

        return self._once("lift", metric, lambda: lift(self.first, self.second, metric))

    def prepare(self, lifts: Collection[str]) -> None:
        """Have ready what a page asks for: the turns of every measure but breakdowns, and the lifts of these names."""
        for row in self.comparison.rows:
            if row.turns_differing and not row.metric.detail:
                self.changes(row.metric)
            if row.gain is not None and row.metric.name in lifts:
                self.lift(row.metric)

    @cached_property
    def variations(self) -> tuple[tuple[Variation, ...], tuple[Variation, ...]]:
        """For each run, where it was asked repeatedly, how far its answers vary; else nothing."""
        from evals.repeats import variations

        return tuple(variations(side) if _is_repeated(side) else () for side in (self.first, self.second))  # type: ignore[return-value]

    def _once(self, what: str, metric: Metric, make: Callable[[], ValueT]) -> ValueT:
        key = (what, metric.name)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            return self._kept[key]  # type: ignore[return-value]


class Comparisons:
    """The judged runs and comparisons of this process. All methods may be called from any thread."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._scores: _Recent[_Judged] = _Recent(KEPT_TURNS, lambda judged: len(judged.scores.records))
        self._compared: _Recent[Compared] = _Recent(KEPT_COMPARISONS, lambda _: 1)
        self._locks: defaultdict[Hashable, threading.Lock] = defaultdict(threading.Lock)

    def found(self, wanted: Wanted) -> Compared | None:
        """The comparison if it was made before."""
        return self._compared.get(wanted)

    def is_quick(self, wanted: Wanted) -> bool:
        """Whether a page can wait for it."""
        return wanted.turns <= AT_ONCE

    def compare(self, wanted: Wanted, dataset: Dataset, counted: Counted = lambda _: None) -> Compared:
        """The comparison, made now if it was not. Raises InputError if the runs cannot be compared."""
        with self._locks[wanted]:
            if (found := self.found(wanted)) is not None:
                return found
            return self._compared.put(wanted, self._made(wanted, dataset, counted))

    def _made(self, wanted: Wanted, dataset: Dataset, counted: Counted) -> Compared:
        from evals.compare import compare

        sides = (wanted.first, wanted.second)
        judged = [self._judged(_scoring(wanted, state), state, dataset, wanted.view, counted) for state in sides]
        first, second = (part_of(own.scores, wanted.part, dataset) for own in judged)
        notes = tuple(dict.fromkeys(note for own in judged for note in own.notes))
        return Compared(first, second, compare(first, second), notes)

    def _judged(self, key: Hashable, state: RunState, dataset: Dataset, view: View, counted: Counted) -> _Judged:
        with self._locks[key]:
            judged = self._scores.get(key)
            if judged is None:
                evaluation = self._evaluation(state.run_id, dataset)
                judged = self._scores.put(key, _Judged(evaluation.scores(view), evaluation.notes))
            counted(state.turns)
            return judged

    def _evaluation(self, run_id: str, dataset: Dataset) -> Evaluation:
        from evals.evaluation import evaluate
        from evals.runs.counts import CountStore

        return evaluate(self._services.run(run_id), dataset, CountStore(self._services.run_index()))


def part_of(scores: Scores, part: Slice, dataset: Dataset) -> Scores:
    """The scores of a part. Raises InputError if none of the turns are in it."""
    found = scores.only(part.of(dataset)) if part.filters else scores
    if not found.records:
        raise InputError("no turn fits all of these filters; take some away")
    return found


def comparing(comparisons: Comparisons, wanted: Wanted, dataset: Dataset, lifts: Collection[str]) -> Work:
    """Make a comparison on a thread of its own, ready for `lifts` too. Afterwards it is there for everybody."""

    async def work(report: Report, stop: asyncio.Event) -> str:
        done = 0

        def counted(turns: int) -> None:
            nonlocal done
            done += turns
            report(Progress(done, wanted.turns, None, None, RunTotals()))
            if stop.is_set():
                raise _StoppedError("it was stopped; what was judged by then is kept")

        report(Progress(0, wanted.turns, None, None, RunTotals()))
        try:
            made = await asyncio.to_thread(comparisons.compare, wanted, dataset, counted)
            await asyncio.to_thread(made.prepare, lifts)
        except _StoppedError as stopped:
            return str(stopped)
        return f"Compared {count(made.comparison.turns, 'turn')}."

    return work


def _scoring(wanted: Wanted, state: RunState) -> Hashable:
    return (wanted.stamp, state, wanted.view)


def _is_repeated(scores: Scores) -> bool:
    return any(sample for _, _, sample in scores.records)


@dataclass(frozen=True, slots=True)
class _Moved:
    """The turns that one measure counts differently, and who was right on how many of them."""

    changes: tuple[TurnChange, ...]
    outcomes: Mapping[Outcome, int]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A run as it was judged in one view."""

    scores: Scores
    notes: tuple[str, ...]


class _Recent(Generic[ValueT]):
    """The values that were used last, as many as weigh no more than `room`; always at least the newest."""

    def __init__(self, room: int, weight: Callable[[ValueT], int]) -> None:
        self._room = room
        self._weight = weight
        self._values: OrderedDict[Hashable, ValueT] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> ValueT | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: ValueT) -> ValueT:
        with self._lock:
            self._values[key] = value
            while len(self._values) > 1 and sum(map(self._weight, self._values.values())) > self._room:
                self._values.popitem(last=False)
        return value
