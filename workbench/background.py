"""The one event loop, on a thread of its own, and the long-running jobs on it.

Jobs belong to the process: a rerun, another page or a closed tab does not end them. Pages ask how far a job is and
may stop it; nothing here draws.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from engine.errors import QBSError
from evals.progress import Progress

KEPT_JOBS = 50

Report = Callable[[Progress], None]
Work = Callable[[Report, asyncio.Event], Awaitable[str]]  # answers in a sentence what came of it
ResultT = TypeVar("ResultT")


class TooSlowError(QBSError):
    """What a page waited for was not there in time."""


class JobStatus(StrEnum):
    RUNNING = "running"
    STOPPING = "stopping"  # asked to stop; what is under way is finished and kept
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """A job at one moment. `outcome` says what came of it once it has ended, for people to read; `unit` is what its
    progress counts.
    """

    key: str
    title: str
    status: JobStatus
    begun_at: datetime
    progress: Progress | None = None
    outcome: str = ""
    unit: str = "turn"

    @property
    def ended(self) -> bool:
        return self.status in (JobStatus.STOPPED, JobStatus.DONE, JobStatus.FAILED)


@dataclass(slots=True)
class _Running:
    """What the registry keeps of a job beside its face."""

    job: Job
    stop: asyncio.Event = field(default_factory=asyncio.Event)


class Background:
    """The loop and its jobs. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._jobs: dict[str, _Running] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, name="background", daemon=True)
        self._thread.start()

    def start(self, coroutine: Coroutine[Any, Any, ResultT]) -> Future[ResultT]:
        """Begin a coroutine on the loop. It goes on whatever becomes of the script that asked for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def call(self, coroutine: Coroutine[Any, Any, ResultT], timeout: float) -> ResultT:
        """Run a coroutine on the loop and give its result, or raise its error, to the thread that asks.

        It has `timeout` seconds; then it is cancelled, and TooSlowError is raised. Not to be asked for on the loop's
        own thread, which would wait for itself: RuntimeError.
        """
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("the loop cannot wait for itself: await the coroutine instead")
        future = self.start(coroutine)
        if not wait((future,), timeout).done:
            future.cancel()
            raise TooSlowError(f"nothing came back within {timeout:g} seconds; try again")
        return future.result()

    def submit(self, key: str, title: str, work: Work, unit: str = "turn") -> Job:
        """Begin `work`. If a job with this key is under way, nothing is begun and that one is answered."""
        with self._lock:
            present = self._jobs.get(key)
            if present is not None and not present.job.ended:
                return present.job
            self._forget_oldest()
            job = Job(key, title, JobStatus.RUNNING, datetime.now(UTC), unit=unit)
            running = self._jobs[key] = _Running(job)
        asyncio.run_coroutine_threadsafe(self._do(running, work), self._loop)
        return job

    def job(self, key: str) -> Job | None:
        with self._lock:
            running = self._jobs.get(key)
            return running.job if running else None

    def jobs(self) -> tuple[Job, ...]:
        """The newest first."""
        with self._lock:
            found = [running.job for running in self._jobs.values()]
        return tuple(sorted(found, key=lambda job: job.begun_at, reverse=True))

    def stop(self, key: str) -> None:
        """Ask a job to stop cleanly. One that has ended, or is not there, stays as it is."""
        with self._lock:
            running = self._jobs.get(key)
            if running is None or running.job.status is not JobStatus.RUNNING:
                return
            running.job = replace(running.job, status=JobStatus.STOPPING)
        self._loop.call_soon_threadsafe(running.stop.set)

    def close(self) -> None:
        """End the loop, for tests: the process otherwise takes it along."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _do(self, running: _Running, work: Work) -> None:
        def report(progress: Progress) -> None:
            self._update(running, progress=progress)

        try:
            outcome = await work(report, running.stop)
        except QBSError as error:
            self._update(running, status=JobStatus.FAILED, outcome=str(error))
        except Exception as error:  # noqa: BLE001  # a defect ends its job, not the loop that all jobs share
            import structlog  # takes as long to import as all that a page is drawn with

            structlog.get_logger(__name__).error("job_failed", job=running.job.key, error=type(error).__name__)
            self._update(running, status=JobStatus.FAILED, outcome=f"It failed ({type(error).__name__}).")
        else:
            status = JobStatus.STOPPED if running.stop.is_set() else JobStatus.DONE
            self._update(running, status=status, outcome=outcome)

    def _update(
        self,
        running: _Running,
        *,
        status: JobStatus | None = None,
        progress: Progress | None = None,
        outcome: str = "",
    ) -> None:
        with self._lock:
            job = running.job
            running.job = replace(
                job, status=status or job.status, progress=progress or job.progress, outcome=outcome or job.outcome
            )

    def _forget_oldest(self) -> None:
        ended = sorted((item.job for item in self._jobs.values() if item.job.ended), key=lambda job: job.begun_at)
        for job in ended[: max(0, len(self._jobs) - KEPT_JOBS + 1)]:
            del self._jobs[job.key]


@cache
def background() -> Background:
    """The process's own. Not in a Streamlit cache, which anybody connected may clear."""
    return Background()
