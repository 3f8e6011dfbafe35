"""Comparisons as pages ask for them: computed once, off the page, and kept for as long as there is room.

A run is scored once in each view, whichever run it is compared with and whichever part of it is looked at. What is
kept is frozen and shared by all sessions; what it was made of is its key.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from engine.errors import InputError, QBSError
from evals.progress import Progress
from evals.records import RunTotals
from evals.slices import Slice, TurnTraits
from workbench.text import count

if TYPE_CHECKING:
    from evals.compare import Comparison
    from evals.evaluation import Evaluation
    from evals.judgements import Judge
    from evals.library import Dataset
    from evals.lift import Lift, Outcome
    from evals.metrics.judged import View
    from evals.metrics.metric import Metric
    from evals.pairing import Pairing
    from evals.repeats import Variation
    from evals.scoring import Scores
    from evals.turn_changes import TurnChanges
    from workbench.background import Report, Work
    from workbench.services import Services

KEPT_TURNS = 500_000  # of scored runs
KEPT_COMPARED_TURNS = 1_000_000  # on both sides of comparisons; parts of runs are copies of their counts
TOLD_AT_ONCE = 500  # turns between two words on how far the scoring is
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
    """A comparison of two runs over a part of a data set.

    `stamp` differs once its conversations or labels do. `judgements` are the hashes of what models said of the runs'
    questions: another judgement may be one by another judge, and is another comparison.
    """

    stamp: Hashable
    first: RunState
    second: RunState
    view: View
    part: Slice
    judgements: tuple[str, str] = ("", "")

    @property
    def key(self) -> str:
        """The name of the job that computes it."""
        return f"compare {self.first.run_id} {self.second.run_id} {self.view} {hash((self.part, self.judgements))}"

    @property
    def turns(self) -> int:
        return self.first.turns + self.second.turns

    @property
    def whole(self) -> Wanted:
        """The same over all of the data set."""
        return replace(self, part=Slice())


class _StoppedError(QBSError):
    """A person did not want to wait any longer."""


class Compared:
    """A finished comparison, and what can be asked of it without comparing again. Thread-safe.

    It is of all metrics but breakdowns of others, which take longer and are looked at less; they come when asked for.
    `notes` are what a reader has to know about what could be judged, in sentences.
    """

    def __init__(self, paired: Pairing, comparison: Comparison, notes: tuple[str, ...]) -> None:
        self.paired = paired
        self.comparison = comparison
        self.notes = notes
        self._kept: dict[tuple[str, ...], object] = {}
        self._lock = threading.RLock()

    @property
    def first(self) -> Scores:
        return self.paired.first.scores

    @property
    def second(self) -> Scores:
        return self.paired.second.scores

    @property
    def weight(self) -> int:
        """How many turns of runs it holds."""
        return len(self.first.records) + len(self.second.records)

    def judged_as(self, comparison: Comparison) -> Compared:
        """The same with the verdicts of `comparison`, which was judged together with others."""
        other = copy(self)  # shares all that was made
        other.comparison = comparison
        return other

    def with_breakdowns(self) -> Compared:
        """The same with the breakdowns too, compared when first asked for: they are judged among themselves."""
        from evals.compare import compare_paired

        metrics = self.first.metrics
        details = [metric for metric in metrics if metric.detail]
        added = self._once(("breakdowns",), lambda: compare_paired(self.paired, details))
        rows = {row.metric.name: row for row in (*self.comparison.rows, *added.rows)}
        return self.judged_as(replace(self.comparison, rows=tuple(rows[metric.name] for metric in metrics)))

    def changes(self, metric: Metric) -> TurnChanges:
        """The turns that were counted differently, the largest gain first."""
        from evals.compare import changes_of

        return self._once(("changes", metric.name), lambda: changes_of(self.paired, metric))

    def outcomes(self, metric: Metric) -> Mapping[Outcome, int]:
        """On how many of those turns who was right; `first` is taken for the rules."""
        from evals.lift import outcomes_of

        return self._once(("outcomes", metric.name), lambda: outcomes_of(self.changes(metric), metric))

    def lifts(self, metrics: Sequence[Metric]) -> tuple[Lift, ...]:
        """What the second gains over the first, and at which price: all from one drawing of resamples."""
        from evals.lift import lifts

        with self._lock:
            missing = [metric for metric in metrics if ("lift", metric.name) not in self._kept]
            found = lifts(self.paired, missing) if missing else ()
            self._kept |= {("lift", lift.metric.name): lift for lift in found}
            return tuple(self._kept["lift", metric.name] for metric in metrics)  # type: ignore[misc]

    @property
    def variations(self) -> tuple[tuple[Variation, ...], ...]:
        """For each run, where it was asked repeatedly, how far its answers vary; else nothing."""
        from evals.repeats import variations

        sides = (self.paired.first, self.paired.second)
        return self._once(
            ("variations",), lambda: tuple(variations(side.scores) if side.is_repeated else () for side in sides)
        )

    def _once(self, key: tuple[str, ...], make: Callable[[], ValueT]) -> ValueT:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            return self._kept[key]  # type: ignore[return-value]


class Comparisons:
    """The judged runs and comparisons of this process. All methods may be called from any thread."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._scores: _Recent[_Judged] = _Recent(KEPT_TURNS, lambda judged: len(judged.scores.records))
        self._pairs: _Recent[_Pair] = _Recent(KEPT_TURNS, lambda pair: len(pair.paired.turns))
        self._compared: _Recent[Compared] = _Recent(KEPT_COMPARED_TURNS, lambda made: made.weight)
        self._locks: defaultdict[Hashable, threading.Lock] = defaultdict(threading.Lock)

    @property
    def runs_folder(self) -> Path:
        """Where the runs lie that it compares."""
        return self._services.runs_folder

    def found(self, wanted: Wanted) -> Compared | None:
        """The comparison if it was made before."""
        return self._compared.get(wanted)

    def is_quick(self, wanted: Wanted) -> bool:
        """Whether a page can wait for it: it is small, or a part of two runs that were compared before."""
        return wanted.turns <= AT_ONCE or self._pairs.get(wanted.whole) is not None

    def compare(self, wanted: Wanted, dataset: Dataset, counted: Counted = lambda _: None) -> Compared:
        """The comparison, made now if it was not. Raises InputError if the runs cannot be compared."""
        with self._locks[wanted]:
            if (found := self.found(wanted)) is not None:
                return found
            return self._compared.put(wanted, self._made(wanted, dataset, counted))

    def _made(self, wanted: Wanted, dataset: Dataset, counted: Counted) -> Compared:
        from evals.compare import compare_paired

        pair = self._pair(wanted.whole, dataset, counted)
        paired = _part_of(pair, wanted.part)
        main = [metric for metric in paired.first.scores.metrics if not metric.detail]
        return Compared(paired, compare_paired(paired, main), pair.notes)

    def _pair(self, wanted: Wanted, dataset: Dataset, counted: Counted) -> _Pair:
        """Both runs as a whole."""
        from evals.compare import pair_alike

        with self._locks["pair", wanted]:
            if (found := self._pairs.get(wanted)) is not None:
                return found
            first, second = self._both(wanted, dataset, counted)
            notes = tuple(dict.fromkeys((*first.notes, *second.notes)))
            paired = pair_alike(first.scores, second.scores)
            traits = TurnTraits(dataset, paired.turns, paired.conversations, paired.conversation_of)
            return self._pairs.put(wanted, _Pair(paired, traits.look_up_all(), notes))

    def _both(self, wanted: Wanted, dataset: Dataset, counted: Counted) -> tuple[_Judged, ...]:
        from evals.evaluation import evaluate_all
        from evals.runs.counts import CountStore

        states = (wanted.first, wanted.second)
        runs = [(self._services.run(state.run_id), dataset) for state in states]
        both = evaluate_all(runs, CountStore(self._services.run_index()))
        return tuple(
            self._judged(evaluation, _scoring(wanted, state, judgements, evaluation.judge), state, wanted.view, counted)
            for evaluation, state, judgements in zip(both, states, wanted.judgements, strict=True)
        )

    def _judged(self, evaluation: Evaluation, key: Hashable, state: RunState, view: View, counted: Counted) -> _Judged:
        with self._locks[key]:
            turns = _Told(counted, state.turns)
            judged = self._scores.get(key)
            if judged is None:
                scores = evaluation.scores(view, on_turn=turns.one_more)
                judged = self._scores.put(key, _Judged(scores, evaluation.notes))
            turns.rest()
            return judged


