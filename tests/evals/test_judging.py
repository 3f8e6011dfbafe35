"""Judging a run: everything once, resumed where it stopped, failures counted and asked for again."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.model.analysis import FallbackReason
from evals.errors import LockedError
from evals.gold import LabelAnalyzer
from evals.judging import MOST_IN_VAIN, JudgingProgress, judge, questions_of
from evals.runner import run
from evals.runs.folder import RunFolder
from evals.runs.judgements import JUDGEMENTS, kept_judgements, writing_judgements
from tests.evals.judged_runs import MODEL, QUESTIONS, TALKS, ScriptedJudge, finished_run
from tests.evals.values import conversation, labels_of, manifest


async def judged(folder: RunFolder, service: ScriptedJudge, **options) -> JudgingProgress:
    return await judge(folder, TALKS, service, options.pop("model", MODEL), **options)


def failing_once(reason: FallbackReason, *, at: int):
    """Answers everything but the `at`-th request (from 0), which fails for a reason."""
    asked = iter(range(1_000))

    async def answer(_):
        return reason if next(asked) == at else (3, 2)

    return answer


async def test_every_question_is_judged_so_often_and_kept(tmp_path: Path):
    folder, service, seen = await finished_run(tmp_path), ScriptedJudge(), []
    before = folder.turns_file.read_bytes(), (folder.path / "finished.json").read_bytes()
    progress = await judged(folder, service, on_progress=seen.append)
    assert (progress.ended, progress.done, progress.total, progress.questions) == ("complete", 18, 18, QUESTIONS)
    assert progress.cost_usd == pytest.approx(0.018)
    kept = kept_judgements(folder.path)
    assert Counter(own.about for own in kept) == dict.fromkeys(questions_of(folder.records(), ("alpha", "beta")), 3)
    assert {own.repeat for own in kept} == {0, 1, 2}
    assert (folder.turns_file.read_bytes(), (folder.path / "finished.json").read_bytes()) == before
    assert [update.done for update in seen] == sorted(update.done for update in seen)
    assert seen[-1] == progress


async def test_every_question_is_asked_once_before_any_is_asked_again(tmp_path: Path):
    service = ScriptedJudge()
    await judged(await finished_run(tmp_path), service, concurrency=1)
    assert [sample for _, sample in service.asked] == [0] * 6 + [1] * 6 + [2] * 6


async def test_what_was_judged_is_not_asked_again(tmp_path: Path):
    folder, service = await finished_run(tmp_path), ScriptedJudge()
    await judged(folder, service, repeats=2)
    again = await judged(folder, service, repeats=2)
    assert (again.ended, again.done, again.per_second, len(service.requests)) == ("complete", 12, None, 12)
    assert again.cost_usd == pytest.approx(0.012)
    more = await judged(folder, service, repeats=3)
    assert (more.ended, more.done, len(service.requests)) == ("complete", 18, 18)
    assert set(Counter(service.asked).values()) == {1}


async def test_another_judge_judges_for_itself(tmp_path: Path):
    folder, service = await finished_run(tmp_path), ScriptedJudge()
    await judged(folder, service, repeats=1)
    other = await judged(folder, service, repeats=1, model="openai/other")
    assert (other.done, len(service.requests)) == (6, 12)
    assert Counter(own.judge.model for own in kept_judgements(folder.path)) == {MODEL: 6, "openai/other": 6}


async def test_a_question_that_several_samples_came_to_is_judged_once(tmp_path: Path):
    folder, service = await finished_run(tmp_path, *TALKS, samples=3), ScriptedJudge()
    assert sum(1 for _ in folder.records()) == 18
    progress = await judged(folder, service, repeats=1)
    assert (progress.questions, len(service.requests)) == (QUESTIONS, QUESTIONS)


@pytest.mark.parametrize("after", [1, 7])
async def test_a_stop_keeps_what_is_under_way_and_the_next_call_asks_the_rest(tmp_path: Path, after: int):
    folder, stop = await finished_run(tmp_path), asyncio.Event()

    async def stopping(_):
        if len(service.requests) >= after:
            stop.set()
        return (3, 2)

    service = ScriptedJudge(stopping)
    stopped = await judged(folder, service, stop=stop, concurrency=1)
    assert (stopped.ended, stopped.done, len(service.requests)) == ("stopped", after, after)
    done = await judged(folder, service)
    assert (done.ended, done.done) == ("complete", 18)
    assert set(Counter(service.asked).values()) == {1}


@pytest.mark.parametrize("torn", [b'{"check":"0', b"\0" * 300, b'{"check":"00000000","record":{}}\n'])
async def test_a_line_that_a_killed_process_left_half_written_is_asked_for_again(tmp_path: Path, torn: bytes):
    folder, service = await finished_run(tmp_path), ScriptedJudge()
    await judged(folder, service, repeats=1)
    file = folder.path / JUDGEMENTS
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]) + torn)
    progress = await judged(folder, service, repeats=1)
    assert (progress.ended, len(service.requests), len(kept_judgements(folder.path))) == ("complete", 7, 6)


@pytest.mark.parametrize("reason", [FallbackReason.TIMEOUT, FallbackReason.SERVER_ERROR, FallbackReason.NO_RECORDING])
async def test_a_judgement_that_failed_is_counted_and_asked_for_the_next_time(tmp_path: Path, reason: FallbackReason):
    folder, service = await finished_run(tmp_path), ScriptedJudge(failing_once(reason, at=4))
    first = await judged(folder, service, repeats=1)
    assert (first.ended, first.done, first.failures, first.reason) == ("failed", 5, {reason: 1}, None)
    second = await judged(folder, service, repeats=1)
    assert (second.ended, second.done, second.failures, len(service.requests)) == ("complete", 6, {}, 7)


@pytest.mark.parametrize(
    ("reason", "ended", "said"),
    [
        (FallbackReason.LIMIT_REACHED, "limit", None),
        (FallbackReason.NOT_AUTHORISED, "unanswered", FallbackReason.NOT_AUTHORISED),
        (FallbackReason.MODEL_NOT_FOUND, "unanswered", FallbackReason.MODEL_NOT_FOUND),
        (FallbackReason.CIRCUIT_OPEN, "unanswered", FallbackReason.CIRCUIT_OPEN),
    ],
)
async def test_where_asking_on_is_in_vain_it_ends(tmp_path: Path, reason, ended, said):
    folder, service = await finished_run(tmp_path), ScriptedJudge(failing_once(reason, at=2))
    progress = await judged(folder, service, concurrency=1)
    assert (progress.ended, progress.reason, progress.done, len(service.requests)) == (ended, said, 2, 3)
    assert (await judged(folder, service)).ended == "complete"


@pytest.mark.parametrize("reason", [FallbackReason.INVALID_REPLY, FallbackReason.NO_RECORDING])
async def test_a_judge_that_never_gives_anything_of_use_is_given_up(tmp_path: Path, reason: FallbackReason):
    async def useless(_):
        return reason

    service = ScriptedJudge(useless)
    progress = await judged(await finished_run(tmp_path), service, concurrency=1)
    assert (progress.ended, progress.reason, progress.failures) == ("unanswered", reason, {reason: MOST_IN_VAIN})
    assert progress.cost_usd == pytest.approx(0.001 * len(service.requests) * (reason is FallbackReason.INVALID_REPLY))


async def test_what_opened_the_circuit_is_the_reason(tmp_path: Path):
    async def broken(_):
        return FallbackReason.CONNECTION if len(service.requests) < 3 else FallbackReason.CIRCUIT_OPEN

    service = ScriptedJudge(broken)
    progress = await judged(await finished_run(tmp_path), service, concurrency=1)
    assert (progress.ended, progress.reason) == ("unanswered", FallbackReason.CONNECTION)


async def test_no_more_are_asked_at_once_than_allowed(tmp_path: Path):
    now, most = 0, 0

    async def slow(_):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return (3, 2)

    await judged(await finished_run(tmp_path), ScriptedJudge(slow), concurrency=3)
    assert most == 3


async def test_a_run_that_another_process_judges_is_left_alone(tmp_path: Path):
    folder, service = await finished_run(tmp_path), ScriptedJudge()
    with writing_judgements(folder.path, lambda _: None), pytest.raises(LockedError, match="judging the run toys-fake"):
        await judged(folder, service)
    assert service.requests == []


async def test_a_run_without_questions_cannot_be_judged(tmp_path: Path):
    talk = conversation()
    folder = RunFolder.create(tmp_path, manifest(talk))
    await run(folder, [talk], lambda own, sample: LabelAnalyzer(own, labels_of(own)))
    with pytest.raises(InputError, match="has no questions that could be judged"):
        await judge(folder, [talk], ScriptedJudge(), MODEL)
    assert not (folder.path / JUDGEMENTS).exists()


async def test_only_conversations_that_are_given_are_judged(tmp_path: Path):
    folder, service = await finished_run(tmp_path), ScriptedJudge()
    progress = await judge(folder, TALKS[:1], service, MODEL, repeats=1)
    assert (progress.ended, progress.questions) == ("complete", 3)
    assert {own.conversation_id for own in kept_judgements(folder.path)} == {"alpha"}


async def test_runs_over_the_same_conversations_are_judged_in_the_same_order(tmp_path: Path):
    first, second = await finished_run(tmp_path / "a"), await finished_run(tmp_path / "b", attempt=1)
    orders = [
        [(own.conversation_id, own.turn) for own in questions_of(folder.records(), ("alpha", "beta"))]
        for folder in (first, second)
    ]
    assert orders[0] == orders[1] != sorted(orders[0])
