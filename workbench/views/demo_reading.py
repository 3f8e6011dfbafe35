"""What the Demo page tells: gathered once off the page, and anew when what it rests on has changed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Hashable
from dataclasses import dataclass, field, replace

import streamlit as st

from engine.calibration import FittedCalibration
from engine.errors import QBSError
from workbench.background import Job, Report, Work, background
from workbench.comparing import Comparisons
from workbench.demo import DATASET, TENANT, DemoFacts, fit, gather, prepare, reset, rows_to_go
from workbench.live import LiveConversations
from workbench.presenters.demo_runs import Production
from workbench.presenters.demo_steps import steps
from workbench.presenters.demo_values import Step
from workbench.presenters.live_script import next_take
from workbench.services import Services
from workbench.text import count
from workbench.views import compare_reading, prompts_releasing, reading

PREPARING, RESETTING = "demo prepare", "demo reset"
_SECONDS = 5.0  # that a page waits for what stands in Postgres


@dataclass(slots=True)
class Shelf:
    """The newest facts of the process, and what they were gathered from. `problem` says why there is no Postgres."""

    facts: DemoFacts | None = None
    stamp: Hashable = None
    problem: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    fitting: asyncio.Task[None] | None = None  # kept, because the loop does not

    def put(self, facts: DemoFacts, stamp: Hashable) -> None:
        with self.lock:
            self.facts, self.stamp = facts, stamp

    def fitted(self, calibration: FittedCalibration) -> None:
        with self.lock:
            if self.facts is not None:
                self.facts = replace(self.facts, calibration=calibration)


@st.cache_resource(show_spinner=False)
def shelf() -> Shelf:
    """One for the server."""
    return Shelf()


def is_outdated() -> bool:
    return shelf().stamp != _stamp(reading.services())


def is_fitting() -> bool:
    """Whether something is still worked out beside what is there already."""
    fitting = shelf().fitting
    return fitting is not None and not fitting.done()


def job() -> Job | None:
    return background().job(PREPARING)


def begin() -> None:
    """Prepare the demo in the background, unless that is under way."""
    work = _preparing(reading.services(), shelf(), compare_reading.comparisons(), reading.live())
    background().submit(PREPARING, "Preparing the demo", work)


def begin_anew() -> None:
    """Reset the demo in the background, unless that is under way."""
    background().submit(RESETTING, "Resetting the demo", _resetting(reading.services(), reading.live()))


def resetting() -> Job | None:
    return background().job(RESETTING)


def rows() -> int:
    """How many rows of the tenant a reset erases. Raises ConfigurationError, DatabaseUnavailableError."""
    return rows_to_go(reading.services())


def path(*, with_production: bool = True) -> tuple[Step, ...]:
    """The steps as they stand; none where nothing was gathered yet."""
    facts = shelf().facts
    return () if facts is None else steps(facts, production(facts) if with_production else Production())


def production(facts: DemoFacts) -> Production:
    """What stands in Postgres by now."""
    live = reading.live()
    if not live.is_open:
        return Production(problem=shelf().problem)
    try:
        return background().call(_in_production(live, facts), _SECONDS)
    except QBSError as error:
        return Production(problem=f"What is in production is not known: {error}.")


async def _in_production(live: LiveConversations, facts: DemoFacts) -> Production:
    contacts = [each.contact for each in await live.contacts(TENANT)]
    return Production(await live.production(TENANT), next_take(facts.script, contacts))


def _preparing(services: Services, kept: Shelf, comparisons: Comparisons, live: LiveConversations) -> Work:
    async def work(report: Report, stop: asyncio.Event) -> str:
        made, kept.problem = await asyncio.gather(prepare(services, report, stop), _opened(live))
        if stop.is_set():
            return "Stopped; the page goes on with it when it is opened again."
        stamp = await asyncio.to_thread(_stamp, services)
        dataset = await asyncio.to_thread(reading.stamp_of_dataset, services, DATASET)
        kept.put(await asyncio.to_thread(gather, services, made, comparisons, dataset), stamp)
        kept.fitting = asyncio.create_task(_fitting(services, kept))  # the page need not wait for it
        return "The demo is prepared."

    return work


async def _fitting(services: Services, kept: Shelf) -> None:
    """Fit the one thing that takes seconds beside what the other steps show."""
    kept.fitted(await asyncio.to_thread(fit, services))


async def _opened(live: LiveConversations) -> str:
    """Start the Postgres that two of the steps need; why it cannot be had, in words."""
    try:
        await live.open()
    except QBSError as error:
        return f"There is no Postgres to talk to: {error}."
    return ""


def _resetting(services: Services, live: LiveConversations) -> Work:
    async def work(report: Report, stop: asyncio.Event) -> str:
        gone = await live.erase(TENANT, lambda: reset(services))
        prompts_releasing.forget_decisions()
        return f"{count(gone.rows, 'row')} of the tenant {TENANT} went; the demo is at its start."

    return work


def _stamp(services: Services) -> Hashable:
    """What differs once a run is finished, a prompt is saved, or the gate asks for something else."""
    home = services.settings.home
    files = [
        *services.runs_folder.glob("*/finished.json"),
        *(home / "prompts").glob("*.jsonl"),
        *home.glob("promotion.toml"),
        *home.glob("must_not_break.jsonl"),
    ]
    return reading.stamp_of_dataset(services, DATASET), tuple(
        (str(file), file.stat().st_mtime_ns) for file in sorted(files)
    )
