"""Two runs turn by turn: what both answered, and what each counted there. Several samples of a turn are averaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from evals.counts import PresentParts
from evals.inference.resampling import CLUSTERS, SEED, Array, cluster_of
from evals.metrics.metric import Metric, Positions, Tally
from evals.scoring import Scores, TurnKey

Kept = NDArray[np.bool_]

_CHUNK = 20_000  # turns that are looked at together
_ROUNDING = 1e-12  # of sums over samples


@dataclass(frozen=True, eq=False)
class Side:
    """One of two runs: its scores, and the number of the turn that each of its records is about."""

    scores: Scores
    turn_of: Positions

    @cached_property
    def is_repeated(self) -> bool:
        """Whether any turn was asked several times."""
        return bool((np.bincount(self.turn_of) > 1).any())

    def has_turn(self, turns: int) -> Kept:
        """Of each of so many turns, whether it is in this run."""
        found: Kept = np.bincount(self.turn_of, minlength=turns) > 0
        return found


@dataclass(frozen=True, eq=False)
class Pairing:
    """Two runs over the same conversations. Turns and conversations are numbered over both.

    What both counted is reckoned once for each tally and kept; a part takes what it can from the `whole`.
    """

    turns: tuple[TurnKey, ...]
    conversations: tuple[str, ...]
    conversation_of: Positions  # of each turn
    first: Side
    second: Side
    whole: _Whole | None = None
    _tallies: dict[str, PairedTally] = field(default_factory=dict)

    @cached_property
    def rank_of(self) -> Positions:
        """Of each turn a number by which they are in order of conversation and turn."""
        if self.whole is not None:
            return self.whole.paired.rank_of[self.whole.turns]
        order = np.array(sorted(range(len(self.conversations)), key=self.conversations.__getitem__), dtype=np.int64)
        conversation = np.argsort(order, kind="stable")[self.conversation_of]
        number = np.fromiter((turn for _, turn in self.turns), np.int64, len(self.turns))
        return np.argsort(np.lexsort((number, conversation)), kind="stable")

    @property
    def common(self) -> Kept:
        """Which turns are in both runs."""
        return self.first.has_turn(len(self.turns)) & self.second.has_turn(len(self.turns))

    def only(self, kept: Kept) -> Pairing:
        """The same of the turns that are `kept`, of shape (turns)."""
        number = np.cumsum(kept) - 1
        places, conversation_of = np.unique(self.conversation_of[kept], return_inverse=True)
        first, second = (
            Side(side.scores.only(kept[side.turn_of]), number[side.turn_of[kept[side.turn_of]]])
            for side in (self.first, self.second)
        )
        return Pairing(
            turns=tuple(compress(self.turns, kept)),
            conversations=tuple(map(self.conversations.__getitem__, places.tolist())),
            conversation_of=conversation_of,
            first=first,
            second=second,
            whole=_Whole(self, np.flatnonzero(kept), places),
        )

    def of(self, tally: Tally) -> PairedTally:
        """What both counted on the turns that could be judged in both."""
        if tally.name not in self._tallies:
            self._tallies[tally.name] = _counted(self, tally) if self.whole is None else self.whole.part(self, tally)
        return self._tallies[tally.name]

    def sums(self, tally: Tally, group_of: Positions, groups: int) -> tuple[Array, Array]:
        """Totals of both runs, of shape (groups, parts), each turn counted once; `group_of` maps turns to groups, -1 to
        none.
        """
        if self.whole is not None:
            return self.whole.sums(tally, group_of, groups)
        first, second = (
            side.scores.counts[tally.name].sums(group_of[side.turn_of], groups, self._weight_of(side, tally))
            for side in (self.first, self.second)
        )
        return first, second

    def entries(self, side: Side, tally: Tally) -> tuple[Positions, Positions, Array]:
        """Turn, part and amount of everything that one side counted, each turn counted once."""
        counts = side.scores.counts[tally.name]
        weight_of = self._weight_of(side, tally)
        amount = counts.amount if weight_of is None else counts.amount * weight_of[counts.record]
        return side.turn_of[counts.record], counts.part.astype(np.int64), amount

    def samples(self, side: Side, tally: Tally) -> Positions:
        """How often each turn could be judged on this side."""
        return np.bincount(side.turn_of[side.scores.counts[tally.name].judged], minlength=len(self.turns))

    def _weight_of(self, side: Side, tally: Tally) -> Array | None:
        """What each record counts, so that the samples of a turn are averaged; None where there are no such samples."""
        return 1 / np.maximum(self.samples(side, tally), 1)[side.turn_of] if side.is_repeated else None


@dataclass(frozen=True, eq=False)
class PairedTally:
    """One tally of two runs over the turns that could be judged in both. Pairs are of the first and the second run.

    `judged` says of each turn whether it could be judged, `present` which parts were counted in it, and `apart` which
    were not counted the same.
    """

    paired: Pairing
    tally: Tally
    judged: tuple[Kept, Kept]
    present: tuple[PresentParts, PresentParts]
    apart: PresentParts
    _clusters: dict[int, tuple[Array, Array]] = field(default_factory=dict)  # by seed

    @cached_property
    def both(self) -> Kept:
        """Which turns could be judged in both runs."""
        return self.judged[0] & self.judged[1]

    @property
    def left_out(self) -> tuple[int, int]:
        """How many turns could be judged in the first run only, and in the second only."""
        first, second = self.judged
        return int(np.count_nonzero(first & ~second)), int(np.count_nonzero(second & ~first))

    @cached_property
    def by_conversation(self) -> tuple[Array, Array]:
        """What was counted, of shape (conversations, parts)."""
        return self.paired.sums(self.tally, self._conversation_of, len(self.paired.conversations))

    def clusters(self, seed: int) -> tuple[Array, Array]:
        """What was counted in what is resampled: conversations, or groups of them; of shape (clusters, parts)."""
        conversations = len(self.paired.conversations)
        if conversations <= CLUSTERS:
            return self.by_conversation
        if seed not in self._clusters:
            cluster = np.append(cluster_of(conversations, seed), -1)  # the last for what is in no conversation
            self._clusters[seed] = self.paired.sums(self.tally, cluster[self._conversation_of], CLUSTERS)
        return self._clusters[seed]

    @cached_property
    def totals(self) -> tuple[Array, Array]:
        """Of both runs, of shape (parts)."""
        first, second = (side.sum(axis=0) for side in self.clusters(SEED))
        return first, second

    def differing(self, metric: Metric) -> Positions:
        """The turns that were counted differently in what the metric reads."""
        return np.flatnonzero(self.apart.any_of(metric.reads))

    def changed(self, metric: Metric) -> Iterator[tuple[Positions, Array, Array]]:
        """Those turns with both sides' counts there, of shape (turns, parts), chunk by chunk."""
        differing = self.differing(metric)
        for start in range(0, len(differing), _CHUNK):
            turns = differing[start : start + _CHUNK]
            group_of = np.full(len(self.paired.turns), -1, dtype=np.int64)
            group_of[turns] = np.arange(len(turns))
            yield turns, *self.paired.sums(self.tally, group_of, len(turns))

    def conversations_with_data(self, metric: Metric) -> tuple[int, int, int]:
        """In how many conversations the first run, the second, and either of them has anything that it reads."""
        first, second = (side.any_of(metric.reads) for side in self._in_conversations)
        return int(np.count_nonzero(first)), int(np.count_nonzero(second)), int(np.count_nonzero(first | second))

    def with_data(self, metric: Metric) -> tuple[int, int]:
        """On how many of the turns the first run, and the second, has anything that the metric reads."""
        first, second = (int(np.count_nonzero(side.any_of(metric.reads) & self.both)) for side in self.present)
        return first, second

    @cached_property
    def _conversation_of(self) -> Positions:
        """Of each turn that could be judged in both runs; -1 for others."""
        return np.where(self.both, self.paired.conversation_of, -1)

    @cached_property
    def _in_conversations(self) -> tuple[PresentParts, PresentParts]:
        whole, conversations = self.paired.whole, len(self.paired.conversations)
        if whole is not None and whole.has_all_of_its_conversations:
            first, second = whole.paired.of(self.tally)._in_conversations
            return first.of_rows(whole.conversations), second.of_rows(whole.conversations)
        first, second = (side.in_groups(self._conversation_of, conversations) for side in self.present)
        return first, second


