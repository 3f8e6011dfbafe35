"""Production state: read-modify-write through the repository against the same statements sent bare, and listing."""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import set_json_loads

from engine.model.conversation import Channel, DealStage
from engine.model.qualification import Dimension, Evidence, ListSignal, Signal, qualification_from
from engine.model.state import ConversationState
from engine.state.database import Database, TenantSessions
from engine.state.embedded.programs import program
from engine.state.listing import list_statement
from engine.state.repository import ConversationStateRepository
from engine.state.state_rows import read_one, to_columns, update_one
from engine.state.statements import Statement
from engine.state.urls import DatabaseUrls
from tests.benchmarks.figure import Figure
from tests.benchmarks.server import embedded

POOL = 8
ACCOUNT = "account"
LISTED = 100_000
WORK = Callable[[str], Awaitable[None]]


def measure() -> list[Figure]:
    with embedded() as urls:
        tenant = uuid4()
        asyncio.run(_seed(urls, tenant))
        figures = asyncio.run(_read_modify_write(urls, tenant))
        figures.append(_pgbench(urls, tenant))
        return figures + asyncio.run(_listing(urls))


def a_state(tenant: UUID, contact: str) -> ConversationState:
    """A state whose documents are 4 KB."""
    quote = "We lose about forty thousand a month because orders are typed in twice, and nobody can say why."
    evidence = (Evidence(quote=quote, turn=3), Evidence(quote=quote[:70], turn=5))
    one = Signal(value="about forty thousand a month, from double entry", confidence=0.7, evidence=evidence)
    signals = {dimension: one for dimension in Dimension if dimension is not Dimension.DECISION_CRITERIA}
    listed = ListSignal(values=("integration", "support in German"), confidence=0.6, evidence=evidence)
    metadata = {"qbs": {"asked": [f"{number:08x}" for number in range(40)], "pain_state": {"topics": []}}}
    return ConversationState(
        state_id="new",
        tenant_id=str(tenant),
        account_id=ACCOUNT,
        contact_id=contact,
        contact_email=f"{contact}@customer.example",
        contact_name="Ada Holm",
        deal_stage=DealStage.DISCOVERY,
        last_interaction=datetime(2026, 3, 2, 12, tzinfo=UTC),
        last_channel=Channel.EMAIL,
        qualification=qualification_from({**signals, Dimension.DECISION_CRITERIA: listed}),
        metadata=metadata,
    )


async def _seed(urls: DatabaseUrls, tenant: UUID) -> None:
    async with _database(urls) as database, database.tenant(tenant).begin() as session:
        repository = ConversationStateRepository(session)
        for number in range(32):
            await repository.save(a_state(tenant, f"c{number}"), version=None)


