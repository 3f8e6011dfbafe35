"""Many conversations through an analyzer into a run folder: side by side, resumable, stopped cleanly.

Turns of one conversation follow each other, conversations run side by side. A conversation does not wait for its
last record to reach the disk before it goes on; only what has reached it counts as done.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.model.conversation import Conversation
from evals.concurrently import all_of
from evals.labels import TurnLabels
from evals.progress import Progress, Tally
from evals.records import Fork, PickedTurns, StateMode, TurnRecord
from evals.replay import answer_again, replay
from evals.runs.folder import RunFolder, RunWriter
from evals.runs.lines import Place
from evals.runs.spec import canonical

if TYPE_CHECKING:
    from engine.analyzers import Analyzer

DEFAULT_CONCURRENCY = 8

AnalyzerFor = Callable[[Conversation, int], "Analyzer"]  # for one conversation and sample index


@dataclass(frozen=True, slots=True)
class _Job:
    """One conversation, one sample, and where its records of earlier sessions are.

    `picked` is the record of another run whose turn alone is to be answered again.
    """

    conversation: Conversation
    sample: int
    done: tuple[Place, ...]
    picked: TurnRecord | None = None


async def run(
    folder: RunFolder,
    conversations: Sequence[Conversation],
    analyzer_for: AnalyzerFor,
    *,
    labels: Mapping[str, TurnLabels] | None = None,
    start: TurnRecord | None = None,
    picked: Sequence[TurnRecord] | None = None,
    concurrency: int = DEFAULT_CONCURRENCY,
    on_progress: Callable[[Progress], None] | None = None,
    stop: asyncio.Event | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Do what is missing of the run in `folder`, and declare it complete when nothing is.

    `conversations` are those of the run's spec, `labels` by conversation are needed for gold state, `start` is the
    record that a fork starts from, `picked` are the records whose turns are answered again, side by side and each in
    its `before` state. `on_progress` is called on the event loop whenever records have reached the
    disk. Once `stop` is set no new turn begins, and those under way are finished and kept.

    Raises InputError if labels, the fork's start or the picked records are missing, LockedError if another process is
    writing the run, RunDamagedError if its record was altered, OSError if it cannot be written. Cancelling keeps what
    was answered.
    """
    _check(folder, conversations, labels, start)
    _check_picked(folder, picked)
    tally = Tally(folder.manifest.turns_expected, clock)
    if (totals := folder.totals) is not None:
        tally.totals = totals
        return tally.progress()
    session = _Session(folder, analyzer_for, labels, start, picked, stop or asyncio.Event(), tally, on_progress)
    return await session.run(conversations, concurrency)


