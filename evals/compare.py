"""Is B better than A, by how much, where, and could it be luck? Paired by turn, resampled by conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.errors import InputError
from evals.inference.intervals import Spread, estimate, interval, p_value, spread
from evals.inference.multiplicity import benjamini_hochberg, holm
from evals.inference.power import smallest_detectable
from evals.inference.resampling import FLIPS, SEED, Array, enough
from evals.inference.significance import FEW_CONVERSATIONS, mcnemar_p, sign_flip_p
from evals.inference.verdict import Verdict, judge
from evals.metrics.judged import View
from evals.metrics.metric import Metric
from evals.pairing import PairedTally, Pairing, pair
from evals.records import Estimate
from evals.scoring import Scores, draw, tallies_of
from evals.turn_changes import TurnChanges

# With fewer, not even a difference in every conversation could come out at 5 % by sign flips: 2 / 2^6 = 0.03.
TELLING_CONVERSATIONS = 6


@dataclass(frozen=True)
class Row:
    """One metric of two runs, over the turns that both answered.

    `difference` is second less first in the metric's unit; its `n` counts the conversations that it rests on. `test`
    names where `p` comes from; `holm` decides, `benjamini_hochberg` is shown beside it; both are over the metrics of
    the same kind (details among themselves). `detectable` is the smallest true difference that would probably be found.
    """

    metric: Metric
    first: Estimate
    second: Estimate
    difference: Estimate
    test: str | None
    p: float | None
    holm: float | None
    benjamini_hochberg: float | None
    detectable: float | None
    margin: float
    verdict: Verdict
    reason: str
    turns: int
    left_out: tuple[int, int]
    turns_differing: int

    @property
    def gain(self) -> float | None:
        """The difference counted upwards for better."""
        return None if self.difference.value is None else self.metric.gain(self.difference.value)


@dataclass(frozen=True)
class Comparison:
    """`second` against `first`. `turns` counts the turns in both runs, `left_out` those in one of them only.

    `together` is how many comparisons the p-values are adjusted for: itself, and those that it was judged with.
    """

    first: str
    second: str
    view: View
    same_variant: bool
    rows: tuple[Row, ...]
    turns: int
    left_out: tuple[int, int]
    conversations: int
    resamples: int
    seed: int
    together: int = 1

    def row(self, name: str) -> Row:
        """The row of the metric of that name. Raises InputError if it was not compared."""
        for row in self.rows:
            if row.metric.name == name:
                return row
        compared = ", ".join(row.metric.name for row in self.rows)
        raise InputError(f"{name!r} was not compared; compared were: {compared}")


def compare(first: Scores, second: Scores, *, resamples: int | None = None, seed: int = SEED) -> Comparison:
    """Every metric of both runs, with difference, interval, p-values and verdict: is `second` better?

    Clustered paired bootstrap of `resamples` over conversations, seeded. Raises InputError if the runs have no turn in
    common, are of different views, or were scored by different metrics.
    """
    return compare_paired(pair_alike(first, second), resamples=resamples, seed=seed)


def compare_paired(
    paired: Pairing, metrics: Sequence[Metric] | None = None, *, resamples: int | None = None, seed: int = SEED
) -> Comparison:
    """The same for two runs that were paired before, by some of their metrics (None: all)."""
    first, second = paired.first.scores, paired.second.scores
    metrics = first.metrics if metrics is None else metrics
    tallies = {tally.name: paired.of(tally) for tally in tallies_of(metrics)}
    clusters = {name: own.clusters(seed) for name, own in tallies.items()}
    sides = [{name: own[side] for name, own in clusters.items()} for side in (0, 1)]
    drawn = draw(metrics, sides, resamples=resamples, seed=seed)
    evidence = [_Evidence(metric, tallies[metric.tally.name], *(d[metric.name] for d in drawn)) for metric in metrics]
    rows = [_row(item, resamples or FLIPS, seed) for item in evidence]
    mine, other = (side.has_turn(len(paired.turns)) for side in (paired.first, paired.second))
    comparison = Comparison(
        first=first.name,
        second=second.name,
        view=first.view,
        same_variant=_same_variant(first, second),
        rows=tuple(rows),
        turns=int((mine & other).sum()),
        left_out=(int((mine & ~other).sum()), int((other & ~mine).sum())),
        conversations=int(np.count_nonzero(np.bincount(paired.conversation_of[mine & other]))),
        resamples=resamples or enough(len(paired.conversations)),
        seed=seed,
    )
    return judged_together([comparison])[0]


def judged_together(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same comparisons with verdicts that hold for all of them together.

    Whoever compares three runs with one looks three times as often, and finds by luck three times as much: p-values are
    adjusted over the metrics of all comparisons, breakdowns among themselves. Comparisons with one run in common depend
    on each other, which Holm's correction allows.
    """
    rows = [(number, row) for number, comparison in enumerate(comparisons) for row in comparison.rows]
    adjusted = _adjusted([row for _, row in rows])
    found: list[list[Row]] = [[] for _ in comparisons]
    for (number, _), row in zip(rows, adjusted, strict=True):
        found[number].append(_with_verdict(row, same_variant=comparisons[number].same_variant))
    return tuple(
        replace(comparison, rows=tuple(own), together=len(comparisons))
        for comparison, own in zip(comparisons, found, strict=True)
    )


