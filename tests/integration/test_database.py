"""Transactions of one tenant each, over a pool of connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from engine.errors import (
    ConfigurationError,
    DatabaseUnavailableError,
    StateError,
    TenantRequiredError,
)
from engine.model.state import ConversationState
from engine.state.database import Database, TenantSession
from engine.state.embedded import EmbeddedServer
from engine.state.repository import ConversationStateRepository
from engine.state.schema import upgrade
from engine.state.statements import Statement, compiled
from engine.state.tables import ConversationStateModel, MessageModel
from engine.state.urls import parts_of
from tests.integration.postgres_servers import SUPERUSER, TcpServer, short_folder
from tests.integration.wire import Wire

WHO = Statement(b"select current_setting('app.tenant_id', true) as tenant", columns=("tenant",))
COUNT = compiled(select(func.count().label("states")).select_from(ConversationStateModel.__table__))
A_MESSAGE = {"message_id": "m", "state_id": uuid4(), "turn": 0, "speaker": "customer"}  # of no conversation there is
SECRET = "our budget is forty thousand"


async def save(session: TenantSession, contact: str = "contact", **fields: object) -> None:
    state = ConversationState.model_validate(
        {"state_id": "", "tenant_id": str(session.tenant_id), "account_id": "a", "contact_id": contact, **fields}
    )
    await ConversationStateRepository(session).save(state, version=None)


async def states(database: Database, tenant: UUID) -> int:
    async with database.tenant(tenant).begin() as session:
        [[row]] = await session.send(COUNT())
        count: int = row["states"]
        return count


@pytest.fixture
async def narrow(postgres: EmbeddedServer) -> AsyncIterator[Database]:
    """A pool of one connection: whatever somebody leaves behind, the next one gets."""
    database = Database(postgres.urls.app, pool_size=1, timeout_s=10)
    yield database
    await database.aclose()


@pytest.mark.parametrize("nobody", [None, "", " ", UUID(int=0)])
def test_without_a_tenant_nothing_reaches_the_server(nobody: object) -> None:
    database = Database("postgresql://nobody@/nothing?host=/nowhere")
    with pytest.raises(TenantRequiredError):
        database.tenant(nobody)  # type: ignore[arg-type]


async def test_a_block_without_a_statement_never_reaches_the_server(tenant: UUID) -> None:
    async with Database("postgresql://nobody@/nothing?host=/nowhere").tenant(tenant).begin():
        pass


@pytest.mark.parametrize("url", ["sqlite:///state.db", "postgresql://a@/db?nonsense=1", "no address"])
def test_an_address_that_cannot_be_read_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Database(url)
    assert url not in str(caught.value)


async def test_the_tenant_is_set_in_the_transaction_and_gone_after_it(narrow: Database, tenant: UUID) -> None:
    async with narrow.tenant(tenant).begin() as session:
        assert await session.send(WHO()) == [[{"tenant": str(tenant)}]]
        assert (await session.execute(select(func.current_setting("app.tenant_id")))).scalar_one() == str(tenant)
    async with narrow.connection() as connection:
        assert (await connection.execute(select(func.current_setting("app.tenant_id", True)))).scalar() in ("", None)


async def test_one_tenant_sees_nothing_of_another(database: Database, tenant: UUID) -> None:
    async with database.tenant(tenant).begin() as session:
        await save(session)
    assert (await states(database, tenant), await states(database, uuid4())) == (1, 0)
    async with database.connection() as connection:
        assert (await connection.execute(select(ConversationStateModel))).all() == []


async def test_ordinary_queries_and_known_statements_share_one_transaction(database: Database, tenant: UUID) -> None:
    async with database.tenant(tenant).begin() as session:
        await save(session, "one")
        assert len((await session.execute(select(ConversationStateModel))).scalars().all()) == 1
        orm = await session.orm()
        found = (await orm.scalars(select(ConversationStateModel))).one()
        found.contact_name = "Ada"
        await save(session, "two")
    async with database.tenant(tenant).begin() as session:
        page = await ConversationStateRepository(session).list(contact="ada")
    assert ([s.state.contact_name for s in page.states], await states(database, tenant)) == (["Ada"], 2)


class LeaveError(Exception):
    """Somebody leaves the block."""


@pytest.mark.parametrize("ordinary", [False, True])
async def test_an_error_in_the_block_takes_everything_back(database: Database, tenant: UUID, ordinary: bool) -> None:
    async def leave() -> None:
        async with database.tenant(tenant).begin() as session:
            await save(session)
            if ordinary:
                await session.execute(text("select 1"))
            raise LeaveError

    with pytest.raises(LeaveError):
        await leave()
    assert await states(database, tenant) == 0


async def test_an_error_that_is_passed_over_does_not_look_like_success(database: Database, tenant: UUID) -> None:
    async def pass_over() -> None:
        async with database.tenant(tenant).begin() as session:
            await save(session)
            with pytest.raises(psycopg.errors.DivisionByZero):
                await session.send(Statement(b"select 1/0", columns=("x",))())

    with pytest.raises(StateError, match="nothing saved"):
        await pass_over()
    assert await states(database, tenant) == 0


async def test_a_savepoint_takes_back_its_part_only(database: Database, tenant: UUID) -> None:
    async with database.tenant(tenant).begin() as session:
        await save(session, "kept")
        orm = await session.orm()
        savepoint = await orm.begin_nested()
        await save(session, "lost")
        with pytest.raises(IntegrityError):
            await orm.execute(insert(MessageModel).values(**A_MESSAGE, tenant_id=tenant, text=SECRET))
        await savepoint.rollback()
    assert await states(database, tenant) == 1


async def test_what_postgres_refuses_is_said_by_class_and_code_only(database: Database, tenant: UUID) -> None:
    with pytest.raises(StateError, match=r"refused a statement \(CheckViolation, 23514\)") as caught:
        async with database.tenant(tenant).begin() as session:
            await session.execute(
                insert(MessageModel).values(**{**A_MESSAGE, "turn": -1}, tenant_id=tenant, text=SECRET)
            )
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_after_one_statement_of_a_batch_fails_none_is_executed(database: Database, tenant: UUID) -> None:
    failing = Statement(b"select 1 / $1::int as x", ("by",), ("x",))

    async def fail() -> None:
        async with database.tenant(tenant).begin() as session:
            await save(session)
            await session.send(COUNT(), failing(by=0), WHO())

    with pytest.raises(StateError, match="DivisionByZero"):
        await fail()
    async with database.tenant(tenant).begin() as session:  # what was prepared then is known now
        assert await session.send(failing(by=1), WHO(), COUNT()) == [
            [{"x": 1}],
            [{"tenant": str(tenant)}],
            [{"states": 0}],
        ]


LEFT_BEHIND = {
    "a tenant set for the session": "set app.tenant_id = '7f000000-0000-4000-8000-000000000001'",
    "a search path": "set search_path = pg_temp",
    "another time zone": "set timezone = 'Asia/Tokyo'",
    "a cursor that is held": "declare kept cursor with hold for select 1",
    "an advisory lock": "select pg_advisory_lock(4711)",
    "a prepared plan": "prepare kept as select 1",
    "listening": "listen kept",
}
STATE_OF_SESSION = text(
    """select coalesce(current_setting('app.tenant_id', true), ''), current_setting('timezone'),
    current_setting('search_path'), (select count(*) from pg_cursors where name = 'kept'),
    (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()),
    (select count(*) from pg_prepared_statements where name = 'kept'),
    (select count(*) from pg_listening_channels())"""
)


@pytest.mark.parametrize("left", LEFT_BEHIND)
@pytest.mark.parametrize("ending", ["commit", "error"])
@pytest.mark.parametrize("quick", [False, True])
async def test_what_a_transaction_leaves_in_the_session_is_cleared(
    narrow: Database, tenant: UUID, left: str, ending: str, quick: bool
) -> None:
    try:
        async with narrow.tenant(tenant).begin() as session:
            if quick:
                await session.send(Statement(LEFT_BEHIND[left].encode())())
            else:
                await session.execute(text(LEFT_BEHIND[left]))
            if ending == "error":
                raise LeaveError
    except LeaveError:
        pass
    async with narrow.connection() as connection:
        found = (await connection.execute(STATE_OF_SESSION)).one()
    assert found == ("", "UTC", "qbs, pg_temp", 0, 0, 0, 0)


async def test_known_statements_stay_prepared_from_one_transaction_to_the_next(narrow: Database, tenant: UUID) -> None:
    seen = Statement(b"select count(*) as n from pg_prepared_statements where name like 'qbs_%'", columns=("n",))
    counts = []
    for _ in range(3):
        async with narrow.tenant(tenant).begin() as session:
            [_, [row]] = await session.send(WHO(), seen())
            counts.append(row["n"])
    assert counts[0] >= 3
    assert counts[1] == counts[2]


async def test_neither_the_environment_nor_the_server_says_how_text_and_times_are_written(
    tcp_postgres: TcpServer, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    name = "Åsa Öberg, 中"
    with psycopg.connect(tcp_postgres.url(SUPERUSER), autocommit=True) as administrator:
        administrator.execute("alter role qbs_app set datestyle = 'German'")
        try:
            database = Database(tcp_postgres.urls.app)
            async with database.tenant(tenant).begin() as session:
                await save(session, contact_name=name)
            await database.aclose()
        finally:
            administrator.execute("alter role qbs_app reset datestyle")
    with psycopg.connect(tcp_postgres.urls.maintenance, client_encoding="UTF8") as connection:
        kept = connection.execute(
            "select contact_name from qbs.conversation_states where tenant_id = %s", [tenant]
        ).fetchall()
    assert kept == [(name,)]


async def test_a_session_that_is_over_takes_no_more_statements(database: Database, tenant: UUID) -> None:
    async with database.tenant(tenant).begin() as session:
        await session.send(WHO())
    with pytest.raises(StateError, match="this session is over"):
        await session.send(WHO())


@pytest.mark.parametrize("ordinary", [False, True])
async def test_a_cancelled_task_takes_everything_back_and_its_connection_can_be_used_again(
    narrow: Database, tenant: UUID, ordinary: bool
) -> None:
    begun = asyncio.Event()

    async def slow() -> None:
        async with narrow.tenant(tenant).begin() as session:
            await save(session)
            if ordinary:
                await session.execute(text("set app.tenant_id = 'x'"))
            begun.set()
            if ordinary:
                await session.execute(text("select pg_sleep(8)"))
            await session.send(Statement(b"select pg_sleep(8)", columns=("slept",))())

    task = asyncio.create_task(slow())
    await begun.wait()
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await states(narrow, tenant) == 0


async def test_connections_that_the_server_closed_are_replaced(
    database: Database, postgres: EmbeddedServer, tenant: UUID
) -> None:
    await asyncio.gather(*(states(database, tenant) for _ in range(8)))
    with psycopg.connect(postgres.urls.maintenance, autocommit=True) as administrator:
        administrator.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'qbs' "
            "and usename = 'qbs_app'"
        )
    assert await asyncio.gather(*(states(database, tenant) for _ in range(8))) == [0] * 8


@pytest.fixture
async def wire(tcp_postgres: TcpServer) -> AsyncIterator[Wire]:
    async with Wire(int(parts_of(tcp_postgres.urls.app)["port"])) as wire:
        yield wire


def over(wire: Wire, server: TcpServer, *, timeout_s: float) -> Database:
    port = parts_of(server.urls.app)["port"]
    return Database(server.urls.app.replace(f":{port}/", f":{wire.port}/"), pool_size=2, timeout_s=timeout_s)


async def test_a_connection_cut_before_the_first_answer_is_tried_once_again(
    wire: Wire, tcp_postgres: TcpServer, tenant: UUID
) -> None:
    database = over(wire, tcp_postgres, timeout_s=10)
    assert await states(database, tenant) == 0
    wire.cut()
    assert await states(database, tenant) == 0
    await database.aclose()


@pytest.mark.parametrize("ordinary", [False, True])
async def test_a_connection_cut_in_the_middle_is_said_and_nothing_is_kept(
    wire: Wire, tcp_postgres: TcpServer, tenant: UUID, ordinary: bool
) -> None:
    database = over(wire, tcp_postgres, timeout_s=10)

    async def lose() -> None:
        async with database.tenant(tenant).begin() as session:
            await save(session)
            if ordinary:
                await session.execute(text("select 1"))
            wire.cut()
            await session.send(WHO())

    with pytest.raises(DatabaseUnavailableError, match="connection to Postgres was lost"):
        await lose()
    assert await states(database, tenant) == 0
    await database.aclose()


@pytest.mark.parametrize("when", ["before the first connection", "between transactions", "in a transaction"])
async def test_a_server_that_hangs_is_given_up_and_found_again(
    wire: Wire, tcp_postgres: TcpServer, tenant: UUID, when: str
) -> None:
    database = over(wire, tcp_postgres, timeout_s=1.5)
    if when == "between transactions":
        await states(database, tenant)
    if when != "in a transaction":
        wire.stall()

    async def work() -> None:
        async with asyncio.timeout(60), database.tenant(tenant).begin() as session:
            await session.send(WHO())
            wire.stall()
            await session.send(WHO())

    with pytest.raises(DatabaseUnavailableError):
        await work()
    wire.flow()
    assert await states(database, tenant) == 0
    await database.aclose()


async def test_a_task_that_is_cancelled_while_the_server_hangs_ends(
    wire: Wire, tcp_postgres: TcpServer, tenant: UUID
) -> None:
    database = over(wire, tcp_postgres, timeout_s=2)
    await states(database, tenant)
    wire.stall()
    task = asyncio.create_task(states(database, tenant))
    await asyncio.sleep(0.05)
    task.cancel()
    async with asyncio.timeout(60):
        with pytest.raises(asyncio.CancelledError):
            await task
    wire.flow()
    assert await states(database, tenant) == 0
    await database.aclose()


async def test_nobody_there_is_said_with_what_to_do(tenant: UUID) -> None:
    database = Database("postgresql://qbs_app:secret@127.0.0.1:1/qbs", timeout_s=10)
    with pytest.raises(DatabaseUnavailableError, match="nobody answers there; start the server") as caught:
        await states(database, tenant)
    assert "secret" not in str(caught.value)


async def test_who_waits_too_long_for_a_connection_is_told(postgres: EmbeddedServer, tenant: UUID) -> None:
    database = Database(postgres.urls.app, pool_size=1, timeout_s=5)
    async with database.tenant(tenant).begin(timeout_s=60) as session:
        await session.send(WHO())
        with pytest.raises(DatabaseUnavailableError, match=r"no connection became free within 0\.05 s"):
            async with database.tenant(tenant).begin(timeout_s=0.05) as other:
                await other.send(WHO())
    assert await states(database, tenant) == 0
    await database.aclose()


async def test_a_row_that_stays_locked_is_waited_for_only_so_long(postgres: EmbeddedServer, tenant: UUID) -> None:
    patient = Database(postgres.urls.app, timeout_s=60)
    hasty = Database(postgres.urls.app, timeout_s=0.5)
    async with patient.tenant(tenant).begin() as session:
        await save(session)
    async with patient.tenant(tenant).begin() as session:
        await ConversationStateRepository(session).get("a", "contact", lock=True)
        with pytest.raises(DatabaseUnavailableError, match="stayed locked by somebody else"):
            async with hasty.tenant(tenant).begin() as other:
                await ConversationStateRepository(other).get("a", "contact", lock=True)
    await patient.aclose()
    await hasty.aclose()


async def test_work_on_whole_sets_may_take_longer_than_usual(postgres: EmbeddedServer, tenant: UUID) -> None:
    database = Database(postgres.urls.app, timeout_s=0.4)
    slow = Statement(b"select pg_sleep(0.8) is null as slept", columns=("slept",))
    with pytest.raises(DatabaseUnavailableError, match="a statement took too long"):
        async with database.tenant(tenant).begin() as session:
            await session.send(slow())
    async with database.tenant(tenant).begin(timeout_s=60) as session:
        assert len(await session.send(slow())) == 1
    await database.aclose()


async def test_many_tenants_over_few_connections_with_cancellations_never_meet(postgres: EmbeddedServer) -> None:
    database = Database(postgres.urls.app, pool_size=4, timeout_s=30)
    tenants = [uuid4() for _ in range(10)]
    kept = dict.fromkeys(tenants, 0)

    async def one(number: int) -> None:
        tenant = tenants[number % len(tenants)]
        async with database.tenant(tenant).begin() as session:
            await save(session, f"c{number}")
            if number % 3 == 0:
                rows = (await session.execute(select(ConversationStateModel.tenant_id))).scalars().all()
                assert set(rows) == {tenant}
            if number % 7 == 0:
                raise LeaveError
        kept[tenant] += 1

    tasks = [asyncio.create_task(one(number)) for number in range(300)]
    for number, task in enumerate(tasks):
        if number % 5 == 0:
            await asyncio.sleep(0)
            task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(end) for end in ended} <= {type(None), LeaveError, asyncio.CancelledError}
    for tenant in tenants:
        assert await states(database, tenant) == kept[tenant]
    await database.aclose()


async def test_after_the_server_was_killed_and_started_again_the_pool_recovers_by_itself(tenant: UUID) -> None:
    with short_folder() as folder:
        server = TcpServer(folder)
        server.make()
        upgrade(server.urls.owner)
        database = Database(server.urls.app, timeout_s=20)
        async with database.tenant(tenant).begin() as session:
            await save(session)
        assert await asyncio.gather(*(states(database, tenant) for _ in range(8))) == [1] * 8
        server.kill()
        with pytest.raises(DatabaseUnavailableError):
            await states(database, tenant)
        server.start()
        assert await asyncio.gather(*(states(database, tenant) for _ in range(8))) == [1] * 8
        await database.aclose()
        server.stop()
