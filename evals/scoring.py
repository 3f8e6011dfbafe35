"""From turn records and labels to counts: the only place that goes through the turns of a run. Loads nothing."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress, pairwise
from sys import intern

import numpy as np
from numpy.typing import NDArray

from engine.model.analysis import FallbackReason
from engine.model.conversation import Conversation
from evals.counts import Counts, CountsTable, Places
from evals.inference.intervals import estimate
from evals.inference.resampling import SEED, Array, clustered, enough, resampled_totals
from evals.judged_turns import judged_turns
from evals.judgements import Judgement
from evals.labels import TurnLabels
from evals.metrics import METRICS
from evals.metrics.judged import ANSWERS, Answer, View
from evals.metrics.metric import Metric, Positions, Tally
from evals.records import Estimate, Failure, TurnRecord

RecordKey = tuple[str, int, int]  # conversation, turn, sample
TurnKey = tuple[str, int]  # conversation, turn


@dataclass(frozen=True)
class FallbackNote:
    """One answer that a fallback gave in the place of a model."""

    conversation_id: str
    turn: int
    sample: int
    answer: Answer
    reason: FallbackReason

    @property
    def key(self) -> RecordKey:
        """The record that it is in."""
        return self.conversation_id, self.turn, self.sample


@dataclass(frozen=True, eq=False)
class Scores:
    """What one run is worth in one view: counts of each tally by record, and the metrics over them.

    `variant` says what answered; runs with equal ones are repeats of each other. `records` are in order of
    conversation, sample and turn.
    """

    name: str
    variant: str
    view: View
    metrics: tuple[Metric, ...]
    records: tuple[RecordKey, ...]
    counts: Mapping[str, Counts]
    fallbacks: tuple[FallbackNote, ...] = ()

    @cached_property
    def conversations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(conversation for conversation, _, _ in self.records))

    @cached_property
    def conversation_of(self) -> Positions:
        """The number of each record's conversation."""
        number = {id_: position for position, id_ in enumerate(self.conversations)}
        return np.array([number[conversation] for conversation, _, _ in self.records], dtype=np.int64)

    @cached_property
    def replays(self) -> tuple[tuple[int, int], ...]:
        """Conversation number and sample of each replay: a conversation answered once."""
        pairs = zip(self.conversation_of.tolist(), (sample for _, _, sample in self.records), strict=True)
        return tuple(dict.fromkeys(pairs))

    @cached_property
    def replay_of(self) -> Positions:
        """The number of each record's replay."""
        number = {replay: position for position, replay in enumerate(self.replays)}
        samples = (sample for _, _, sample in self.records)
        pairs = zip(self.conversation_of.tolist(), samples, strict=True)
        return np.array([number[pair] for pair in pairs], dtype=np.int64)

    def only(self, kept: NDArray[np.bool_]) -> Scores:
        """The scores of the records that are `kept`, of shape (records), without going through the turns again."""
        records = tuple(compress(self.records, kept))
        number_of = np.where(kept, np.cumsum(kept, dtype=np.int32) - 1, -1).astype(np.int32)
        own = set(records) if self.fallbacks else frozenset()
        return replace(
            self,
            records=records,
            counts=_CountsOfSome(self.counts, number_of),
            fallbacks=tuple(note for note in self.fallbacks if note.key in own),
        )

    def of_turns(self, turns: Container[TurnKey]) -> Scores:
        """The scores of these turns, all samples of them."""
        return self.only(np.fromiter((key[:2] in turns for key in self.records), np.bool_, len(self.records)))

    def by_conversation(self, tally: Tally) -> Array:
        """Of shape (conversations, parts): the statistics that resampling draws from. Samples are summed."""
        return self.counts[tally.name].sums(self.conversation_of, len(self.conversations))

    def estimates(self, *, resamples: int | None = None, seed: int = SEED) -> dict[str, Estimate]:
        """Every metric with its interval, by name: a bootstrap of `resamples` (None: `enough`), seeded."""
        if not self.records:
            return {metric.name: Estimate(value=None, n=0) for metric in self.metrics}
        tallies = tallies_of(self.metrics)
        statistics = {tally.name: self.by_conversation(tally) for tally in tallies}
        (draws,) = draw(self.metrics, [statistics], resamples=resamples, seed=seed)
        return {metric.name: self._estimate(metric, statistics[metric.tally.name], draws) for metric in self.metrics}

    def _estimate(self, metric: Metric, statistics: Array, draws: Mapping[str, Array]) -> Estimate:
        return estimate(
            float(metric.of_totals(statistics.sum(axis=0))),
            draws[metric.name],
            n=len(self.counts[metric.tally.name].with_data(metric)),
            conversations=conversations_with_data(statistics, metric),
            bounds=metric.bounds,
            is_share=metric.unit == "share",
        )


