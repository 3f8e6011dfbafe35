"""Running many conversations: bounded, stopped cleanly, resumed, and never asked twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from engine.model.conversation import Conversation
from evals.errors import LockedError
from evals.progress import Progress
from evals.records import Fork, RunStatus, StateMode
from evals.runner import picked_turns, run
from evals.runs import writer as writer_module
from evals.runs.folder import RunFolder
from tests.evals.values import FakeAnalyzer, conversation, labels_of, manifest

TALKS = [conversation(f"c{number}", customer_turns=number) for number in range(1, 7)]  # 21 customer turns


class Watching:
    """Makes one analyzer per conversation and sample, and remembers what was asked and how much at once."""

    def __init__(self, seconds: float = 0.0, after: int | None = None, then: Any = None) -> None:
        self.asked: Counter[tuple[str, int, int]] = Counter()
        self.at_once = self.most_at_once = self.answered = 0
        self.then = then
        self._seconds, self._after = seconds, after

    def __call__(self, talk: Conversation, sample: int) -> Any:
        return _One(self, talk.id, sample)

    async def asked_about(self, key: tuple[str, int, int]) -> None:
        self.asked[key] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self._seconds)
        self.at_once -= 1
        self.answered += 1
        if self.answered == self._after:
            self.then()


class _One(FakeAnalyzer):
    def __init__(self, watching: Watching, conversation_id: str, sample: int) -> None:
        super().__init__()
        self._watching, self._id, self._sample = watching, conversation_id, sample

    async def analyze(self, state: Any, turn: Any, history: Any) -> Any:
        await self._watching.asked_about((self._id, turn.index, self._sample))
        return await super().analyze(state, turn, history)


def fresh(runs: Path, talks: Sequence[Conversation] = TALKS, **fields: Any) -> RunFolder:
    return RunFolder.create(runs, manifest(*talks, **fields))


async def test_every_turn_is_asked_once_and_the_run_is_complete(tmp_path: Path):
    folder, watching = fresh(tmp_path), Watching()
    progress = await run(folder, TALKS, watching)
    assert (progress.done, progress.total, progress.complete) == (21, 21, True)
    assert set(watching.asked.values()) == {1}
    assert folder.status is RunStatus.COMPLETE
    assert folder.totals == progress.totals
    assert progress.totals.finished_at is not None
    assert {record.key for record in folder.records()} == set(watching.asked)


async def test_samples_are_really_repeated(tmp_path: Path):
    folder, watching = fresh(tmp_path, samples=3), Watching()
    progress = await run(folder, TALKS, watching)
    assert progress.done == 63
    assert {key[2] for key in watching.asked} == {0, 1, 2}


@pytest.mark.parametrize("concurrency", [1, 3, 100])
async def test_conversations_run_side_by_side_and_turns_of_one_do_not(tmp_path: Path, concurrency: int):
    watching = Watching(seconds=0.002)
    await run(fresh(tmp_path), TALKS, watching, concurrency=concurrency)
    assert watching.most_at_once == min(concurrency, len(TALKS))


async def test_a_finished_run_is_not_run_again(tmp_path: Path):
    folder = fresh(tmp_path)
    first = await run(folder, TALKS, Watching())
    content, watching = folder.turns_file.read_bytes(), Watching()
    again = await run(folder, TALKS, watching)
    assert again.totals == first.totals
    assert again.complete
    assert not watching.asked
    assert folder.turns_file.read_bytes() == content


@pytest.mark.parametrize("after", [1, 2, 5, 13, 20, 21])
async def test_stopping_keeps_what_was_answered_and_resuming_asks_only_the_rest(tmp_path: Path, after: int):
    folder, stop = fresh(tmp_path), asyncio.Event()
    first = Watching(after=after, then=stop.set)
    stopped = await run(folder, TALKS, first, stop=stop, concurrency=3)
    assert after <= stopped.done <= after + 2
    assert stopped.done == sum(first.asked.values()) == len(list(folder.records()))
    assert folder.status is (RunStatus.COMPLETE if after == 21 else RunStatus.INCOMPLETE)
    second = Watching()
    finished = await run(folder, TALKS, second)
    assert finished.complete
    assert set((first.asked + second.asked).values()) == {1}
    assert await _records_of_a_whole_run(tmp_path / "whole") == _sorted(folder)


async def test_a_stop_before_the_start_asks_nothing(tmp_path: Path):
    folder, stop, watching = fresh(tmp_path), asyncio.Event(), Watching()
    stop.set()
    assert (await run(folder, TALKS, watching, stop=stop)).done == 0
    assert not watching.asked


async def test_cancelling_keeps_what_was_answered(tmp_path: Path):
    folder = fresh(tmp_path)
    watching = Watching(seconds=0.001, after=10)
    task = asyncio.create_task(run(folder, TALKS, watching, concurrency=2))
    watching.then = task.cancel
    with pytest.raises(asyncio.CancelledError):
        await task
    kept = len(list(folder.records()))
    assert 8 <= kept <= 10
    assert folder.status is RunStatus.INCOMPLETE
    assert (await run(folder, TALKS, Watching())).complete
    assert await _records_of_a_whole_run(tmp_path / "whole") == _sorted(folder)


async def test_progress_never_says_more_than_is_on_disk(tmp_path: Path):
    folder, seen = fresh(tmp_path), []

    def look(progress: Progress) -> None:
        seen.append(progress.done)
        assert progress.done <= len(list(folder.records()))

    await run(folder, TALKS, Watching(seconds=0.001), on_progress=look, concurrency=2)
    assert seen == sorted(seen)
    assert seen[-1] == 21


async def test_an_error_in_a_turn_is_kept_and_the_run_goes_on(tmp_path: Path):
    folder = fresh(tmp_path)
    progress = await run(folder, TALKS, lambda _talk, _sample: FakeAnalyzer(raises={3: RuntimeError()}))
    assert (progress.done, progress.failures) == (21, 5)
    assert folder.status is RunStatus.COMPLETE


async def test_a_disk_that_fails_ends_the_run_with_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer_module, "_flush", refuse)
    folder = fresh(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        await run(folder, TALKS, Watching(seconds=0.01))
    assert folder.status is RunStatus.INCOMPLETE


async def test_two_cannot_write_one_run(tmp_path: Path):
    folder = fresh(tmp_path)
    with folder.writing(), pytest.raises(LockedError):
        await run(folder, TALKS, Watching())


async def test_gold_state_reaches_every_conversation(tmp_path: Path):
    labels = {talk.id: labels_of(talk) for talk in TALKS}
    folder = fresh(tmp_path, state_mode=StateMode.GOLD)
    await run(folder, TALKS, Watching(), labels=labels)
    counts = {(record.turn, record.before.interaction_count) for record in folder.records()}
    assert counts == {(2 * number + 1, number) for number in range(6)}


async def test_a_fork_runs_from_its_turn_on(tmp_path: Path):
    earlier = fresh(tmp_path)
    await run(earlier, TALKS, Watching())
    start = next(record for record in earlier.records() if record.key == ("c4", 3, 0))
    fork = Fork(run_id=earlier.run_id, conversation_id="c4", turn=3)
    folder = fresh(tmp_path, [TALKS[3]], state_mode=StateMode.FORK, fork=fork)
    progress = await run(folder, [TALKS[3]], Watching(), start=start)
    assert progress.complete
    assert [record.turn for record in folder.records()] == [3, 5, 7]


async def test_picked_turns_are_answered_in_the_states_that_an_earlier_run_had_there(tmp_path: Path):
    earlier = fresh(tmp_path)
    await run(earlier, TALKS, Watching())
    wanted = {("c2", 3), ("c4", 1), ("c4", 5)}
    picked = [record for record in earlier.records() if (record.conversation_id, record.turn) in wanted]
    talks = [TALKS[1], TALKS[3]]
    folder = fresh(tmp_path, talks, state_mode=StateMode.TURNS, picked=picked_turns(picked), samples=2)
    watching = Watching(0.01)
    progress = await run(folder, talks, watching, picked=picked)
    assert (progress.done, progress.total, progress.complete) == (6, 6, True)
    assert watching.most_at_once > 2  # turns of one conversation side by side: nothing is carried
    befores = {(record.conversation_id, record.turn): record.before for record in picked}
    assert {(r.conversation_id, r.turn): r.before for r in folder.records()} == befores
    assert {record.key for record in folder.records()} == {(*turn, sample) for turn in wanted for sample in (0, 1)}


async def test_a_stopped_run_of_picked_turns_goes_on_with_those_that_are_missing(tmp_path: Path):
    earlier = fresh(tmp_path)
    await run(earlier, TALKS, Watching())
    picked = [record for record in earlier.records() if record.conversation_id == "c6"]
    folder = fresh(tmp_path, [TALKS[5]], state_mode=StateMode.TURNS, picked=picked_turns(picked))
    stop = asyncio.Event()
    first = Watching(after=2, then=stop.set)
    assert (await run(folder, [TALKS[5]], first, picked=picked, stop=stop, concurrency=1)).done == 2
    second = Watching()
    assert (await run(folder, [TALKS[5]], second, picked=picked)).complete
    assert set(first.asked).isdisjoint(second.asked)
    assert len(second.asked) == 4


MISTAKES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "other conversations": ({}, {"conversations": TALKS[:2]}, "are not those that the run"),
    "gold without labels": ({"state_mode": StateMode.GOLD}, {}, "gold state needs labels"),
    "gold with labels for some": ({"state_mode": StateMode.GOLD}, {"labels": {"c1": {}}}, "have none: c2, c3"),
    "labels without gold": ({}, {"labels": {}}, "other state modes take none"),
    "turns that were not picked": ({"state_mode": StateMode.TURNS}, {}, "picked turns need the records"),
    "a fork without a start": ({"state_mode": StateMode.FORK}, {}, "a fork needs the record that its spec names"),
}


@pytest.mark.parametrize(("spec", "arguments", "said"), MISTAKES.values(), ids=MISTAKES)
async def test_what_the_spec_does_not_say_is_refused(
    tmp_path: Path, spec: dict[str, Any], arguments: dict[str, Any], said: str
):
    arguments = {"conversations": TALKS, "analyzer_for": Watching(), **arguments}
    with pytest.raises(InputError, match=said):
        await run(fresh(tmp_path, **spec), **arguments)


async def _records_of_a_whole_run(runs: Path) -> list[Any]:
    folder = fresh(runs)
    await run(folder, TALKS, Watching())
    return _sorted(folder)


def _sorted(folder: RunFolder) -> list[Any]:
    return sorted(folder.records(), key=lambda record: record.key)