class _Session:
    """One attempt at finishing a run: from taking its lock to giving it back."""

    def __init__(
        self,
        folder: RunFolder,
        analyzer_for: AnalyzerFor,
        labels: Mapping[str, TurnLabels] | None,
        start: TurnRecord | None,
        picked: Sequence[TurnRecord] | None,
        stop: asyncio.Event,
        tally: Tally,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._folder = folder
        self._analyzer_for = analyzer_for
        self._labels = labels
        self._start = start
        self._picked = picked
        self._stop = stop
        self._tally = tally
        self._on_progress = on_progress
        self._loop = asyncio.get_running_loop()

    async def run(self, conversations: Sequence[Conversation], concurrency: int) -> Progress:
        with self._folder.writing(self._on_disk) as writer:
            jobs = iter(self._jobs(conversations))
            await all_of(self._work(jobs, writer) for _ in range(max(1, concurrency)))
            writer.close()
            await asyncio.sleep(0)  # what the writer acknowledged last is counted now
            if self._tally.progress().complete:
                self._tally.totals = self._tally.totals.model_copy(update={"finished_at": datetime.now(UTC)})
                self._tally.totals = writer.finish(self._tally.totals)
        return self._report()

    def _jobs(self, conversations: Sequence[Conversation]) -> list[_Job]:
        """What is to be done, with what was done before: counted, and kept as places so that memory stays small."""
        done: defaultdict[tuple[str, int], list[Place]] = defaultdict(list)
        answered: set[tuple[str, int, int]] = set()
        for stored in self._folder.stored():
            record = stored.record
            done[record.conversation_id, record.sample].append(stored.place)
            answered.add(record.key)
            self._tally.count_earlier(record)
        if self._picked is not None:
            return _picked_jobs(self._picked, conversations, self._folder.manifest.spec.samples, answered)
        return [
            _Job(conversation, sample, tuple(done[conversation.id, sample]))
            for sample in range(self._folder.manifest.spec.samples)
            for conversation in conversations
        ]

    async def _work(self, jobs: Iterator[_Job], writer: RunWriter) -> None:
        """One of the workers that share `jobs`."""
        for job in jobs:
            if self._stop.is_set():
                return
            await self._replay(job, writer)

    async def _replay(self, job: _Job, writer: RunWriter) -> None:
        analyzer, run_id = self._analyzer_for(job.conversation, job.sample), self._folder.run_id
        if job.picked is not None:
            again = answer_again(job.conversation, job.picked, analyzer, run_id=run_id, sample=job.sample)
            writer.submit(await again)
            return
        records = replay(
            job.conversation,
            analyzer,
            run_id=run_id,
            sample=job.sample,
            labels=None if self._labels is None else self._labels[job.conversation.id],
            done=[self._folder.record_at(place) for place in job.done],
            start=self._start,
        )
        async with aclosing(records):
            async for record in records:
                writer.submit(record)
                if self._stop.is_set():
                    return

    def _on_disk(self, records: Sequence[TurnRecord]) -> None:
        self._loop.call_soon_threadsafe(self._acknowledge, records)

    def _acknowledge(self, records: Sequence[TurnRecord]) -> None:
        self._tally.count(*records)
        self._report()

    def _report(self) -> Progress:
        progress = self._tally.progress()
        if self._on_progress is not None:
            self._on_progress(progress)
        return progress


def _picked_jobs(
    picked: Sequence[TurnRecord],
    conversations: Sequence[Conversation],
    samples: int,
    answered: Collection[tuple[str, int, int]],
) -> list[_Job]:
    """One job for each turn, since nothing is carried from one to the next, but for those answered before."""
    known = {conversation.id: conversation for conversation in conversations}
    return [
        _Job(known[earlier.conversation_id], sample, (), earlier)
        for sample in range(samples)
        for earlier in picked
        if (earlier.conversation_id, earlier.turn, sample) not in answered
    ]


def _check(
    folder: RunFolder,
    conversations: Sequence[Conversation],
    labels: Mapping[str, TurnLabels] | None,
    start: TurnRecord | None,
) -> None:
    spec = folder.manifest.spec
    if {conversation.id for conversation in conversations} != set(spec.conversation_ids):
        raise InputError(f"the conversations are not those that the run {folder.run_id} is about")
    if (spec.state_mode is StateMode.GOLD) != (labels is not None):
        raise InputError("gold state needs labels, and other state modes take none")
    if labels is not None and (missing := [id_ for id_ in spec.conversation_ids if id_ not in labels]):
        raise InputError(f"gold state needs labels, and these conversations have none: {', '.join(missing)}")
    forked = (
        None if start is None else Fork(run_id=start.run_id, conversation_id=start.conversation_id, turn=start.turn)
    )
    if spec.fork != forked or (spec.state_mode is StateMode.FORK) != (forked is not None):
        raise InputError("a fork needs the record that its spec names, and other state modes take none")
    if forked is not None and spec.conversation_ids != (forked.conversation_id,):
        raise InputError("a fork goes on with one conversation, the one that its record is of")


def _check_picked(folder: RunFolder, picked: Sequence[TurnRecord] | None) -> None:
    spec = canonical(folder.manifest.spec)
    named = spec.picked.model_copy(update={"by": None}) if spec.picked else None
    if (spec.state_mode is StateMode.TURNS) != (picked is not None) or picked_turns(picked or ()) != named:
        raise InputError("picked turns need the records that their spec names, and other state modes take none")
    if spec.picked is not None and {id_ for id_, _ in spec.picked.turns} != set(spec.conversation_ids):
        raise InputError("the picked turns are not of the conversations that the run is about")


def picked_turns(records: Sequence[TurnRecord]) -> PickedTurns | None:
    """The turns of these records, as a spec names them; None for no records. They must be of one run.

    Raises InputError if they are of several runs.
    """
    runs = {record.run_id for record in records}
    if len(runs) > 1:
        raise InputError("picked turns must all be of one run")
    turns = tuple(sorted({(record.conversation_id, record.turn) for record in records}))
    return PickedTurns(run_id=runs.pop(), turns=turns) if turns else None