def turn_changes(first: Scores, second: Scores, metric: Metric) -> TurnChanges:
    """The turns that were counted differently, from the one that gained most to the one that lost most.

    A turn's gain is how the metric of the run moves when that turn alone is answered as the other run did: the mean of
    putting the second's answer into the first run, and of taking it out of the second. So gains add up to about
    the difference, whatever the metric.
    """
    return changes_of(pair_alike(first, second), metric)


def changes_of(paired: Pairing, metric: Metric) -> TurnChanges:
    """The same for two runs that were paired before."""
    tally = paired.of(metric.tally)
    chunks = [(turns, *_moved(metric, one, other, *tally.totals)) for turns, one, other in tally.changed(metric)]
    if not chunks:
        none = np.zeros(0)
        return TurnChanges(paired.turns, np.zeros(0, dtype=np.int64), none, none, none)
    turns, gain, before, after = (np.concatenate(own) for own in zip(*chunks, strict=True))
    order = np.lexsort((paired.rank_of[turns], -gain))
    return TurnChanges(paired.turns, turns[order], gain[order], before[order], after[order])


@dataclass(frozen=True, eq=False)
class _Evidence:
    """What one metric's row rests on: the counts of both runs, and its draws of both, of shape (resamples)."""

    metric: Metric
    tally: PairedTally
    first_draws: Array
    second_draws: Array

    @property
    def conversations(self) -> int:
        return self.conversations_with_data[2]

    @cached_property
    def conversations_with_data(self) -> tuple[int, int, int]:
        return self.tally.conversations_with_data(self.metric)

    @cached_property
    def with_data(self) -> tuple[int, int]:
        return self.tally.with_data(self.metric)

    @cached_property
    def differing(self) -> int:
        return len(self.tally.differing(self.metric))

    @cached_property
    def spread(self) -> Spread:
        """The spread of the difference. Where no turn differs, there is none.

        Where turns differ and conversations never do, it takes as many of them as could show a difference to say so.
        """
        if self.differing == 0:
            return Spread(0.0, self.conversations - 1)
        found = spread(self.second_draws - self.first_draws, self.conversations)
        telling = found.known or self.conversations >= TELLING_CONVERSATIONS
        return found if telling else Spread(None, found.degrees)

    def estimate(self, side: int, draws: Array) -> Estimate:
        """Of the first run (0) or the second (1)."""
        return estimate(
            float(self.metric.of_totals(self.tally.totals[side])),
            draws,
            n=self.with_data[side],
            conversations=self.conversations_with_data[side],
            bounds=self.metric.bounds,
            is_share=self.metric.unit == "share",
        )


def _row(evidence: _Evidence, flips: int, seed: int) -> Row:
    """The row of one metric; what depends on the other metrics is filled in by `judged_together`."""
    metric, tally = evidence.metric, evidence.tally
    first, second = evidence.estimate(0, evidence.first_draws), evidence.estimate(1, evidence.second_draws)
    difference = _difference(first, second, evidence.spread, evidence.conversations)
    test, p = (None, None) if difference.value is None else _tested(evidence, difference.value, flips, seed)
    return Row(
        metric=metric,
        first=first,
        second=second,
        difference=difference,
        test=test,
        p=p,
        holm=None,
        benjamini_hochberg=None,
        detectable=smallest_detectable(evidence.spread),
        margin=metric.margin.around(first.value),
        verdict=Verdict.NOT_ENOUGH_DATA,
        reason="",
        turns=int(np.count_nonzero(tally.both)),
        left_out=tally.left_out,
        turns_differing=evidence.differing,
    )


