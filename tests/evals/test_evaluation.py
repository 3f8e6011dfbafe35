"""A run judged: which of its conversations, against which labels, and counted once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import InputError
from evals import evaluation
from evals.evaluation import evaluate, variant_key
from evals.library import Dataset, load_dataset
from evals.metrics import find_metrics
from evals.metrics.judged import View
from evals.origins import Origin, origin_words
from evals.records import StateMode, Variant
from evals.runner import run
from evals.runs.counts import CountStore
from evals.runs.folder import RunFolder
from evals.runs.index import RunIndex
from evals.runs.manifest import new_manifest, new_spec
from tests.evals.values import FakeAnalyzer, conversation, labels_of, spec, write_lines

TALKS = [conversation("alpha", 3), conversation("beta", 2), conversation("gamma", 2)]


def dataset(folder: Path, talks=TALKS, labelled=("alpha", "beta", "gamma")) -> Dataset:
    write_lines(folder / "conversations.jsonl", *talks)
    labels = [label for talk in talks if talk.id in labelled for label in labels_of(talk).values()]
    (folder / "labels.jsonl").unlink(missing_ok=True)
    if labels:
        write_lines(folder / "labels.jsonl", *labels)
    return load_dataset(folder)


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    return tmp_path / "toys"


@pytest.fixture
def store(tmp_path: Path) -> CountStore:
    return CountStore(RunIndex(tmp_path / "index.duckdb", tmp_path / "runs"))


async def replayed(runs: Path, of: Dataset) -> RunFolder:
    wanted = new_spec(of, of.hashes, Variant(name="fake"))
    folder = RunFolder.create(runs, new_manifest(wanted, of.conversations))
    await run(folder, of.conversations, lambda _talk, _sample: FakeAnalyzer())
    return folder


async def test_both_views_are_scored_once_and_then_come_from_the_store(
    toys: Path, tmp_path: Path, store: CountStore, monkeypatch: pytest.MonkeyPatch
):
    folder = await replayed(tmp_path / "runs", dataset(toys))
    first = {view: evaluate(folder, load_dataset(toys), store).scores(view) for view in View}
    monkeypatch.setattr(evaluation, "score", None)  # whoever counts again fails
    for view, scores in first.items():
        again = evaluate(folder, load_dataset(toys), store).scores(view)
        assert (again.records, again.view, again.variant) == (scores.records, view, scores.variant)
        assert again.estimates(resamples=200) == scores.estimates(resamples=200)
    some = evaluate(folder, load_dataset(toys), store).scores(View.MODEL, find_metrics(("extraction.f1",)))
    assert set(some.counts) == {"extraction.hits"}


async def test_new_labels_are_used_without_a_replay(toys: Path, tmp_path: Path, store: CountStore):
    folder = await replayed(tmp_path / "runs", dataset(toys))
    before = evaluate(folder, load_dataset(toys), store).scores()
    write_lines(
        toys / "labels.jsonl",
        *(label.model_copy(update={"dimensions": ()}) for talk in TALKS for label in labels_of(talk).values()),
    )
    after = evaluate(folder, load_dataset(toys), store).scores()
    recalls = [scores.estimates(resamples=100)["extraction.recall"].value for scores in (before, after)]
    assert recalls == [0.0, None]


async def test_conversations_that_changed_are_left_out_and_named(toys: Path, tmp_path: Path, store: CountStore):
    folder = await replayed(tmp_path / "runs", dataset(toys))
    longer = dataset(toys, [TALKS[0], conversation("beta", 5), conversation("delta", 2)])
    found = evaluate(folder, longer, store)
    assert found.matched.changed == ("beta", "gamma")
    assert found.scores().conversations == ("alpha",)
    assert "2 of its conversations changed since or are gone, and are left out: beta, gamma" in found.notes[0]


async def test_a_conversation_written_otherwise_is_the_same(toys: Path, tmp_path: Path):
    folder = await replayed(tmp_path / "runs", dataset(toys))
    lines = [talk.model_dump(mode="json", exclude_defaults=True) for talk in TALKS]
    write_lines(toys / "conversations.jsonl", *lines)
    assert evaluate(folder, load_dataset(toys)).matched.changed == ()


async def test_nothing_in_common_is_an_error(toys: Path, tmp_path: Path):
    folder = await replayed(tmp_path / "runs", dataset(toys))
    with pytest.raises(InputError, match="none of the conversations"):
        evaluate(folder, dataset(toys, [conversation("delta", 2)], labelled=()))


async def test_an_older_run_over_changed_data_does_not_say_which(toys: Path, tmp_path: Path):
    folder = await replayed(tmp_path / "runs", dataset(toys))
    older = RunFolder(folder.path, folder.manifest.model_copy(update={"conversation_hashes": {}}))
    assert evaluate(older, load_dataset(toys)).matched.changed == ()
    with pytest.raises(InputError, match="does not say which"):
        evaluate(older, dataset(toys, TALKS[:2]))


@pytest.mark.parametrize(
    ("labelled", "note"),
    [
        (("alpha", "beta", "gamma"), None),
        (("alpha",), "toys has no labels for beta, gamma"),
        ((), "toys has no labels for this run, so that only what needs none is judged"),
    ],
)
async def test_missing_labels_are_said(toys: Path, tmp_path: Path, labelled: tuple[str, ...], note: str | None):
    found = evaluate(await replayed(tmp_path / "runs", dataset(toys)), dataset(toys, labelled=labelled))
    assert [text for text in found.notes if note and note in text] == list(found.notes)
    assert bool(found.notes) is (note is not None)
    assert found.scores().estimates(resamples=100)["operations.failures"].value == 0.0


@pytest.mark.parametrize("origin", [None, *Origin])
async def test_conversations_that_customers_did_not_hold_are_said_to_be_so(
    toys: Path, tmp_path: Path, origin: Origin | None
):
    made = replace(dataset(toys, labelled=("alpha", "beta", "gamma")), origin=origin)
    found = evaluate(await replayed(tmp_path / "runs", made), made)
    not_held = origin in (Origin.WRITTEN, Origin.SIMULATED)
    assert found.notes == ((f"The conversations were {origin_words(origin)}",) if not_held else ())


async def test_a_run_that_still_grows_is_judged_and_not_kept(toys: Path, tmp_path: Path, store: CountStore):
    folder = await replayed(tmp_path / "runs", dataset(toys))
    (folder.path / "finished.json").unlink()
    found = evaluate(folder, load_dataset(toys), store)
    assert found.key(View.MODEL) is None
    assert len(found.scores().records) == 7
    assert "is not complete" in found.notes[0]
    assert found.estimates()["operations.failures"].n == 7
    shutil.copy(folder.path / "manifest.json", tmp_path)
    (folder.path / "turns.jsonl").write_bytes(b"")
    with pytest.raises(InputError, match="no turns yet"):
        evaluate(folder, load_dataset(toys), store).scores()


async def test_the_estimates_of_a_scored_run_are_those_of_its_scores(toys: Path, tmp_path: Path, store: CountStore):
    found = evaluate(await replayed(tmp_path / "runs", dataset(toys)), load_dataset(toys), store)
    before, after = found.estimates(), found.estimates()
    assert {name: own.n for name, own in before.items()} == {name: own.n for name, own in after.items()}
    values = [{name: own.value for name, own in each.items() if own.value is not None} for each in (before, after)]
    assert values[0] == pytest.approx(values[1])


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"attempt": 1}, True),
        ({"samples": 3}, True),
        ({"conversation_ids": ("alpha",), "dataset_hash": "9" * 64}, True),
        ({"variant": Variant(name="other")}, False),
        ({"engine_hash": "2" * 64}, False),
        ({"state_mode": StateMode.GOLD}, False),
    ],
)
def test_repeats_are_of_one_variant_and_other_code_or_models_are_not(change: dict[str, object], same: bool):
    asked = spec(*TALKS)
    assert (variant_key(asked) == variant_key(asked.model_copy(update=change))) is same