@asynccontextmanager
async def _database(urls: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(urls.app, pool_size=POOL, timeout_s=60)
    try:
        yield database
    finally:
        await database.aclose()


async def _read_modify_write(urls: DatabaseUrls, tenant: UUID) -> list[Figure]:
    figures = []
    async with _database(urls) as database, _bare(urls, tenant) as bare:
        ours = _through_repository(database, tenant)
        for workers, goal in ((1, 2.0), (8, 1.3), (32, 2.0)):
            pairs = [
                (await _seconds_each(ours, workers, 250), await _seconds_each(bare, workers, 250)) for _ in range(13)
            ]
            ratio = statistics.median(mine / theirs for mine, theirs in pairs[1:])  # the first warms up
            mine, theirs = (statistics.median(side) for side in zip(*pairs[1:], strict=True))
            name = f"read-modify-write of a 4 KB state, {workers} at a time"
            figures += [
                Figure(f"{name}, against bare psycopg", ratio, "times", goal, note="the same statements"),
                Figure(f"{name}, through the repository", 1 / mine, "a second"),
                Figure(f"{name}, bare psycopg", 1 / theirs, "a second"),
            ]
    return figures


async def _seconds_each(work: WORK, workers: int, total: int) -> float:
    turns = iter(range(total))

    async def worker(contact: str) -> None:
        for _ in turns:
            await work(contact)

    started = time.perf_counter()
    await asyncio.gather(*(worker(f"c{number}") for number in range(workers)))
    return (time.perf_counter() - started) / total


def _through_repository(database: Database, tenant: UUID) -> WORK:
    sessions = database.tenant(tenant)

    async def work(contact: str) -> None:
        async with sessions.begin() as session:
            repository = ConversationStateRepository(session)
            found = await repository.get(ACCOUNT, contact, lock=True)
            assert found is not None
            changed = found.state.model_copy(update={"interaction_count": found.state.interaction_count + 1})
            await repository.save(changed, version=found.version)

    return work


@asynccontextmanager
async def _bare(urls: DatabaseUrls, tenant: UUID) -> AsyncIterator[WORK]:
    """The same statements by psycopg's own means, over connections that are already there; JSON stays text."""
    free: asyncio.LifoQueue[psycopg.AsyncConnection] = asyncio.LifoQueue()
    connections = [await _connection(urls) for _ in range(POOL)]
    for connection in connections:
        free.put_nowait(connection)
    read, write = read_one(True), update_one()
    read_sql, write_sql = read.sql.decode(), write.sql.decode()

    async def work(contact: str) -> None:
        connection = await free.get()
        await connection.execute("select set_config('app.tenant_id', $1, true)", (str(tenant),))
        cursor = await connection.execute(read_sql, (tenant, ACCOUNT, contact))
        row = dict(zip(read.columns, await cursor.fetchone() or (), strict=True))
        row["interaction_count"] += 1
        sent = {**row, "tenant_id": tenant, "seen_version": row["version"], "seen_stage": row["deal_stage"]}
        cursor = await connection.execute(write_sql, [sent[name] for name in write.parameters])
        assert await cursor.fetchone()
        await connection.commit()
        free.put_nowait(connection)

    try:
        yield work
    finally:
        for connection in connections:
            await connection.close()


async def _connection(urls: DatabaseUrls) -> psycopg.AsyncConnection:
    connection = await psycopg.AsyncConnection.connect(urls.app, cursor_factory=psycopg.AsyncRawCursor)
    set_json_loads(lambda text: text if isinstance(text, str) else bytes(text).decode(), connection)
    return connection


def _pgbench(urls: DatabaseUrls, tenant: UUID) -> Figure:
    """The same statements by pgbench, which does nothing else: what the server itself can do."""
    read, write = read_one(True), update_one()
    given = {"tenant_id": f"'{tenant}'", "account_id": f"'{ACCOUNT}'", "contact_id": "'c' || :client_id"}
    seen = {"seen_version": ":version", "seen_stage": ":deal_stage"}
    script = [
        "begin;",
        f"select set_config('app.tenant_id', '{tenant}', true);",
        f"{_filled(read, given)} \\gset",
        f"{_filled(write, seen)};",
        "commit;",
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write("\n".join(script) + "\n")
        file.flush()
        told = [program("pgbench"), "--no-vacuum", "-M", "prepared", "-c", "8", "-j", "2", "-T", "4", "-f", file.name]
        done = subprocess.run([*map(str, told), urls.app], capture_output=True, text=True, check=True)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found is not None
    return Figure("read-modify-write, pgbench with 8 clients", float(found[1]), "a second")


def _filled(statement: Statement, values: dict[str, str]) -> str:
    """The statement with `:name` for each parameter that has no value given."""
    named = [values.get(name, f":{name}") for name in statement.parameters]
    return re.sub(r"\$(\d+)", lambda found: named[int(found[1]) - 1], " ".join(statement.sql.decode().split()))


async def _listing(urls: DatabaseUrls) -> list[Figure]:
    """The server's own time for a page, planning included, with the rows made ready to be sent."""
    tenant = uuid4()
    await asyncio.to_thread(_fill, urls, tenant)
    async with _database(urls) as database:
        sessions = database.tenant(tenant)
        async with sessions.begin() as session:
            page = await ConversationStateRepository(session).list(stage=DealStage.DISCOVERY, limit=500)
        assert page.next is not None
        cursor = f"'{page.next.updated_at}', '{page.next.state_id}', "
        first, plan = await _server_ms(sessions, {"stage"}, "'discovery', 51")
        later, plan_too = await _server_ms(sessions, {"stage", "after_updated"}, f"{cursor}'discovery', 51")
        assert all(
            "conversation_states_tenant_id_deal_stage" in used and "Seq Scan" not in used for used in (plan, plan_too)
        )

        async def work(_: str) -> None:
            async with sessions.begin() as session:
                page = await ConversationStateRepository(session).list(stage=DealStage.DISCOVERY)
                assert len(page.states) == 50

        await _seconds_each(work, 1, 10)
        whole = await _seconds_each(work, 1, 50)
    name = f"list 50 of {LISTED:,} states by tenant and stage"
    return [
        Figure(f"{name}, in the server", first, "ms", 5, note="index used"),
        Figure(f"{name}, in the server, the 11th page", later, "ms", 5, note="index used"),
        Figure(f"{name}, as states in the program", whole * 1000, "ms"),
    ]


async def _server_ms(sessions: TenantSessions, filters: set[str], given: str) -> tuple[float, str]:
    """Median time in the server and the plan."""
    times, plan = [], ""
    async with sessions.begin() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(f"prepare listing as {list_statement(frozenset(filters)).sql.decode()}")
        explain = f"explain (analyze, serialize text, format json) execute listing('{sessions.tenant_id}', {given})"
        for _ in range(21):
            [top] = (await connection.exec_driver_sql(explain)).scalar_one()
            times.append(top["Planning Time"] + top["Execution Time"] + top["Serialization"]["Time"])
            plan = json.dumps(top)
    return statistics.median(times), plan


def _fill(urls: DatabaseUrls, tenant: UUID) -> None:
    """Many states of one tenant with documents of their usual size, over the maintenance role: by hand it is quick."""
    state, _ = to_columns(a_state(tenant, "many"))
    given = {
        "tenant": tenant,
        "rows": LISTED,
        "q": str(state["qualification_data"], "utf8"),
        "m": str(state["metadata"], "utf8"),
    }
    with psycopg.connect(urls.maintenance) as connection:
        connection.execute(_MANY, given)
        connection.execute("analyze qbs.conversation_states")


_MANY = """
insert into qbs.conversation_states (tenant_id, state_id, account_id, contact_id, deal_stage, persona_type,
    qualification_data, metadata, schema_version, interaction_count, confidence_score, escalated, next_actions,
    created_at, updated_at, version)
select %(tenant)s, gen_random_uuid(), 'account ' || n %% 4000, 'contact ' || n,
    (array['prospecting', 'discovery', 'qualification', 'evaluation', 'negotiation', 'stalled'])[1 + n %% 6], 'manager',
    %(q)s::jsonb, %(m)s::jsonb, 1, 3, 0.5, false, '[]', now(), now() - n * interval '1 minute', 1
from generate_series(1, %(rows)s) as n
"""
