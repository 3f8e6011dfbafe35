"""From turn records and labels to counts: the only place that goes through the turns of a run. Loads nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise
from operator import or_

import numpy as np

from engine.model.analysis import FallbackReason
from engine.model.conversation import Conversation
from engine.model.qualification import Dimension
from evals.counts import Counts, CountsTable
from evals.errors import unknown
from evals.inference.intervals import estimate
from evals.inference.resampling import RESAMPLES, SEED, Array, resampled_totals
from evals.judgements import Judgement, TurnQuestion, by_question, question_of
from evals.labels import TurnLabels
from evals.metrics import METRICS
from evals.metrics.judged import ANSWERS, Answer, JudgedTurn, View
from evals.metrics.metric import Metric, Positions, Tally
from evals.records import Estimate, Failure, TurnRecord

RecordKey = tuple[str, int, int]  # conversation, turn, sample


@dataclass(frozen=True)
class FallbackNote:
    """One answer that a fallback gave in the place of a model."""

    conversation_id: str
    turn: int
    sample: int
    answer: Answer
    reason: FallbackReason


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

    def only(self, keep: Callable[[RecordKey], bool]) -> Scores:
        """The scores of the records for which `keep` holds, without going through the turns again."""
        kept = np.array([keep(key) for key in self.records], dtype=np.bool_)
        records = tuple(key for key, stays in zip(self.records, kept, strict=True) if stays)
        return replace(
            self,
            records=records,
            counts={name: counts.only(kept) for name, counts in self.counts.items()},
            fallbacks=tuple(note for note in self.fallbacks if keep((note.conversation_id, note.turn, note.sample))),
        )

    def by_conversation(self, tally: Tally) -> Array:
        """Of shape (conversations, parts): the statistics that resampling draws from. Samples are summed."""
        return self.counts[tally.name].sums(self.conversation_of, len(self.conversations))

    def estimates(self, *, resamples: int = RESAMPLES, seed: int = SEED) -> dict[str, Estimate]:
        """Every metric with its interval, by name: a bootstrap of `resamples` over conversations, seeded."""
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
) -> Scores:
    """Count what the records are worth. Turns without a label count for what needs none.

    `judgements` are those of one judge. Raises InputError if they are of several, or if a record is of a conversation
    that is not among `conversations`.
    """
    tallies = tallies_of(metrics)
    tables = {tally.name: CountsTable(tally) for tally in tallies}
    keys: list[RecordKey] = []
    fallbacks: list[FallbackNote] = []
    for turn in judged_turns(records, labels, conversations, view, judgements):
        for tally in tallies:
            if turn.counts(tally.answer) and (counted := tally.observe(turn)) is not None:
                tables[tally.name].add(len(keys), counted)
        keys.append(turn.record.key)
        fallbacks.extend(_fallbacks(turn.record))
    return Scores(
        name=name,
        variant=variant,
        view=view,
        metrics=tuple(metrics),
        records=tuple(keys),
        counts={tally.name: tables[tally.name].counts() for tally in tallies},
        fallbacks=tuple(fallbacks),
    )


def judged_turns(
    records: Iterable[TurnRecord],
    labels: Mapping[str, TurnLabels],
    conversations: Iterable[Conversation],
    view: View = View.MODEL,
    judgements: Iterable[Judgement] = (),
) -> Iterator[JudgedTurn]:
    """The records beside their labels and judgements, in order of conversation, sample and turn."""
    by_judge = by_question(judgements)
    known = {conversation.id: conversation for conversation in conversations}
    replays: defaultdict[tuple[str, int], list[TurnRecord]] = defaultdict(list)
    for record in records:
        replays[record.conversation_id, record.sample].append(record)
    for (id_, _), replay in sorted(replays.items()):
        if id_ not in known:
            raise unknown("conversation", id_, known)
        turns = sorted(replay, key=lambda record: record.turn)
        yield from _judged(turns, labels.get(id_, {}), known[id_], view, by_judge)


def _judged(
    replay: Sequence[TurnRecord],
    labels: TurnLabels,
    conversation: Conversation,
    view: View,
    judgements: Mapping[TurnQuestion, Sequence[Judgement]],
) -> Iterator[JudgedTurn]:
    """The turns of one conversation, answered once."""
    earlier: list[JudgedTurn] = []
    said = _said(labels)
    for record in replay:
        question = question_of(record) if judgements else None
        turn = JudgedTurn(
            record=record,
            conversation=conversation,
            label=labels.get(record.turn),
            said=said.get(record.turn, frozenset()),
            earlier=tuple(earlier),
            view=view,
            judgements=judgements.get(question, ()) if question else (),
        )
        yield turn
        if not isinstance(record.result, Failure):
            earlier.append(turn)


def _said(labels: TurnLabels) -> dict[int, frozenset[Dimension]]:
    """The dimensions that were talked about up to each labelled turn, that turn included."""
    turns = sorted(labels)
    new = (frozenset(item.dimension for item in labels[turn].dimensions) for turn in turns)
    return dict(zip(turns, accumulate(new, or_), strict=True))


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
    metrics: Sequence[Metric], sides: Sequence[Mapping[str, Array]], *, resamples: int, seed: int
) -> tuple[dict[str, Array], ...]:
    """Every metric in each resample, side by side: all sides and metrics are of the same conversations drawn.

    A side holds, by tally, statistics of shape (conversations, parts); the conversations are those of all sides.
    """
    tables = [side[tally.name] for side in sides for tally in tallies_of(metrics)]
    starts = np.cumsum([0, *(table.shape[1] for table in tables)]).tolist()
    places = [(number, tally.name) for number in range(len(sides)) for tally in tallies_of(metrics)]
    columns = {place: slice(*bounds) for place, bounds in zip(places, pairwise(starts), strict=True)}
    drawn = tuple({metric.name: np.empty(resamples) for metric in metrics} for _ in sides)
    done = 0
    for totals in resampled_totals(np.hstack(tables), resamples=resamples, seed=seed):
        for number, values in enumerate(drawn):
            for metric in metrics:
                found = metric.of_totals(totals[:, columns[number, metric.tally.name]])
                values[metric.name][done : done + len(totals)] = found
        done += len(totals)
    return drawn