class _CountsOfSome(Mapping[str, Counts]):
    """The counts of some records, each tally's taken from the `whole` when it is first asked for.

    `number_of` is each record's position among them, -1 if it is not one of them.
    """

    def __init__(self, whole: Mapping[str, Counts], number_of: Places) -> None:
        self._whole = whole
        self._number_of = number_of
        self._taken: dict[str, Counts] = {}

    def __getitem__(self, name: str) -> Counts:
        if name not in self._taken:
            self._taken[name] = self._whole[name].only(self._number_of)
        return self._taken[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)


def score(
    records: Iterable[TurnRecord],
    labels: Mapping[str, TurnLabels],
    conversations: Iterable[Conversation],
    metrics: Sequence[Metric] = METRICS,
    view: View = View.MODEL,
    *,
    name: str = "",
    variant: str = "",
    judgements: Iterable[Judgement] = (),
    before: Iterable[TurnRecord] | None = None,
) -> Scores:
    """Count what the records are worth. Turns without a label count for what needs none.

    `before` holds the records of the run that single turns were picked from: what they were answered after.
    `judgements` are those of one judge. Raises InputError if they are of several, or if a record is of a conversation
    that is not among `conversations`.
    """
    tallies = tallies_of(metrics)
    tables = {tally.name: CountsTable(tally) for tally in tallies}
    observed = {
        answer: [(own.observe, tables[own.name]) for own in tallies if own.answer == answer]
        for answer in {tally.answer for tally in tallies}
    }
    keys: list[RecordKey] = []
    fallbacks: list[FallbackNote] = []
    for turn in judged_turns(records, labels, conversations, view, judgements, before):
        for observe, table in (own for answer, counting in observed.items() if turn.counts(answer) for own in counting):
            if (counted := observe(turn)) is not None:
                table.add(len(keys), counted)
        keys.append(_key(turn.record))
        fallbacks.extend(_fallbacks(turn.record))
    order = sorted(range(len(keys)), key=lambda position: _place(keys[position]))
    place_of = np.argsort(np.array(order, dtype=np.int64), kind="stable")
    return Scores(
        name=name,
        variant=variant,
        view=view,
        metrics=tuple(metrics),
        records=tuple(keys[position] for position in order),
        counts={tally.name: tables[tally.name].counts(place_of) for tally in tallies},
        fallbacks=tuple(sorted(fallbacks, key=lambda note: (note.conversation_id, note.sample, note.turn))),
    )


def _key(record: TurnRecord) -> RecordKey:
    """Its key; the id of a conversation is one text for all its records."""
    return intern(record.conversation_id), record.turn, record.sample


def _place(key: RecordKey) -> tuple[str, int, int]:
    conversation, turn, sample = key
    return conversation, sample, turn


def _fallbacks(record: TurnRecord) -> Iterator[FallbackNote]:
    if isinstance(record.result, Failure):
        return
    for answer in ANSWERS:
        if (reason := record.result.sources[answer].fallback_reason) is not None:
            yield FallbackNote(record.conversation_id, record.turn, record.sample, answer, reason)


def tallies_of(metrics: Iterable[Metric]) -> tuple[Tally, ...]:
    """The tallies that the metrics are of, each once."""
    return tuple({metric.tally.name: metric.tally for metric in metrics}.values())


def conversations_with_data(statistics: Array, metric: Metric) -> int:
    """How many rows have any part that the metric reads."""
    return int(statistics[:, metric.reads].any(axis=1).sum())


def draw(
    metrics: Sequence[Metric], sides: Sequence[Mapping[str, Array]], *, resamples: int | None = None, seed: int
) -> tuple[dict[str, Array], ...]:
    """Every metric in each resample, side by side: all sides and metrics are of the same conversations drawn.

    A side holds, by tally, statistics of shape (conversations, parts); the conversations are those of all sides.
    """
    tables = [clustered(side[tally.name], seed) for side in sides for tally in tallies_of(metrics)]
    starts = np.cumsum([0, *(table.shape[1] for table in tables)]).tolist()
    places = [(number, tally.name) for number in range(len(sides)) for tally in tallies_of(metrics)]
    columns = {place: slice(*bounds) for place, bounds in zip(places, pairwise(starts), strict=True)}
    statistics = np.hstack(tables)
    resamples = resamples or enough(len(statistics))
    drawn = tuple({metric.name: np.full(resamples, np.nan) for metric in metrics} for _ in sides)
    counted = [[metric for metric in metrics if side[metric.tally.name][:, metric.reads].any()] for side in sides]
    done = 0
    for totals in resampled_totals(statistics, resamples=resamples, seed=seed):
        for number, values in enumerate(drawn):
            for metric in counted[number]:  # the others have no data, and are NaN
                found = metric.of_totals(totals[:, columns[number, metric.tally.name]])
                values[metric.name][done : done + len(totals)] = found
        done += len(totals)
    return drawn