def _part_of(pair: _Pair, part: Slice) -> Pairing:
    """A part of both runs. Raises InputError if no turn of it is in both."""
    if not part.filters:
        return pair.paired
    kept = part.mask(pair.traits)
    if not kept.any():
        raise InputError("no turn fits all of these filters; take some away")
    if not (kept & pair.paired.common).any():
        raise InputError("no turn that fits all of these filters is in both runs; take some away")
    return pair.paired.only(kept)


def comparing(comparisons: Comparisons, wanted: Wanted, dataset: Dataset) -> Work:
    """Make a comparison on a thread of its own. Afterwards it is there for everybody."""

    async def work(report: Report, stop: asyncio.Event) -> str:
        done = 0

        def counted(turns: int) -> None:
            nonlocal done
            done += turns
            report(Progress(done, wanted.turns, None, None, RunTotals()))
            if stop.is_set():
                raise _StoppedError("it was stopped; a run that was judged to its end is kept")

        report(Progress(0, wanted.turns, None, None, RunTotals()))
        try:
            made = await asyncio.to_thread(comparisons.compare, wanted, dataset, counted)
        except _StoppedError as stopped:
            return str(stopped)
        return f"Compared {count(made.comparison.turns, 'turn')}."

    return work


def _scoring(wanted: Wanted, state: RunState, judgements: str, judge: Judge | None) -> Hashable:
    """What a run was scored by: the same run counts otherwise beside one that another judge judged."""
    return (wanted.stamp, state, wanted.view, judgements, judge)


class _Told:
    """Tells of turns as they are counted, some at a time, and of the rest at the end."""

    def __init__(self, counted: Counted, turns: int) -> None:
        self._counted = counted
        self._untold = turns
        self._new = 0

    def one_more(self) -> None:
        self._new += 1
        if self._new == TOLD_AT_ONCE:
            self._tell(self._new)

    def rest(self) -> None:
        self._tell(max(self._untold, 0))

    def _tell(self, turns: int) -> None:
        self._new = 0
        self._untold -= turns
        self._counted(turns)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A run as it was judged in one view."""

    scores: Scores
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two judged runs by turn, of which any part can be compared."""

    paired: Pairing
    traits: TurnTraits
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
