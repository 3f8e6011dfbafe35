"""How well each single turn was answered, by metrics that are shares: 1 is as good as it gets, 0 as bad."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.model.conversation import Conversation
from evals.gold import LabelAnalyzer
from evals.labels import TurnLabels
from evals.metrics.metric import Metric, Positions
from evals.records import TurnRecord
from evals.scoring import Scores, TurnKey


@dataclass(frozen=True, slots=True)
class TurnScore:
    """One turn by each metric, counted upwards for better. None: it could not be judged (no label, or a fallback).

    Where a metric has nothing to count, it is a 1 if the right answer gives it nothing either (nothing was to be found,
    and nothing was), else a 0: saying nothing must not pay.
    """

    by_metric: Mapping[str, float | None]

    @property
    def value(self) -> float | None:
        """The mean over the metrics that could be judged; None if none could."""
        known = [value for value in self.by_metric.values() if value is not None]
        return sum(known) / len(known) if known else None


def turn_scores(scores: Scores, metrics: Sequence[Metric], right: Scores | None = None) -> dict[TurnKey, TurnScore]:
    """Every turn of a run by these metrics, each of the turn alone; several samples of a turn are counted together.

    `right` are the scores of the `right_answers`; a turn that it lacks is taken for one with nothing to count. Raises
    InputError for a metric that is no share: a sum or a time says nothing about how good a turn is.
    """
    check_shares(metrics)
    turns = tuple(dict.fromkeys((id_, turn) for id_, turn, _ in scores.records))
    number = {turn: position for position, turn in enumerate(turns)}
    turn_of = np.array([number[id_, turn] for id_, turn, _ in scores.records], dtype=np.int64)
    expected = _defined(right, metrics) if right else {}
    columns = {
        metric.name: _column(scores, metric, turn_of, [turn in expected.get(metric.name, ()) for turn in turns])
        for metric in metrics
    }
    return {
        turn: TurnScore({name: values[position] for name, values in columns.items()})
        for position, turn in enumerate(turns)
    }


def check_shares(metrics: Iterable[Metric]) -> None:
    """Raises InputError for the first metric that is no share."""
    for metric in metrics:
        if metric.unit != "share":
            raise InputError(f"{metric.name} is no share from 0 to 1, so that a single turn cannot be scored by it")


def mean_scores(turns: Iterable[TurnScore], metrics: Sequence[Metric]) -> dict[str, float]:
    """The mean of each metric over turns; a turn that could not be judged counts as 0."""
    found = list(turns)
    return {
        metric.name: sum(turn.by_metric[metric.name] or 0.0 for turn in found) / max(1, len(found))
        for metric in metrics
    }


def right_answers(
    records: Iterable[TurnRecord], conversations: Iterable[Conversation], labels: Mapping[str, TurnLabels]
) -> list[TurnRecord]:
    """The same turns in the same states, answered by their labels; only of conversations labelled from end to end."""
    known = {
        own.id: (own, LabelAnalyzer(own, labels[own.id]))
        for own in conversations
        if all(turn.index in labels.get(own.id, {}) for turn in own.customer_turns)
    }
    found = []
    for record in records:
        if record.conversation_id in known:
            conversation, gold = known[record.conversation_id]
            turn = conversation.turns[record.turn]
            answer = {"result": gold.answer(record.before, turn), "after": gold.fold(record.before, turn)}
            found.append(record.model_copy(update=answer))
    return found


def _defined(right: Scores, metrics: Sequence[Metric]) -> dict[str, set[TurnKey]]:
    """The turns on which each metric has anything to count."""
    keys = [(id_, turn) for id_, turn, _ in right.records]
    one_each = np.arange(len(keys), dtype=np.int64)
    values = {own.name: own.of_totals(right.counts[own.tally.name].sums(one_each, len(keys))) for own in metrics}
    return {name: {keys[place] for place in np.flatnonzero(~np.isnan(found))} for name, found in values.items()}


def _column(scores: Scores, metric: Metric, turn_of: Positions, expected: Sequence[bool]) -> list[float | None]:
    counts = scores.counts[metric.tally.name]
    judged = np.zeros(len(expected), dtype=np.bool_)
    judged[turn_of[counts.judged]] = True
    values = metric.of_totals(counts.sums(turn_of, len(expected)))
    upwards = values if metric.direction == "higher" else 1.0 - values
    filled = np.where(np.isnan(upwards), np.where(np.array(expected, dtype=np.bool_), 0.0, 1.0), upwards)
    return [float(value) if is_judged else None for value, is_judged in zip(filled, judged, strict=True)]
