"""Jobs run on one loop, outlive whoever began them, and end in words."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from engine.errors import InputError
from evals.progress import Progress
from evals.records import RunTotals
from workbench.background import Background, Job, JobStatus, Report, TooSlowError

WAIT = 20.0


@pytest.fixture
def background() -> Iterator[Background]:
    made = Background()
    yield made
    made.close()


def ended(background: Background, key: str) -> Job:
    """The job once it has ended, asked for as a page would."""
    for _ in range(int(WAIT / 0.01)):
        job = background.job(key)
        assert job is not None
        if job.ended:
            return job
        threading.Event().wait(0.01)
    raise AssertionError(f"{key} did not end within {WAIT} s")


async def says(words: str) -> str:
    return words


async def waits_to_be_stopped(_: Report, stop: asyncio.Event) -> str:
    await stop.wait()
    return "3 of 9 turns"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, (JobStatus.DONE, "all of it")),
        (InputError("no such file"), (JobStatus.FAILED, "no such file")),
        (ZeroDivisionError("a secret"), (JobStatus.FAILED, "It failed (ZeroDivisionError).")),
    ],
)
def test_a_job_ends_in_words(background: Background, error: Exception | None, outcome: tuple[JobStatus, str]) -> None:
    async def work(_: Report, __: asyncio.Event) -> str:
        if error is not None:
            raise error
        return "all of it"

    begun = background.submit("a", "A", work)
    assert (begun.status, begun.title) == (JobStatus.RUNNING, "A")
    job = ended(background, "a")
    assert (job.status, job.outcome) == outcome


def test_a_job_that_fails_leaves_the_loop_to_others(background: Background) -> None:
    async def fails(_: Report, __: asyncio.Event) -> str:
        raise ZeroDivisionError

    background.submit("a", "A", fails)
    assert ended(background, "a").status is JobStatus.FAILED
    background.submit("b", "B", lambda _, __: says("still here"))
    assert ended(background, "b").outcome == "still here"


def test_a_job_is_stopped_cleanly(background: Background) -> None:
    background.submit("a", "A", waits_to_be_stopped)
    background.stop("a")
    job = ended(background, "a")
    assert (job.status, job.outcome) == (JobStatus.STOPPED, "3 of 9 turns")


def test_stopping_what_is_not_there_or_has_ended_changes_nothing(background: Background) -> None:
    background.stop("nobody")
    background.submit("a", "A", lambda _, __: says("done"))
    before = ended(background, "a")
    background.stop("a")
    assert background.job("a") == before
    assert background.job("nobody") is None


def test_asking_twice_for_the_same_job_is_one_job(background: Background) -> None:
    first = background.submit("a", "A", waits_to_be_stopped)
    assert background.submit("a", "A", lambda _, __: says("another")) == first
    background.stop("a")
    assert ended(background, "a").outcome == "3 of 9 turns"
    background.submit("a", "A", lambda _, __: says("anew"))
    assert ended(background, "a").outcome == "anew"


def test_progress_is_seen_from_other_threads(background: Background) -> None:
    reported = threading.Event()

    async def work(report: Report, stop: asyncio.Event) -> str:
        report(Progress(3, 9, 1.0, 6.0, RunTotals(turns=3)))
        reported.set()
        await stop.wait()
        return "stopped"

    background.submit("a", "A", work)
    assert reported.wait(WAIT)
    job = background.job("a")
    assert job is not None
    assert job.progress is not None
    assert (job.progress.done, job.progress.total) == (3, 9)
    background.stop("a")
    assert ended(background, "a").progress == job.progress


def test_jobs_are_listed_newest_first_and_old_ones_forgotten(background: Background) -> None:
    for number in range(60):
        background.submit(str(number), "", lambda _, __: says("done"))
        ended(background, str(number))
    keys = [job.key for job in background.jobs()]
    assert keys[0] == "59"
    assert len(keys) == 50


async def raises(error: Exception) -> str:
    raise error


def test_a_call_gives_the_result_to_the_thread_that_asks(background: Background) -> None:
    async def where() -> str:
        return threading.current_thread().name

    assert background.call(where(), WAIT) == "background"


@pytest.mark.parametrize("error", [InputError("no such file"), TimeoutError("its own")])
def test_a_call_raises_what_the_coroutine_raises(background: Background, error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        background.call(raises(error), WAIT)


def test_a_call_that_takes_too_long_is_cancelled_and_says_so(background: Background) -> None:
    cancelled = threading.Event()

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(TooSlowError, match=r"within 0\.01 seconds"):
        background.call(never(), 0.01)
    assert cancelled.wait(WAIT)


def test_the_loop_does_not_wait_for_itself(background: Background) -> None:
    async def asks() -> str:
        return background.call(says("never"), WAIT)

    with pytest.raises(RuntimeError, match="await the coroutine instead"):
        background.call(asks(), WAIT)


def test_what_was_started_goes_on_by_itself(background: Background) -> None:
    assert background.start(says("done")).result(WAIT) == "done"
