from __future__ import annotations

import asyncio
import random
from uuid import UUID, uuid4

import psycopg
import pytest

from engine.errors import StateError
from engine.outcomes import OutcomeTracker, resolve_closed
from engine.outcomes.feed import EventBatch, FactMark, OutcomeBatch, events_after, outcomes_after
from engine.state.backup import backup, restore
from engine.state.database import Database
from engine.state.schema import upgrade
from tests.integration.databases import fresh_database
from tests.integration.outcome_values import ago, asked, contact
from tests.integration.postgres_servers import TcpServer, short_folder


async def everything_new(database: Database, tenant: UUID, mark: FactMark | None, limit: int = 10) -> OutcomeBatch:
    """What is new, read in batches, each in a transaction of its own."""
    facts = []
    while True:
        async with database.tenant(tenant).begin() as session:
            batch = await outcomes_after(session, mark, limit)
        mark = batch.mark
        if not batch.facts:
            return OutcomeBatch(facts=tuple(facts), mark=mark)
        facts += batch.facts


async def new_events(database: Database, tenant: UUID, mark: FactMark | None) -> EventBatch:
    async with database.tenant(tenant).begin() as session:
        return await events_after(session, mark)


async def settled(database: Database, tenant: UUID, mark: FactMark | None, expected: int) -> OutcomeBatch:
    """What is new, once nobody else's transaction on this server is older than it."""
    facts: list = []
    for _ in range(200):
        batch = await everything_new(database, tenant, mark)
        facts += batch.facts
        mark = batch.mark
        if len(facts) >= expected:
            break
        await asyncio.sleep(0.05)
    return OutcomeBatch(facts=tuple(facts), mark=batch.mark)


async def test_each_fact_is_read_once_in_batches_of_any_size(database, tenant):
    for number in range(7):
        async with database.tenant(tenant).begin() as session:
            state = await contact(session, f"contact-{number}")
            for hours in (60, 50):
                await asked(session, state, ago(hours + number))
    first = await settled(database, tenant, None, 14)
    assert len({outcome.outcome_id for outcome in first.facts}) == len(first.facts) == 14
    async with database.tenant(tenant).begin() as session:
        assert [len((await outcomes_after(session, None, limit)).facts) for limit in (1, 5, 100)] == [1, 5, 14]
    assert (await everything_new(database, tenant, first.mark)).facts == ()
    async with database.tenant(tenant).begin() as session:
        newest = await asked(session, state, ago(1))
    assert (await settled(database, tenant, first.mark, 1)).facts == (newest,)


async def test_a_transaction_that_ends_later_than_a_younger_one_is_neither_lost_nor_read_twice(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
    async with database.tenant(tenant).begin() as older:
        slow = await asked(older, state, ago(5))
        async with database.tenant(tenant).begin() as younger:
            quick = await asked(younger, state, ago(4))
        waiting = await everything_new(database, tenant, None)
        assert waiting.facts == ()  # it waits for the older transaction, which could still add something before it
    read = await settled(database, tenant, waiting.mark, 2)
    assert read.facts == (slow, quick)


async def test_a_transaction_that_is_rolled_back_holds_up_nothing_and_leaves_nothing(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        kept = await asked(session, state, ago(5))

    async def fail() -> None:
        async with database.tenant(tenant).begin() as session:
            await asked(session, state, ago(4))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert (await settled(database, tenant, None, 1)).facts == (kept,)


async def test_readers_and_writers_at_the_same_time_lose_and_repeat_nothing(database, tenant):
    writers, rounds = 6, 12
    async with database.tenant(tenant).begin() as session:
        states = [await contact(session, f"contact-{number}") for number in range(writers)]
    chance = random.Random(6)

    async def write(state) -> set[UUID]:
        written = set()
        for number in range(rounds):
            async with database.tenant(tenant).begin() as session:
                written.add((await asked(session, state, ago(100 - number))).outcome_id)
                await asyncio.sleep(chance.random() / 50)
        return written

    writing = asyncio.gather(*(write(state) for state in states))
    facts, mark = [], None
    while not writing.done():
        batch = await everything_new(database, tenant, mark)
        facts, mark = facts + list(batch.facts), batch.mark
        await asyncio.sleep(0.001)
    written = set().union(*await writing)
    facts += (await settled(database, tenant, mark, len(written) - len(facts))).facts
    assert len(facts) == len(written) == writers * rounds
    assert {outcome.outcome_id for outcome in facts} == written


async def test_events_are_read_as_outcomes_are_corrections_included(database, tenant):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        await asked(session, state, ago(50))
        await resolve_closed(session)
    first = await new_events(database, tenant, None)
    async with database.tenant(tenant).begin() as session:
        answered = await OutcomeTracker(session).record_reply(state.state_id, at=ago(49), key="told late")
    second = await new_events(database, tenant, first.mark)
    assert [event.kind for event in (*first.facts, *second.facts)] == ["negative", "positive"]
    assert second.facts == (answered,)
    assert answered.supersedes == first.facts[0].event_id


async def test_another_servers_mark_begins_anew(database, tenant):
    async with database.tenant(tenant).begin() as session:
        outcome = await asked(session, await contact(session), ago(5))
    read = await settled(database, tenant, None, 1)
    elsewhere = read.mark.model_copy(update={"server": "elsewhere/00000001", "number": 10**15})
    again = await everything_new(database, tenant, elsewhere)
    assert again.facts == (outcome,)
    assert again.mark == read.mark


async def test_facts_with_another_servers_numbers_are_not_read_wrongly_but_refused(database, tenant, postgres):
    async with database.tenant(tenant).begin() as session:
        await asked(session, await contact(session), ago(5))
    with psycopg.connect(postgres.urls.maintenance) as connection:
        connection.execute("update qbs.outcomes set recorded_in = %s where tenant_id = %s", [10**15, tenant])
    with pytest.raises(StateError, match="recorded_in"):
        await everything_new(database, tenant, None)
    with psycopg.connect(postgres.urls.maintenance) as connection:
        connection.execute("update qbs.outcomes set recorded_in = 0 where tenant_id = %s", [tenant])
    assert len((await everything_new(database, tenant, None)).facts) == 1


async def test_a_tenant_reads_its_own_facts_only(database, tenant):
    async with database.tenant(uuid4()).begin() as session:
        await asked(session, await contact(session), ago(5))
    assert (await everything_new(database, tenant, None)).facts == ()


async def test_after_a_restored_backup_the_reading_begins_anew(tcp_postgres, tenant, tmp_path):
    with fresh_database(tcp_postgres) as urls:
        upgrade(urls.owner)
        database = Database(urls.app)
        async with database.tenant(tenant).begin() as session:
            state = await contact(session)
            kept = await asked(session, state, ago(9))
        backup(urls.maintenance, tmp_path / "state.dump")
        async with database.tenant(tenant).begin() as session:
            lost = await asked(session, state, ago(8))
        read = await settled(database, tenant, None, 2)
        await database.aclose()
        restore(urls.maintenance, tmp_path / "state.dump", replace=True)
        database = Database(urls.app)
        again = await settled(database, tenant, read.mark, 1)
        await database.aclose()
    assert read.facts == (kept, lost)
    assert again.facts == (kept,)


async def test_a_standby_says_that_facts_are_read_from_the_primary(tenant):
    with short_folder() as folder:
        server = TcpServer(folder)
        server.make()
        upgrade(server.urls.owner)
        server.stop()
        server.become_standby()
        server.start()
        database = Database(server.urls.app)
        with pytest.raises(StateError, match=r"standby.*read them from the primary"):
            await new_events(database, tenant, None)
        await database.aclose()
        server.stop()
