"""A trial beside its base run: turn by turn as far as it is there, and a verdict that is honest about a few turns."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from engine.model.analysis import Analysis, Extraction
from engine.model.qualification import Dimension, Evidence, Signal, qualification_from
from evals.evaluation import evaluate_all
from evals.inference.verdict import Verdict
from evals.library import Dataset
from evals.metrics import METRICS, find_metrics
from evals.records import Failure, Fork, PickedBy, StateMode, TurnRecord, Variant
from evals.runner import picked_turns, run
from evals.runs.folder import RunFolder
from evals.runs.manifest import new_manifest, new_spec
from evals.tuning.recorded import recorded_turns
from evals.tuning.trials import Trial, TrialStatus, metrics_of_change, read_trial
from tests.evals.tuning.searching import talks_with_labels
from tests.evals.values import FakeAnalyzer

F1 = find_metrics(("extraction.f1",))
OLD, NEW = {"extraction": "a", "question": "q"}, {"extraction": "b", "question": "q"}


class FindsPain(FakeAnalyzer):
    """Finds the pain that every turn of `talks_with_labels` names; the FakeAnalyzer takes it for something else."""

    def _raw(self, turn: Any, position: int) -> Analysis:
        evidence = (Evidence(quote=turn.text, turn=turn.index),)
        found = qualification_from({Dimension.PAIN: Signal(value=turn.text, confidence=0.9, evidence=evidence)})
        raw = super()._raw(turn, position)
        return raw.model_copy(update={"extraction": Extraction(found=found, source=raw.extraction.source)})


class Stopping:
    """An analyzer whose run is stopped after so many answers (None: never)."""

    def __init__(self, analyzer: Any, after: int | None) -> None:
        self.analyzer, self.after, self.stop = analyzer, after, asyncio.Event()

    async def analyze(self, *asked: Any) -> Analysis:
        self.after = None if self.after is None else self.after - 1
        if self.after == 0:
            self.stop.set()
        return await self.analyzer.analyze(*asked)


class Trying:
    """A data set with its base run, and trials on it."""

    def __init__(self, folder: Path, conversations: int) -> None:
        self.dataset: Dataset = talks_with_labels(folder / "talks", conversations)
        self.runs = folder / "runs"

    async def base(self) -> RunFolder:
        spec = new_spec(self.dataset, self.dataset.hashes, Variant(name="fake", prompts=OLD))
        folder = RunFolder.create(self.runs, new_manifest(spec, self.dataset.conversations))
        await run(folder, self.dataset.conversations, lambda _talk, _sample: FakeAnalyzer())
        return folder

    async def trial(
        self,
        base: RunFolder,
        picked: list[TurnRecord],
        analyzer: Any,
        answered: int | None = None,
        by: PickedBy | None = None,
    ) -> Trial:
        """The trial after `answered` of its turns (None: all)."""
        ids = sorted({record.conversation_id for record in picked})
        talks = [self.dataset.conversation(id_) for id_ in ids]
        variant = Variant(name="fake", prompts=NEW)
        turns = picked_turns(picked)
        assert turns is not None
        turns = turns.model_copy(update={"by": by})
        spec = new_spec(self.dataset, ids, variant, state_mode=StateMode.TURNS, picked=turns)
        folder = RunFolder.create(self.runs, new_manifest(spec, talks))
        if answered != 0:
            stopping = Stopping(analyzer, answered)
            await run(folder, talks, lambda _talk, _sample: stopping, picked=picked, stop=stopping.stop, concurrency=1)
        return self.read(base, folder)

    def read(self, base: RunFolder, folder: RunFolder) -> Trial:
        return read_trial(*evaluate_all([(base, self.dataset), (folder, self.dataset)]), F1)


async def test_a_trial_shows_each_turn_beside_its_old_answer_and_a_verdict_in_words(tmp_path: Path):
    trying = Trying(tmp_path, 8)
    base = await trying.base()
    picked = [record for record in base.records() if record.turn == 3]
    trial = await trying.trial(base, picked, FindsPain())
    assert (trial.status, trial.answered, trial.of, trial.notes) == (TrialStatus.COMPLETE, 8, 8, ())
    assert [(row.conversation, row.turn) for row in trial.rows] == [(f"talk-{n}", 3) for n in range(8)]
    row = trial.rows[0]
    assert (row.old, row.label) == (picked[0].result, trying.dataset.labels["talk-0"][3])
    assert isinstance(row.new, Analysis)
    assert row.new.extraction.found.identified == (Dimension.PAIN,)
    assert [row.score_change for row in trial.rows] == [1.0] * 8
    assert trial.verdict is not None
    assert trial.verdict.named(Verdict.BETTER) == ("extraction.f1",)
    words = trial.verdict.words
    assert words.startswith("On 8 turns of 8 conversations: Better in ")
    assert "0.00 → 1.00 (+1.00" in words


@pytest.mark.parametrize("by", ["worst", "chance", "must not break"])
async def test_turns_that_were_picked_for_their_bad_answers_give_figures_but_no_verdict_in_words(
    tmp_path: Path, by: PickedBy
):
    trying = Trying(tmp_path, 8)
    base = await trying.base()
    trial = await trying.trial(base, [record for record in base.records() if record.turn == 3], FindsPain(), by=by)
    assert trial.verdict is not None
    assert trial.verdict.named(Verdict.BETTER) == ("extraction.f1",)
    honest = (
        "On 8 turns of 8 conversations: picked because the old answers were bad: a new answer looks better by luck "
        "alone; weigh it on turns picked by chance."
    )
    assert (trial.verdict.words == honest) is (by == "worst")
    assert ("Better in" in trial.verdict.words) is (by != "worst")


async def test_with_few_conversations_it_says_that_nothing_can_be_told(tmp_path: Path):
    trying = Trying(tmp_path, 3)
    base = await trying.base()
    trial = await trying.trial(base, list(base.records()), FindsPain())
    assert trial.verdict is not None
    assert trial.verdict.named(Verdict.NOT_ENOUGH_DATA) == ("extraction.f1",)
    assert "Not enough data for a verdict; the largest difference is in" in trial.verdict.words
    assert "From fewer than 6 conversations no difference can be told from luck" in trial.verdict.words


async def test_the_same_answers_are_tied(tmp_path: Path):
    trying = Trying(tmp_path, 8)
    base = await trying.base()
    trial = await trying.trial(base, list(base.records())[:9], FakeAnalyzer())
    assert trial.verdict is not None
    assert trial.verdict.words.endswith("Tied in every measure.")
    assert {row.score_change for row in trial.rows} == {0.0}


async def test_a_trial_without_answers_yet_has_its_old_ones_and_no_verdict(tmp_path: Path):
    trying = Trying(tmp_path, 3)
    base = await trying.base()
    trial = await trying.trial(base, list(base.records())[:4], FindsPain(), answered=0)
    assert (trial.status, trial.answered, trial.of, trial.verdict) == (TrialStatus.PARTLY, 0, 4, None)
    assert all(row.new is None and row.old is not None and row.score_change is None for row in trial.rows)


async def test_a_verdict_on_some_of_the_turns_is_said_to_be_one(tmp_path: Path):
    trying = Trying(tmp_path, 8)
    base = await trying.base()
    picked = [record for record in base.records() if record.turn == 3]
    partly = await trying.trial(base, picked, FindsPain(), answered=6)
    assert (partly.answered, partly.of) == (6, 8)
    assert partly.notes[0].startswith("6 of 8 turns are answered so far: ")


async def test_turns_that_the_rules_answered_are_told_and_not_judged(tmp_path: Path):
    trying = Trying(tmp_path, 8)
    base = await trying.base()
    picked = [record for record in base.records() if record.conversation_id == "talk-1"]
    trial = await trying.trial(base, picked, FindsPain(falls_back=[3]))
    assert trial.notes[0] == "on 1 turn the rules answered in the model's place; those answers are not judged"
    assert [row.score_change for row in trial.rows] == [1.0, None]


async def test_a_failed_turn_is_a_row_too(tmp_path: Path):
    trying = Trying(tmp_path, 3)
    base = await trying.base()
    picked = [record for record in base.records() if record.conversation_id == "talk-1"]
    trial = await trying.trial(base, picked, FindsPain(raises={3: ValueError("no")}))
    assert isinstance(trial.rows[1].new, Failure)
    assert trial.rows[1].new_score is None or trial.rows[1].new_score.value is None


async def test_going_on_from_a_turn_is_read_in_the_same_way(tmp_path: Path):
    trying = Trying(tmp_path, 3)
    base = await trying.base()
    start = next(record for record in base.records() if record.key == ("talk-2", 3, 0))
    fork = Fork(run_id=base.run_id, conversation_id="talk-2", turn=3)
    variant = Variant(name="fake", prompts=NEW)
    spec = new_spec(trying.dataset, ["talk-2"], variant, state_mode=StateMode.FORK, fork=fork)
    talk = trying.dataset.conversation("talk-2")
    folder = RunFolder.create(trying.runs, new_manifest(spec, [talk]))
    await run(folder, [talk], lambda _talk, _sample: FindsPain(), start=start)
    trial = trying.read(base, folder)
    assert [(row.turn, row.score_change) for row in trial.rows] == [(3, 1.0)]


async def test_a_run_of_whole_conversations_is_no_trial(tmp_path: Path):
    from evals.tuning.trials import base_of

    base = await Trying(tmp_path, 3).base()
    with pytest.raises(InputError, match="nothing to put it beside"):
        base_of(base.manifest.spec)


async def test_repetition_is_judged_by_what_the_base_run_asked_before(tmp_path: Path):
    """A picked turn is alone in its run, and yet a question that was asked before it is a repetition."""
    trying = Trying(tmp_path, 3)
    base = await trying.base()
    picked = [record for record in base.records() if record.key == ("talk-1", 3, 0)]
    asked_before = next(record for record in base.records() if record.key == ("talk-1", 1, 0))
    assert isinstance(asked_before.result, Analysis)
    question = asked_before.result.question

    class Repeats(FindsPain):
        def _raw(self, turn: Any, position: int) -> Analysis:
            return super()._raw(turn, position).model_copy(update={"question": question})

    await trying.trial(base, picked, Repeats())
    (folder,) = (own for own in map(RunFolder.open, trying.runs.iterdir()) if own.run_id != base.run_id)
    scores = evaluate_all([(base, trying.dataset), (folder, trying.dataset)])[1].scores()
    assert scores.estimates(resamples=50)["question.repetition"].value == 1.0


async def test_turns_with_recordings_are_those_that_are_answered_in_full(tmp_path: Path):
    trying = Trying(tmp_path, 3)
    base = await trying.base()
    talks = {talk.id: talk for talk in trying.dataset.conversations}
    found = await recorded_turns(list(base.records()), talks, FindsPain(falls_back=[1]))
    assert set(found) == {(id_, 3) for id_ in talks}


@pytest.mark.parametrize(
    ("old", "new", "families"),
    [
        (OLD, NEW, {"extraction", "known"}),
        (OLD, {**OLD, "question": "r"}, {"question", "conduct"}),
        (OLD, {**OLD, "system": "s"}, None),
        ({}, NEW, None),
    ],
)
def test_a_change_of_prompts_is_judged_by_what_it_can_move(old: dict, new: dict, families: set[str] | None):
    found = {metric.name.split(".", 1)[0] for metric in metrics_of_change(old, new)}
    if families is None:
        assert found == {metric.name.split(".", 1)[0] for metric in METRICS if not metric.detail} - {"operations"}
    else:
        assert families <= found
        assert not found & ({"question", "conduct", "expansion"} - families)
