"""What the Prompts page reads of releases and writes to them: the database, opened once, and the gate's decisions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import TypeVar
from uuid import UUID

import streamlit as st

from engine.prompts import PromptSet
from engine.releases import Release, ReleaseRepository, Stage
from engine.state.database import Database
from engine.state.tenants import EVERYBODY
from workbench import promoting
from workbench.background import background
from workbench.presenters.prompts_releases import EVERYBODY_NAME
from workbench.promoting import Weighed
from workbench.views import prompts_reading, reading
from workbench.views.prompts_reading import Stamp, stamp_of

SECONDS = 30.0  # that the page waits for the database
_OPENING = 120.0  # that a slow machine may take to set up Postgres
_WEIGHING = 300.0  # for runs that were never judged before
_SHOWN = 40  # releases

ResultT = TypeVar("ResultT")


@cache
def database() -> Database:
    """Open for as long as the process lives. Raises what keeps it from being used."""
    return background().call(reading.services().database(), _OPENING)


def whose(name: str) -> UUID | str:
    """The tenant of this name, or everybody."""
    return EVERYBODY if name == EVERYBODY_NAME else name


def history(name: str) -> tuple[Release, ...]:
    """The releases of a tenant, the newest first; the newest in production is always among them."""
    return _asked(name, _history)


def weighed(name: str, candidate: str, prompts: PromptSet, *, neutral: bool) -> Weighed:
    """What the gate says, asked once for what it rests on.

    Raises what `promoting.weigh` raises.
    """
    newest = tuple(own[0].number if (own := history(each)) else 0 for each in (name, EVERYBODY_NAME))
    return _weighed(name, candidate, prompts.hash, newest, _rests_on(), neutral=neutral)


def promote(name: str, found: Weighed, *, by: str, note: str, override: str | None) -> Release:
    """Put what was weighed into production."""
    return _asked(
        name, lambda database, tenant: promoting.release(database, tenant, found, by=by, note=note, override=override)
    )


def move(name: str, candidate: str, stage: Stage, *, by: str, note: str) -> Release:
    services = reading.services()
    return _asked(
        name, lambda database, tenant: promoting.move(services, database, candidate, tenant, stage, by=by, note=note)
    )


def roll_back(name: str, *, by: str, to: int | None, since: int) -> Release:
    """`since` is the newest number that was seen."""
    return _asked(name, lambda database, tenant: promoting.roll_back(database, tenant, by=by, to=to, since=since))


def forget_decisions() -> None:
    """After a tenant was erased: its releases are numbered from 1 again, so that a number says nothing any more."""
    _weighed.clear()


def _asked(name: str, work: Callable[[Database, UUID | str], Awaitable[ResultT]], seconds: float = SECONDS) -> ResultT:
    opened = database()

    async def asked() -> ResultT:
        return await work(opened, whose(name))

    return background().call(asked(), seconds)


async def _history(database: Database, tenant: UUID | str) -> tuple[Release, ...]:
    async with database.tenant(tenant).begin() as session:
        releases = ReleaseRepository(session)
        found, newest = await releases.history(limit=_SHOWN), await releases.newest(Stage.PRODUCTION)
    there = newest is None or any(own.number == newest.number for own in found)
    return found if there or newest is None else (*found, newest)


def _rests_on() -> Stamp:
    """What differs once a decision may come out otherwise: a run that ended, a rule, a turn on the list, a data set."""
    services = reading.services()
    home = services.settings.home
    finished: Sequence[Stamp] = [
        stamp_of(list(services.runs_folder.glob("*/finished.json"))),
        stamp_of([home / "promotion.toml", home / "must_not_break.jsonl"]),
        *(reading.dataset_stamp(name) for name in services.dataset_names()),
        prompts_reading.stamp(),
    ]
    return tuple(entry for each in finished for entry in each)


@st.cache_resource(show_spinner="Asking the gate", max_entries=20)
def _weighed(
    name: str, candidate: str, digest: str, newest: tuple[int, ...], rests_on: Stamp, *, neutral: bool
) -> Weighed:
    services = reading.services()
    return _asked(
        name,
        lambda database, tenant: promoting.weigh(services, database, candidate, tenant, neutral=neutral),
        _WEIGHING,
    )
