"""Nobody reaches another tenant's rows: not by SQL, not by a used connection, not by another way into the server.

Everything is tried on the embedded server and on one over TCP.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.errors import StateError, TenantRequiredError
from engine.state.database import Database, TenantSession
from engine.state.embedded import EmbeddedServer
from engine.state.urls import DatabaseUrls
from tests.integration.attacks import ATTACKS, DONE, NOTHING, ONE_OF_OURS, READING, TABLES, Attack
from tests.integration.databases import REVISIONS, fill
from tests.integration.looking import changed
from tests.integration.postgres_servers import SUPERUSER, TcpServer

UNUSED = UUID(int=4711)


class Place(NamedTuple):
    """A server with the rows of a victim, and an attacker who has none."""

    urls: DatabaseUrls
    superuser: str
    victim: UUID
    attacker: UUID
    ctids: str  # where the victim's messages are, as an array

    def told(self, sql: str) -> str:
        """The statement with the names that stand in it in braces."""
        names = {
            "victim": self.victim,
            "attacker": self.attacker,
            "state": UUID(int=1),
            "unused": UNUSED,
            "ctids": self.ctids,
            "superuser": conninfo_to_dict(self.superuser)["user"],
        }
        return re.sub(r"\{(\w+)\}", lambda it: str(names[it[1]]), sql)


@pytest.fixture(scope="module", params=["embedded", "tcp"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "embedded":
        embedded: EmbeddedServer = request.getfixturevalue("postgres")
        urls, superuser = embedded.urls, embedded.urls.maintenance
    else:
        tcp: TcpServer = request.getfixturevalue("tcp_postgres")
        urls, superuser = tcp.urls, tcp.url(SUPERUSER)
    victim = uuid4()
    fill(urls, *REVISIONS, contacts=2, tenants=(victim, uuid4()))
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("analyze")
        ((ctids,),) = connection.execute(
            "select array_agg(ctid)::text from qbs.messages where tenant_id = %s", [victim]
        ).fetchall()
    return Place(urls, superuser, victim, attacker=uuid4(), ctids=ctids)


def kept(place: Place) -> list[object]:
    """What the victim has, row by row."""
    query = "select t::text from qbs.{} t where tenant_id = %s order by 1"
    with psycopg.connect(place.superuser) as connection:
        return [connection.execute(query.format(it).encode(), [place.victim]).fetchall() for it in TABLES]


def outcome(connection: psycopg.Connection, sql: str) -> str:
    """What came of a statement: NOTHING, the code of its refusal, or how much was reached."""
    try:
        if sql.startswith("copy") and sql.endswith("stdout"):
            with connection.cursor().copy(sql.encode()) as copied:
                reached = sum(len(block) for block in copied)
        else:
            cursor = connection.execute(sql.encode())
            writes = (cursor.statusmessage or "").split()[0] in {"INSERT", "UPDATE", "DELETE", "MERGE"}
            reached = cursor.rowcount if writes else 0
            if cursor.description:
                reached = sum(any(row) for row in cursor.fetchall())
    except psycopg.Error as error:
        return error.sqlstate or type(error).__name__
    return f"{reached} reached" if reached else NOTHING


def fits(expected: str, found: str) -> bool:
    if expected == DONE:
        return found == NOTHING or found.endswith("reached")
    return found == ("1 reached" if expected == ONE_OF_OURS else expected)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda it: it.name)
def test_a_statement_reaches_no_row_of_another_tenant(place: Place, attack: Attack) -> None:
    before = kept(place)
    with psycopg.connect(place.urls.app, autocommit=True) as connection:
        for step in attack.steps:
            found = outcome(connection, place.told(step.sql))
            assert fits(step.outcome, found), (step.sql, found)
    assert kept(place) == before


def test_there_are_as_many_ways_as_promised_and_each_looks_at_something() -> None:
    assert len(ATTACKS) >= 45
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    assert all(any(step.outcome != DONE for step in attack.steps) for attack in ATTACKS)


# What finds nothing for anybody, there being no other session and no statement of theirs that was left behind.
_OF_THE_SERVER = ("by what the planner knows", "by what others are asking", "by what others have prepared")
_RAISES = ("by an error", "by a cast", "in a block")


@pytest.mark.parametrize("attack", [it for it in READING if it.name not in _OF_THE_SERVER], ids=lambda it: it.name)
def test_the_same_questions_find_the_rows_of_the_tenant_who_asks(place: Place, attack: Attack) -> None:
    """Or the attacks would prove nothing."""
    looks = [step for step in attack.steps if step.outcome == NOTHING]
    with psycopg.connect(place.urls.app, autocommit=True) as connection:
        connection.execute("select set_config('app.tenant_id', %s, false)", [str(place.victim)])
        for step in (step for step in attack.steps[1:] if step.outcome == DONE and step.sql != "commit"):
            connection.execute(step.sql.encode())
        found = outcome(connection, place.told(looks[0].sql))
    assert found != NOTHING
    assert found.endswith("reached") or attack.name.startswith(_RAISES)


DEFINER = """create or replace function qbs.seen() returns setof qbs.messages security definer language sql
    begin atomic select * from qbs.messages; end"""

# What a migration might make by mistake, before anybody looks at the catalogue: nothing of it is open by itself.
MISTAKES = {
    "a new table without a policy": (("create table qbs.bare as select 1",), "table qbs.bare", "42501"),
    "a child table": (("create table qbs.child () inherits (qbs.messages)",), "table qbs.child", "42501"),
    "a view of the owner's": (("create view qbs.seen as select * from qbs.messages",), "table qbs.seen", "42501"),
    "a view of the owner's for everybody": (
        ("create view qbs.seen as select * from qbs.messages", "grant select on qbs.seen to public"),
        "table qbs.seen",
        NOTHING,
    ),
    "a function with the owner's rights": (
        (DEFINER,),
        "select * from qbs.seen()",
        NOTHING,
    ),
}


@pytest.mark.parametrize(("made", "look", "expected"), MISTAKES.values(), ids=MISTAKES)
async def test_what_the_owner_makes_by_mistake_shows_nothing(
    place: Place, made: tuple[str, ...], look: str, expected: str
) -> None:
    tenant = f"select set_config('app.tenant_id', '{place.attacker}', true)"
    async with changed(place.superuser, "set local role qbs_owner", *made, tenant) as connection:
        try:
            rows = (await connection.execute(text(look))).all()
        except DBAPIError as error:
            found = str(getattr(error.orig, "sqlstate", error))
        else:
            found = f"{len(rows)} reached" if rows else NOTHING
    assert found == expected


DOORS = {
    "the superuser without a password": {"user": "{superuser}", "password": ""},
    "the superuser with the application's password": {"user": "{superuser}"},
    "the owner without a password": {"user": "qbs_owner", "password": ""},
    "the owner with the application's password": {"user": "qbs_owner"},
    "the application without its password": {"password": ""},
    "the system user who runs the server": {"user": "pgserver", "password": ""},
    "root": {"user": "root", "password": ""},
    "as one who copies the server": {"replication": "true"},
    "as one who copies the database": {"replication": "database"},
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_nobody_comes_in_by_another_door(place: Place, door: dict[str, str]) -> None:
    told = {name: place.told(value) for name, value in door.items()}
    with pytest.raises(psycopg.OperationalError, match=r"password|rejects connection|no pg_hba.conf entry|WAL sender"):
        psycopg.connect(make_conninfo(place.urls.app, passfile="/dev/null", **told))


@pytest.fixture
async def pooled(place: Place) -> AsyncIterator[Database]:
    """One connection, so that whoever comes next gets the one that was used before."""
    database = Database(place.urls.app, pool_size=1)
    yield database
    await database.aclose()


async def seen_without_a_tenant(database: Database) -> int:
    async with database.connection() as connection:
        return sum([len((await connection.execute(text(f"select * from qbs.{it}"))).all()) for it in TABLES])


async def seen_by(database: Database, tenant: UUID) -> int:
    async with database.tenant(tenant).begin() as session:
        return sum([len((await session.execute(text(f"select * from qbs.{it}"))).all()) for it in TABLES])


@pytest.mark.parametrize("tenant", ["", "  ", None, 7, UUID(int=0), "\udc80"])
def test_a_session_of_nobody_raises_before_it_reaches_the_server(tenant: object) -> None:
    with pytest.raises(TenantRequiredError):
        Database("postgresql://nobody@127.0.0.1:1/nowhere").tenant(tenant)  # type: ignore[arg-type]


async def _commits(session: TenantSession) -> None:
    await session.execute(text("select * from qbs.messages"))


async def _fails(session: TenantSession) -> None:
    await session.execute(text("select 1 / 0"))


async def _raises(session: TenantSession) -> None:
    await _commits(session)
    raise ValueError("of ours")


async def _ends_itself(session: TenantSession) -> None:
    await session.execute(text("commit"))
    assert (await session.execute(text("select * from qbs.messages"))).all() == []


async def _rolls_back_to_a_savepoint(session: TenantSession) -> None:
    orm = await session.orm()
    savepoint = await orm.begin_nested()
    await _commits(session)
    await savepoint.rollback()


async def _is_cancelled(session: TenantSession) -> None:
    await _commits(session)
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_soon(task.cancel)
    await session.execute(text("select pg_sleep(60)"))


ENDS = (_commits, _fails, _raises, _ends_itself, _rolls_back_to_a_savepoint, _is_cancelled)


@pytest.mark.parametrize("end", ENDS, ids=lambda it: it.__name__.strip("_"))
async def test_however_a_transaction_ends_its_tenant_ends_with_it(
    place: Place, pooled: Database, end: Callable[[TenantSession], Awaitable[None]]
) -> None:
    async def theirs() -> None:
        async with pooled.tenant(place.victim).begin() as session:
            await end(session)

    await asyncio.gather(asyncio.ensure_future(theirs()), return_exceptions=True)

    assert await seen_without_a_tenant(pooled) == 0
    assert await seen_by(pooled, place.attacker) == 0
    assert await seen_by(pooled, place.victim) > 0


POISONS = {
    "the tenant, for the session": "select set_config('app.tenant_id', '{victim}', false)",
    "the tenant, for the session, and a commit": "select set_config('app.tenant_id', '{victim}', false); commit",
    "a held cursor": "declare held cursor with hold for select * from qbs.messages; commit",
    "a prepared plan": "prepare theirs as select * from qbs.messages",
    "an advisory lock": "select pg_advisory_lock(4711)",
    "a search path": "set search_path = pg_catalog",
    "a role": "set role qbs_app",
    "row security": "set row_security = off",
    "a transaction that only reads": "set session characteristics as transaction read only",
    "listening": "listen everything",
    "a lock on a table": "lock table qbs.conversation_states in access exclusive mode",
}


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
async def test_what_one_tenant_leaves_in_a_session_does_not_reach_the_next(
    place: Place, pooled: Database, poison: str
) -> None:
    try:
        async with pooled.tenant(place.victim).begin() as session:
            for statement in place.told(poison).split("; "):
                await session.execute(text(statement))
    except StateError:
        assert "commit" in poison

    assert await seen_without_a_tenant(pooled) == 0
    assert await seen_by(pooled, place.attacker) == 0
    assert await seen_by(pooled, place.victim) > 0
    async with pooled.connection() as connection:
        left = await connection.execute(text(LEFT))
        assert left.one() == (0, 0, 0, 0, "qbs, pg_temp", "off", "on", None)


LEFT = """
select (select count(*) from pg_cursors where name = 'held'),
    (select count(*) from pg_prepared_statements where name = 'theirs'),
    (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()),
    (select count(*) from pg_listening_channels()),
    current_setting('search_path'), current_setting('default_transaction_read_only'), current_setting('row_security'),
    nullif(current_setting('app.tenant_id', true), '')
"""


async def test_what_customers_say_is_not_shown_to_who_looks_at_the_sessions(place: Place, pooled: Database) -> None:
    async with pooled.tenant(place.victim).begin() as session:
        await session.execute(text("select * from qbs.messages where text = :said"), {"said": "canary of a customer"})
        with psycopg.connect(place.urls.app) as other:
            asked = other.execute("select query from pg_stat_activity where pid <> pg_backend_pid()").fetchall()
    queries = " ".join(str(query) for (query,) in asked)
    assert "qbs.messages" in queries
    assert "canary" not in queries
    assert str(place.victim) not in queries
