"""The copy of outcomes follows Postgres: what is new of one tenant, once each, and where outcomes stand after it.

Interrupted at any moment, the next synchronisation goes on where it was. Memory holds two batches, whatever there is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from engine.outcomes.bulk import BATCH, event_lines_after, outcome_lines_after, server_clock
from engine.state.database import Database
from evals.learning.facts.following import Marks, Told, add_told, is_another_server, marks_of
from evals.learning.facts.store import OutcomeStore, real_tenant

READ_SECONDS = 300.0  # for one batch

OnBatch = Callable[["Synced"], None]


@dataclass(frozen=True, slots=True)
class Synced:
    """What a synchronisation brought: new outcomes and events, and of how many conversations the standing changed.

    `read_s`, `added_s` and `derived_s` say where the time went; reading and adding go on at the same time.
    """

    outcomes: int = 0
    events: int = 0
    conversations: int = 0
    read_s: float = 0.0
    added_s: float = 0.0
    derived_s: float = 0.0

    def plus(self, more: Synced) -> Synced:
        return Synced(**{field.name: getattr(self, field.name) + getattr(more, field.name) for field in fields(self)})


async def sync(
    database: Database,
    store: OutcomeStore,
    tenant: UUID | str,
    *,
    source: str = "postgres",
    batch: int = BATCH,
    on_batch: OnBatch | None = None,
) -> Synced:
    """Bring the copy of a tenant's outcomes up to date with Postgres.

    `source` is how the server is called in the facts: no address. `on_batch` is told of each batch that is kept.
    Raises StateError as `engine.outcomes.feed`, DatabaseUnavailableError, and LockedError if another process keeps
    working on the copy. Two that synchronise at once hinder each other, and repeat and lose nothing.
    """
    who = real_tenant(tenant)
    marks = await asyncio.to_thread(store.work, who, marks_of)
    done = Synced()
    adding: asyncio.Task[Synced | None] | None = None
    try:
        while True:  # reads the next batch while the one before is added
            told, now, read_s = await _read(database, who, marks, source, batch)
            if adding is not None:
                kept, adding = await adding, None
                if kept is None:  # somebody else went further: what was read is not what follows
                    marks = await asyncio.to_thread(store.work, who, marks_of)
                    continue
                done = done.plus(kept)
                if on_batch:
                    on_batch(done)
            if not len(told) and not is_another_server(told):
                break
            marks = told.marks
            adding = asyncio.create_task(asyncio.to_thread(_add, store, who, told, read_s))
    finally:
        if adding is not None:
            await asyncio.gather(adding, return_exceptions=True)
    return done.plus(await asyncio.to_thread(_derive, store, who, now))


async def _read(
    database: Database, tenant: UUID, marks: Marks, source: str, batch: int
) -> tuple[Told, datetime, float]:
    """The next facts, of outcomes and of events, as one transaction sees them; when that was, and how long it took."""
    began = time.perf_counter()
    async with database.tenant(tenant).begin(timeout_s=READ_SECONDS) as session:
        now = await server_clock(session)
        outcomes = await outcome_lines_after(session, marks.outcomes, batch)
        events = await event_lines_after(session, marks.events, batch)
    return Told(marks, outcomes, events, source), now, time.perf_counter() - began


def _add(store: OutcomeStore, tenant: UUID, told: Told, read_s: float) -> Synced | None:
    """What was added, None if somebody else has followed further meanwhile."""
    began = time.perf_counter()
    if not store.work(tenant, lambda connection, schema: add_told(connection, schema, told)):
        return None
    return Synced(
        outcomes=len(told.outcomes.lines),
        events=len(told.events.lines),
        read_s=read_s,
        added_s=time.perf_counter() - began,
    )


def _derive(store: OutcomeStore, tenant: UUID, now: datetime) -> Synced:
    began = time.perf_counter()
    conversations = store.refresh(tenant, now)
    return Synced(conversations=conversations, derived_s=time.perf_counter() - began)
