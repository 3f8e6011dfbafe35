"""Two runs turn by turn: a part of them is what pairing that part alone gives, and groups add up."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from evals.compare import compare_paired, pair_alike
from evals.inference.resampling import CLUSTERS, SEED, clustered
from evals.metrics.judged import View
from evals.pairing import Pairing
from evals.scoring import Scores, TurnKey, score
from tests.evals.runs_of import by_labels, by_model, shipped, talks


@cache
def runs() -> tuple[Scores, Scores]:
    """The second asked twice, and without some turns that the first has."""
    twice = [replaced for record in by_labels()[3:] for replaced in (record, record.model_copy(update={"sample": 1}))]
    first, second = (
        score(records, shipped().labels, talks(), view=View.ALL, name=name)
        for records, name in ((by_model()[:-5], "model"), (twice, "labels"))
    )
    return first, second


@cache
def whole() -> Pairing:
    return pair_alike(*runs())


def first_half(key: TurnKey) -> bool:
    return key[0] in whole().conversations[: len(whole().conversations) // 2]


def early(key: TurnKey) -> bool:
    return key[1] < 6


@pytest.mark.parametrize("holds", [first_half, early])
def test_a_part_is_compared_as_if_it_were_all(holds):
    kept = np.array([holds(key) for key in whole().turns])
    turns = {key for key in whole().turns if holds(key)}
    assert 0 < len(turns) < len(whole().turns)
    part, alone = whole().only(kept), pair_alike(*(side.of_turns(turns) for side in runs()))
    assert (part.first.scores.records, part.second.scores.records) == (
        alone.first.scores.records,
        alone.second.scores.records,
    )
    assert part.first.scores.fallbacks == alone.first.scores.fallbacks
    found, wanted = (compare_paired(paired, resamples=200) for paired in (part, alone))
    assert found.left_out == wanted.left_out != (0, 0)
    assert [replace(row, reason="") for row in found.rows] == [replace(row, reason="") for row in wanted.rows]


def test_a_part_of_a_part_is_a_part():
    kept = np.array([first_half(key) for key in whole().turns])
    part = whole().only(kept)
    again = part.only(np.array([early(key) for key in part.turns]))
    at_once = whole().only(kept & np.array([early(key) for key in whole().turns]))
    assert again.turns == at_once.turns
    assert compare_paired(again, resamples=50).rows == compare_paired(at_once, resamples=50).rows


def test_of_very_many_conversations_the_sums_of_groups_are_resampled():
    copies = CLUSTERS // len(whole().conversations) + 1
    own = runs()[0]
    many = replace(
        own,
        records=tuple((f"{id_}-{copy}", turn, sample) for copy in range(copies) for id_, turn, sample in own.records),
        counts={name: _repeated(counts, copies, len(own.records)) for name, counts in own.counts.items()},
        fallbacks=(),
    )
    paired = pair_alike(many, many)
    for metric in own.metrics[:20]:
        tally = paired.of(metric.tally)
        expected = clustered(tally.by_conversation[0], SEED)
        assert len(expected) == CLUSTERS
        np.testing.assert_allclose(tally.clusters(SEED)[0], expected)
        np.testing.assert_allclose(tally.totals[1], tally.by_conversation[1].sum(axis=0))


def _repeated(counts, copies, records):
    """The counts of so many copies of a run."""
    shifts = np.arange(copies) * records
    return replace(
        counts,
        judged=(counts.judged + shifts[:, None]).ravel().astype(np.int32),
        record=(counts.record + shifts[:, None]).ravel().astype(np.int32),
        part=np.tile(counts.part, copies),
        amount=np.tile(counts.amount, copies),
    )
