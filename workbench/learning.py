"""Learning from outcomes in this installation: whose there are, the copy brought up to date, promotions over it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from engine.state.tenants import EVERYBODY, tenant_uuid
from workbench.background import Report, Work
from workbench.services import Services
from workbench.text import count

if TYPE_CHECKING:
    from engine.releases import Release
    from engine.state.database import Database
    from evals.learning.facts import Cell, OutcomeStore
    from evals.learning.sync import Synced
    from evals.learning.trend import Promotion

SIMULATED = "simulated"  # the tenant of the simulated world
SIMULATED_DATASET = "simulated_outcomes"
UNIT = "fact"  # what a synchronisation counts: an outcome, or something that happened to one
KNOWN_NAMES = ("other-company", "demo")  # tenants that the Live page offers, whose names UUIDs do not tell
_HISTORY = 200
_SECONDS = 10.0


class _StoppedError(Exception):
    """A person asked for it."""


@dataclass(frozen=True, slots=True)
class Whose:
    """A tenant that can be looked at. `has_facts` says whether the copy holds anything of it."""

    name: str
    has_facts: bool

    @property
    def simulated(self) -> bool:
        return is_simulated(self.name)


def is_simulated(tenant: UUID | str) -> bool:
    return tenant_uuid(tenant) == tenant_uuid(SIMULATED)


def sync_key(tenant: UUID | str) -> str:
    """What tells one synchronisation from another: a tenant has one at a time."""
    return f"sync outcomes of {tenant_uuid(tenant)}"


def tenants(services: Services, present: Sequence[UUID], asked: str | None = None) -> tuple[Whose, ...]:
    """One's own tenant first, then those that the copy has `present` (or that are asked for), the simulated one last.

    Raises TenantRequiredError for a name that no tenant can have.
    """
    own = services.settings.tenant
    named = {tenant_uuid(name): name for name in (SIMULATED, asked, *KNOWN_NAMES, own) if name}
    wanted = [tenant_uuid(own), *present, *([tenant_uuid(asked)] if asked else ())]
    simulated = tenant_uuid(SIMULATED)
    ordered = dict.fromkeys([*(each for each in wanted if each not in (simulated, EVERYBODY)), simulated])
    return tuple(Whose(named.get(each, str(each)), each in present) for each in ordered)


def synchronising(services: Services, tenant: str, batch: int | None = None) -> Work:
    """Bring the copy of a tenant's outcomes up to date. Stopped, it keeps what it has, and the next one goes on there.

    The work raises what `services.database` and `evals.learning.sync.sync` raise.
    """

    async def work(report: Report, stop: asyncio.Event) -> str:
        from engine.outcomes.bulk import BATCH
        from evals.learning.sync import sync

        database, store = await services.database(), services.outcome_store()
        copied = 0
        try:
            ahead = await _ahead(database, store, tenant)
            told = _Telling(report, ahead, time.monotonic())

            def on_batch(done: Synced) -> None:
                nonlocal copied
                copied = done.outcomes + done.events
                told(copied)
                if stop.is_set():
                    raise _StoppedError

            told(0)
            synced = await sync(database, store, tenant, on_batch=on_batch, batch=batch or BATCH)
        except _StoppedError:
            await asyncio.to_thread(store.refresh, tenant)
            return f"Stopped: {copied:,} of {count(ahead, UNIT)} are copied; the next synchronisation goes on there."
        finally:
            await database.aclose()
        if not synced.outcomes + synced.events:
            return "Nothing is new in Postgres."
        return f"Copied {count(synced.outcomes, 'new outcome')} and {count(synced.events, 'new event')}."

    return work


def as_alike(cell: Cell, effect: float) -> Cell:
    """The cell as if its outcomes were of as many conversations as the design effect says."""
    if cell.rate is None or effect <= 1:
        return cell
    conversations = max(2, round(cell.resolved / effect))
    squares = effect * cell.rate * (1 - cell.rate) * cell.resolved * (conversations - 1) / conversations
    return replace(cell, conversations=conversations, squares=squares)


def postgres_runs(services: Services) -> bool:
    """Whether Postgres can be asked without starting it."""
    server = services.database_server
    return not server.embedded or server.is_running()


def simulated_promotions(services: Services) -> tuple[Promotion, ...]:
    """When the second prompt of the simulated world took over."""
    from evals.learning.simulated import PROMPTS
    from evals.learning.simulated_data import MANIFEST
    from evals.learning.trend import Promotion

    told = json.loads((services.shipped / SIMULATED_DATASET / MANIFEST).read_bytes())
    return (Promotion(datetime.fromisoformat(told["promoted_at"]), PROMPTS[-1]),)


async def promotions(services: Services, tenant: UUID | str) -> tuple[Promotion, ...]:
    """When which prompts went into production for a tenant, its own or everybody's. Raises StateError."""
    from engine.releases import Stage
    from evals.learning.trend import Promotion

    found = [release for release in await _releases(services, tenant) if release.stage is Stage.PRODUCTION]
    return tuple(
        Promotion(release.released_at, f"{release.short}{' (rollback)' if release.returns_to is not None else ''}")
        for release in sorted(found, key=lambda own: own.released_at)
    )


async def _releases(services: Services, tenant: UUID | str) -> list[Release]:
    from engine.releases import ReleaseRepository

    database = await services.database()
    found: list[Release] = []
    try:
        for who in dict.fromkeys((tenant_uuid(tenant), EVERYBODY)):
            async with database.tenant(who).begin(timeout_s=_SECONDS) as session:
                found += await ReleaseRepository(session).history(limit=_HISTORY)
    finally:
        await database.aclose()
    return found


async def _ahead(database: Database, store: OutcomeStore, tenant: str) -> int:
    from engine.outcomes.ahead import facts_ahead
    from evals.learning.facts.following import marks_of

    marks = await asyncio.to_thread(store.work, tenant, marks_of)
    async with database.tenant(tenant).begin(timeout_s=_SECONDS) as session:
        return await facts_ahead(session, marks.outcomes, marks.events)


@dataclass(frozen=True, slots=True)
class _Telling:
    """Says how far a synchronisation is; the rate is of this session."""

    report: Report
    ahead: int
    began: float

    def __call__(self, copied: int) -> None:
        from evals.progress import Progress
        from evals.records import RunTotals

        seconds = time.monotonic() - self.began
        rate = copied / seconds if copied and seconds > 0 else None
        left = max(0, self.ahead - copied) / rate if rate else None
        self.report(Progress(copied, max(self.ahead, copied), rate, left, RunTotals()))
