"""Two runs turn by turn: what both answered, and what each counted there. Several samples of a turn are averaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evals.inference.resampling import Array
from evals.metrics.metric import Metric, Positions, Tally
from evals.scoring import Scores

TurnKey = tuple[str, int]  # conversation, turn

_CHUNK = 20_000  # turns that are looked at together
_ROUNDING = 1e-12  # of sums over samples


@dataclass(frozen=True, eq=False)
class Side:
    """One of two runs: its scores, and the number of the turn that each of its records is about."""

    scores: Scores
    turn_of: Positions


@dataclass(frozen=True, eq=False)
class Pairing:
    """Two runs over the same conversations. Turns and conversations are numbered over both."""

    turns: tuple[TurnKey, ...]
    conversations: tuple[str, ...]
    conversation_of: Positions  # of each turn
    first: Side
    second: Side

    @cached_property
    def rank_of(self) -> Positions:
        """The place of each turn in order of conversation and turn."""
        order = np.array(sorted(range(len(self.turns)), key=self.turns.__getitem__), dtype=np.int64)
        return np.argsort(order, kind="stable")

    def of(self, tally: Tally) -> PairedTally:
        """What both counted on the turns that could be judged in both."""
        first, second = (self._samples(side, tally) > 0 for side in (self.first, self.second))
        common = np.flatnonzero(first & second)
        conversation_of = np.where(first & second, self.conversation_of, -1)
        return PairedTally(
            paired=self,
            tally=tally,
            turns=common,
            left_out=(int(np.count_nonzero(first & ~second)), int(np.count_nonzero(second & ~first))),
            first=self.sums(self.first, tally, conversation_of, len(self.conversations)),
            second=self.sums(self.second, tally, conversation_of, len(self.conversations)),
        )

    def sums(self, side: Side, tally: Tally, group_of: Positions, groups: int) -> Array:
        """Totals of shape (groups, parts), each turn counted once; `group_of` maps turns to groups, -1 to none."""
        return side.scores.counts[tally.name].sums(group_of[side.turn_of], groups, self._weight_of(side, tally))

    def entries(self, side: Side, tally: Tally) -> tuple[Positions, Positions, Array]:
        """Turn, part and amount of everything that one side counted, each turn counted once."""
        counts = side.scores.counts[tally.name]
        amount = counts.amount * self._weight_of(side, tally)[counts.record]
        return side.turn_of[counts.record], counts.part.astype(np.int64), amount

    def _weight_of(self, side: Side, tally: Tally) -> Array:
        """What each record counts, so that the samples of a turn are averaged."""
        return 1 / np.maximum(self._samples(side, tally), 1)[side.turn_of]

    def _samples(self, side: Side, tally: Tally) -> Positions:
        """How often each turn could be judged on this side."""
        return np.bincount(side.turn_of[side.scores.counts[tally.name].judged], minlength=len(self.turns))


@dataclass(frozen=True, eq=False)
class PairedTally:
    """One tally of two runs: the `turns` that could be judged in both, and the counts there by conversation.

    `left_out` counts the turns that could be judged in the first run only, and in the second only.
    """

    paired: Pairing
    tally: Tally
    turns: Positions
    left_out: tuple[int, int]
    first: Array
    second: Array

    @cached_property
    def _differing(self) -> tuple[Positions, Positions]:
        """Turn and part of every count that is not the same in both runs."""
        width, judged = len(self.tally.parts), np.zeros(len(self.paired.turns), dtype=np.bool_)
        judged[self.turns] = True
        one, other = (self.paired.entries(side, self.tally) for side in (self.paired.first, self.paired.second))
        turn, part, amount = (np.concatenate(own) for own in zip(one, (*other[:2], -other[2]), strict=True))
        common = judged[turn]
        cells = turn[common] * width + part[common]
        apart = np.flatnonzero(np.abs(np.bincount(cells, amount[common])) > _ROUNDING)
        return apart // width, apart % width

    def differing(self, metric: Metric) -> Positions:
        """The turns that were counted differently in what the metric reads."""
        turn, part = self._differing
        is_read = np.zeros(len(self.tally.parts), dtype=np.bool_)
        is_read[metric.reads] = True
        found = np.zeros(len(self.paired.turns), dtype=np.bool_)
        found[turn[is_read[part]]] = True
        return np.flatnonzero(found)

    def changed(self, metric: Metric) -> Iterator[tuple[Positions, Array, Array]]:
        """Those turns with both sides' counts there, of shape (turns, parts), chunk by chunk."""
        for turns in self._chunks(self.differing(metric)):
            yield turns, *self._by_turn(turns)

    def conversations(self, metric: Metric) -> int:
        """How many conversations have anything, in either run, that the metric reads."""
        read = [side[:, metric.reads].any(axis=1) for side in (self.first, self.second)]
        return int(np.count_nonzero(read[0] | read[1]))

    def with_data(self, metric: Metric) -> tuple[int, int]:
        """On how many of the turns the first run, and the second, has anything that the metric reads."""
        first, second = (self._with_data(side, metric) for side in (self.paired.first, self.paired.second))
        return first, second

    def _with_data(self, side: Side, metric: Metric) -> int:
        found = np.zeros(len(self.paired.turns), dtype=np.bool_)
        found[side.turn_of[side.scores.counts[self.tally.name].with_data(metric)]] = True
        return int(np.count_nonzero(found[self.turns]))

    def _by_turn(self, turns: Positions) -> tuple[Array, Array]:
        group_of = np.full(len(self.paired.turns), -1, dtype=np.int64)
        group_of[turns] = np.arange(len(turns))
        first, second = (
            self.paired.sums(side, self.tally, group_of, len(turns)) for side in (self.paired.first, self.paired.second)
        )
        return first, second

    def _chunks(self, turns: Positions) -> Iterator[Positions]:
        return (turns[start : start + _CHUNK] for start in range(0, len(turns), _CHUNK))


def pair(first: Scores, second: Scores) -> Pairing:
    """Both runs by turn, in the order in which the turns first come up."""
    turns = tuple(dict.fromkeys((id_, turn) for side in (first, second) for id_, turn, _ in side.records))
    number = {key: position for position, key in enumerate(turns)}
    conversations = tuple(dict.fromkeys(id_ for id_, _ in turns))
    place = {id_: position for position, id_ in enumerate(conversations)}

    def side(scores: Scores) -> Side:
        return Side(scores, np.array([number[id_, turn] for id_, turn, _ in scores.records], dtype=np.int64))

    return Pairing(
        turns=turns,
        conversations=conversations,
        conversation_of=np.array([place[id_] for id_, _ in turns], dtype=np.int64),
        first=side(first),
        second=side(second),
    )
