"""The counts of scored runs in the index: what was put is what comes back, and only for what it was made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evals.metrics import METRICS
from evals.metrics.judged import View
from evals.records import Estimate
from evals.runner import run
from evals.runs.counts import CountStore, ScoringKey
from evals.runs.folder import RunFolder
from evals.runs.index import RunIndex
from evals.scoreboard import scoreboard
from evals.scoring import Scores, score, tallies_of
from tests.evals.values import FakeAnalyzer, conversation, labels_of, manifest

TALKS = [conversation("alpha", 4), conversation("beta", 3)]
KEY = ScoringKey(run_id="a-run", view=View.MODEL, answers="1", labels="2", source="3")


@pytest.fixture
def index(tmp_path: Path) -> RunIndex:
    return RunIndex(tmp_path / "index.duckdb", tmp_path / "runs")


@pytest.fixture
def store(index: RunIndex) -> CountStore:
    return CountStore(index)


@pytest.fixture
async def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder.create(tmp_path / "runs", manifest(*TALKS, samples=2))
    await run(folder, TALKS, lambda _talk, _sample: FakeAnalyzer(falls_back=[3], raises={5: KeyError()}))
    return folder


@pytest.fixture
async def scores(folder: RunFolder) -> Scores:
    return scored(folder)


def scored(folder: RunFolder, view: View = View.MODEL) -> Scores:
    labels = {talk.id: labels_of(talk) for talk in TALKS}
    return score(folder.records(), labels, TALKS, view=view, name="a-run", variant="fake")


def figures(estimates: dict[str, Estimate]) -> dict[str, float]:
    """All figures by metric and name; what is not known is -1."""
    dumped = {name: own.model_dump() for name, own in estimates.items()}
    return {
        f"{name} {field}": -1.0 if own[field] is None else own[field] for name, own in dumped.items() for field in own
    }


def everything(scores: Scores) -> Iterator[object]:
    """All that scores say, in an order of its own."""
    yield from (scores.name, scores.variant, scores.view, scores.records, scores.fallbacks, scores.metrics)
    for name, counts in scores.counts.items():
        yield name, counts.judged.tolist()
        yield sorted(zip(counts.record.tolist(), counts.part.tolist(), counts.amount.tolist(), strict=True))


async def test_what_was_put_comes_back(store: CountStore, scores: Scores):
    store.put(KEY, scores)
    found = store.get(KEY)
    assert found is not None
    assert list(everything(found)) == list(everything(scores))
    assert len(found.fallbacks) > 0


async def test_each_view_is_kept_apart(store: CountStore, folder: RunFolder):
    keys = {view: replace(KEY, view=view) for view in View}
    for view, key in keys.items():
        store.put(key, scored(folder, view))
    found = {view: store.get(key) for view, key in keys.items()}
    counted = {view: own.counts["extraction.hits"].judged.size for view, own in found.items() if own}
    assert counted[View.MODEL] < counted[View.ALL]


@pytest.mark.parametrize("change", [{"answers": "x"}, {"labels": "x"}, {"source": "x"}, {"run_id": "x"}])
async def test_other_answers_labels_or_source_are_not_there(store: CountStore, scores: Scores, change: dict[str, str]):
    store.put(KEY, scores)
    assert store.get(replace(KEY, **change)) is None
    assert store.sums(replace(KEY, **change)) is None


async def test_newer_scores_take_the_place_of_older_ones(store: CountStore, index: RunIndex, scores: Scores):
    for labels in ("old", "new", "new"):
        store.put(replace(KEY, labels=labels), scores)
    assert store.get(replace(KEY, labels="old")) is None
    assert store.get(replace(KEY, labels="new")) is not None
    assert index._rows("SELECT count(*), count(DISTINCT scoring) FROM scored_turns") == [(len(scores.records), 1)]


async def test_a_rebuilt_or_damaged_index_has_none_and_can_be_filled_again(
    store: CountStore, index: RunIndex, scores: Scores, tmp_path: Path
):
    store.put(KEY, scores)
    index.rebuild()
    assert store.get(KEY) is None
    store.put(KEY, scores)
    (tmp_path / "index.duckdb").write_bytes(b"not a database\n" * 1000)
    assert store.get(KEY) is None
    store.put(KEY, scores)
    assert store.get(KEY) is not None


async def test_scores_go_with_the_run_they_are_of(
    store: CountStore, index: RunIndex, folder: RunFolder, scores: Scores
):
    import shutil

    index.refresh()
    key = replace(KEY, run_id=folder.run_id)
    store.put(key, scores)
    index.refresh()
    assert store.get(key) is not None
    shutil.rmtree(folder.path)
    index.refresh()
    assert store.get(key) is None


async def test_sums_by_conversation_are_those_of_the_scores(store: CountStore, scores: Scores):
    store.put(KEY, scores)
    sums = store.sums(KEY)
    assert sums is not None
    for tally in tallies_of(METRICS):
        np.testing.assert_allclose(sums.statistics[tally.name], scores.by_conversation(tally))


async def test_groups_of_conversations_sum_to_the_same_totals(index: RunIndex, scores: Scores):
    store = CountStore(index, groups=1)
    store.put(KEY, scores)
    sums = store.sums(KEY)
    assert sums is not None
    for tally in tallies_of(METRICS):
        np.testing.assert_allclose(sums.statistics[tally.name], scores.by_conversation(tally).sum(axis=0)[None, :])


async def test_the_scoreboard_has_the_figures_of_the_scores(store: CountStore, scores: Scores):
    store.put(KEY, scores)
    found, wanted = scoreboard(store, KEY), scores.estimates(resamples=2_000)
    assert found is not None
    assert figures(found) == pytest.approx(figures(wanted))
    assert scoreboard(store, replace(KEY, labels="others")) is None
