"""Learning from what is in Postgres: a synchronisation as a job of a page, and promotions to mark."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from engine.releases import Stage
from engine.state.tenants import EVERYBODY
from evals.progress import Progress
from tests.integration.live_customers import ServicesOver
from tests.integration.outcome_values import ago, asked, contact
from tests.integration.released_prompts import edited, release, roll_back
from workbench.learning import promotions, synchronising
from workbench.services import SHIPPED_DATASETS
from workbench.settings import Settings

if TYPE_CHECKING:
    from engine.state.database import Database
    from engine.state.embedded import EmbeddedServer

OUTCOMES = 12


@pytest.fixture
def services(postgres: EmbeddedServer, tmp_path: Path) -> ServicesOver:
    return ServicesOver(Settings(home=tmp_path), SHIPPED_DATASETS, postgres.urls.app)


@pytest.fixture
async def recorded(database: Database, tenant: UUID) -> UUID:
    """A tenant with OUTCOMES questions."""
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        for number in range(OUTCOMES):
            await asked(session, state, ago(100 - number))
    return tenant


def copied(services: ServicesOver, tenant: UUID) -> int:
    cells = services.outcome_store().cells(tenant)
    return cells[0].outcomes if cells else 0


async def synchronised(services: ServicesOver, tenant: UUID) -> str:
    """Once nobody else's transaction on this server is older than what was just written."""
    said = ""
    for _ in range(200):
        said = await synchronising(services, str(tenant))(lambda _: None, asyncio.Event())
        if copied(services, tenant) == OUTCOMES:
            break
        await asyncio.sleep(0.05)
    return said


async def test_a_synchronisation_tells_how_far_it_is_and_what_it_brought(
    services: ServicesOver, recorded: UUID
) -> None:
    await synchronised(services, recorded)
    services.outcome_store().forget(recorded)
    told: list[Progress] = []
    said = await synchronising(services, str(recorded), batch=5)(told.append, asyncio.Event())
    assert said == f"Copied {OUTCOMES} new outcomes and 0 new events."
    assert (told[0].done, told[-1].done) == (0, OUTCOMES)
    assert {progress.total for progress in told} == {OUTCOMES}
    assert await synchronising(services, str(recorded))(told.append, asyncio.Event()) == "Nothing is new in Postgres."


async def test_one_that_was_stopped_keeps_what_it_has_and_the_next_goes_on_there(
    services: ServicesOver, recorded: UUID
) -> None:
    await synchronised(services, recorded)
    services.outcome_store().forget(recorded)
    stop = asyncio.Event()
    stop.set()
    said = await synchronising(services, str(recorded), batch=5)(lambda _: None, stop)
    assert said.startswith(f"Stopped: 5 of {OUTCOMES} facts are copied")
    begun = copied(services, recorded)
    assert 5 <= begun < OUTCOMES  # a batch that was being added then is kept
    await synchronising(services, str(recorded), batch=5)(lambda _: None, asyncio.Event())
    assert copied(services, recorded) == OUTCOMES


async def test_only_production_releases_are_marked_and_rollbacks_say_so(
    services: ServicesOver, database: Database, tenant: UUID
) -> None:
    first, second = edited("Be brief."), edited("Be warm.")
    await release(database, tenant, first)
    await release(database, tenant, edited("Be plain."), Stage.CANDIDATE, evidence={})
    await release(database, tenant, second)
    await roll_back(database, tenant)
    everybodys = await promotions(services, EVERYBODY)
    found = await promotions(services, str(tenant))
    own = [each.name for each in found if each not in everybodys]
    assert own == [first.short, second.short, f"{first.short} (rollback)"]
    assert [each.at for each in found] == sorted(each.at for each in found)