@dataclass(frozen=True, eq=False)
class _Whole:
    """What a part is of, and which `turns` and `conversations` of it are in the part."""

    paired: Pairing
    turns: Positions
    conversations: Positions

    @cached_property
    def has_all_of_its_conversations(self) -> bool:
        """Whether the part leaves no turn of its conversations out."""
        return bool(np.isin(self.paired.conversation_of, self.conversations).sum() == len(self.turns))

    def sums(self, tally: Tally, group_of: Positions, groups: int) -> tuple[Array, Array]:
        """Those of the part, whose turns `group_of` maps to groups."""
        among_all = np.full(len(self.paired.turns), -1, dtype=np.int64)
        among_all[self.turns] = group_of
        return self.paired.sums(tally, among_all, groups)

    def part(self, part: Pairing, tally: Tally) -> PairedTally:
        own = self.paired.of(tally)
        judged = (own.judged[0][self.turns], own.judged[1][self.turns])
        present = (own.present[0].of_rows(self.turns), own.present[1].of_rows(self.turns))
        return PairedTally(part, tally, judged, present, own.apart.of_rows(self.turns))


def _counted(paired: Pairing, tally: Tally) -> PairedTally:
    judged = (paired.samples(paired.first, tally) > 0, paired.samples(paired.second, tally) > 0)
    present = (_present(paired, paired.first, tally), _present(paired, paired.second, tally))
    return PairedTally(paired, tally, judged, present, _apart(paired, tally, judged[0] & judged[1]))


def _present(paired: Pairing, side: Side, tally: Tally) -> PresentParts:
    counts = side.scores.counts[tally.name]
    return PresentParts.of(side.turn_of[counts.record], counts.part, len(paired.turns), len(tally.parts))


def _apart(paired: Pairing, tally: Tally, both: Kept) -> PresentParts:
    """The parts that were not counted the same where both runs could be judged, by turn."""
    width = len(tally.parts)
    one, other = (paired.entries(side, tally) for side in (paired.first, paired.second))
    turn, part, amount = (np.concatenate(own) for own in zip(one, (*other[:2], -other[2]), strict=True))
    common = both[turn]
    cells = turn[common] * width + part[common]
    apart = np.flatnonzero(np.abs(np.bincount(cells, amount[common])) > _ROUNDING)
    return PresentParts.of(apart // width, apart % width, len(paired.turns), width)


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