def _difference(first: Estimate, second: Estimate, around: Spread, conversations: int) -> Estimate:
    if first.value is None or second.value is None:
        return Estimate(value=None, n=conversations)
    value = second.value - first.value
    found = interval(value, around)
    return Estimate(value=value, low=found and found[0], high=found and found[1], n=conversations)


def _tested(
    evidence: _Evidence, difference: float, flips: int, seed: int
) -> tuple[str, float | None] | tuple[None, None]:
    """The p-value of no difference and its test.

    McNemar for what must be 0: is a conversation clean or not? Sign flips where conversations are few, or all of
    them differ by the same. Else the t of the bootstrap. Where no turn differs there is nothing to test, and the
    metric takes no part in the correction: it could not have come out significant (R. E. Tarone, Biometrics 46 (1990)).
    """
    metric, tally = evidence.metric, evidence.tally
    if evidence.differing == 0:
        return None, None
    if metric.is_limit:
        first, second = (metric.of_totals(side) > 0 for side in tally.by_conversation)
        return "McNemar by conversation", mcnemar_p(first, second)
    if evidence.conversations <= FEW_CONVERSATIONS or not evidence.spread.known:
        p = sign_flip_p(*tally.by_conversation, metric.of_totals, flips=flips, seed=seed)
        return "sign flips by conversation", p
    return "bootstrap over conversations", p_value(difference, evidence.spread)


def _adjusted(rows: Sequence[Row]) -> list[Row]:
    """The rows with p-values adjusted within their family: details, or all others."""
    adjusted = list(rows)
    for detail in (False, True):
        family = [place for place, row in enumerate(rows) if row.metric.detail is detail]
        ps = [rows[place].p for place in family]
        for place, strict, shown in zip(family, holm(ps), benjamini_hochberg(ps), strict=True):
            adjusted[place] = replace(rows[place], holm=strict, benjamini_hochberg=shown)
    return adjusted


def _with_verdict(row: Row, *, same_variant: bool) -> Row:
    gain, low, high = row.gain, row.difference.low, row.difference.high
    if gain is None:
        return replace(row, verdict=Verdict.NOT_ENOUGH_DATA, reason=_undefined(row))
    verdict, reason = judge(
        gain,
        None if low is None or high is None else (low, high),
        row.holm,
        margin=row.margin,
        same_answers=row.turns_differing == 0,
        same_variant=same_variant,
    )
    return replace(row, verdict=verdict, reason=reason)


def _undefined(row: Row) -> str:
    if row.turns == 0:
        return "no turn could be judged in both runs"
    missing = [name for name, side in (("first", row.first), ("second", row.second)) if side.value is None]
    return f"the {' and the '.join(missing)} run has nothing to count"


def _moved(metric: Metric, one: Array, other: Array, first: Array, second: Array) -> tuple[Array, Array, Array]:
    """Gain, and both sides' metric of each turn alone.

    From both sides' counts on some turns, of shape (turns, parts), and the totals of both runs, of shape (parts).
    """
    put_in = metric.of_totals(first - one + other) - metric.of_totals(first)
    taken_out = metric.of_totals(second) - metric.of_totals(second - other + one)
    gains = metric.gain(1.0) * np.nan_to_num((put_in + taken_out) / 2)
    return gains, metric.of_totals(one), metric.of_totals(other)


def _same_variant(first: Scores, second: Scores) -> bool:
    return bool(first.variant) and first.variant == second.variant


def pair_alike(first: Scores, second: Scores) -> Pairing:
    """Both runs by turn. Raises InputError if they cannot be compared."""
    if first.view is not second.view:
        raise InputError(f"{first.name} shows {first.view} answers and {second.name} {second.view}; score both alike")
    if [metric.name for metric in first.metrics] != [metric.name for metric in second.metrics]:
        raise InputError(f"{first.name} and {second.name} were scored by different metrics; score both alike")
    paired = pair(first, second)
    if not paired.common.any():
        raise InputError(f"{first.name} and {second.name} have no turn in common; compare runs of one data set")
    return paired
