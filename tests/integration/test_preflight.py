"""The preflight refuses each unsafe way to set a database up, says how to mend it, and lets the safe one pass."""

from __future__ import annotations

import re

import psycopg
import pytest
from sqlalchemy import text

from engine.errors import ConfigurationError, SchemaVersionError, UnsafeDatabaseError
from engine.state.database import Database
from engine.state.embedded import EmbeddedServer
from engine.state.preflight import problems, sent_in_the_clear
from engine.state.roles import set_up
from engine.state.schema import downgrade, upgrade
from engine.state.tables import HEAD
from engine.state.urls import DatabaseUrls
from tests.integration.databases import fresh_database
from tests.integration.looking import changed
from tests.integration.postgres_servers import HOST, SUPERUSER, TcpServer


async def preflight(url: str) -> None:
    database = Database(url)
    try:
        await database.preflight()
    finally:
        await database.aclose()


async def test_both_servers_pass_as_they_are_set_up(postgres: EmbeddedServer, tcp_postgres: TcpServer) -> None:
    await preflight(postgres.urls.app)
    await preflight(tcp_postgres.urls.app)


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("superuser", "administrator is a superuser, .*: let QBS_DATABASE_URL connect as qbs_app"),
        ("maintenance", "qbs_maintenance passes row level security by: let QBS_DATABASE_URL connect as qbs_app"),
        ("owner", "qbs_owner owns the tables, .*: let QBS_DATABASE_URL connect as qbs_app"),
    ],
)
async def test_the_wrong_role_is_refused(tcp_postgres: TcpServer, role: str, said: str) -> None:
    urls = tcp_postgres.urls
    url = {"superuser": tcp_postgres.url(SUPERUSER), "maintenance": urls.maintenance, "owner": urls.owner}[role]
    with pytest.raises(UnsafeDatabaseError, match=said):
        await preflight(url)


async def test_no_transaction_begins_before_the_preflight_is_passed(tcp_postgres: TcpServer) -> None:
    unsafe, safe = Database(tcp_postgres.urls.maintenance), Database(tcp_postgres.urls.app)
    try:
        for _ in range(2):
            with pytest.raises(UnsafeDatabaseError, match="qbs_maintenance passes row level security by"):
                async with unsafe.tenant("acme").begin() as session:
                    await session.execute(text("select 1"))
        async with safe.tenant("acme").begin() as session:
            assert (await session.execute(text("select 1"))).scalar() == 1
    finally:
        await unsafe.aclose()
        await safe.aclose()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("alter role qbs_app superuser", "qbs_app is a superuser"),
        ("alter role qbs_app bypassrls", "qbs_app passes row level security by"),
        ("alter role qbs_app createrole", "qbs_app may make roles"),
        ("alter role qbs_app replication", "qbs_app may copy the whole server"),
        ("grant qbs_owner to qbs_app", "qbs_app may become qbs_owner, .*: revoke qbs_owner from qbs_app"),
        ("alter table qbs.messages owner to qbs_app", "qbs_app owns the tables"),
        (f"grant {SUPERUSER} to qbs_app", f"qbs_app may become {SUPERUSER}, .*: revoke {SUPERUSER} from qbs_app"),
        ("grant pg_read_server_files to qbs_app", "qbs_app may become pg_read_server_files"),
        ("grant pg_read_all_data to qbs_app", "qbs_app may become pg_read_all_data"),
        ("grant create on schema qbs to qbs_app", "revoke create on schema qbs from qbs_app, public"),
        ("grant create on schema public to public", "revoke create on schema public from qbs_app, public"),
        ("grant create on database qbs to qbs_app", "may make schemas: revoke create on database qbs"),
        ("grant temporary on database qbs to public", "may make temporary tables: revoke temporary on database qbs"),
        ("set local app.tenant_id = '00000000-0000-0000-0000-000000000001'", "alter role qbs_app reset app.tenant_id"),
        ("alter table qbs.messages no force row level security", "qbs.messages does not force row level security"),
        ("create table qbs.bare (id int)", "qbs.bare has no row level security: alter table qbs.bare enable row"),
    ],
)
async def test_an_unsafe_setting_is_refused_with_its_remedy(tcp_postgres: TcpServer, change: str, said: str) -> None:
    async with changed(tcp_postgres.url(SUPERUSER), change) as connection:
        found = await problems(connection)
    assert any(re.search(said, problem) for problem in found), found


async def test_a_role_whose_rights_nobody_has_looked_at_is_refused(tcp_postgres: TcpServer) -> None:
    changes = (
        "create role service",
        "grant usage on schema qbs to service",
        "grant all on all tables in schema qbs to service",
    )
    async with changed(tcp_postgres.url(SUPERUSER), *changes, role="service") as connection:
        assert any("service is not qbs_app" in problem for problem in await problems(connection))


async def test_every_problem_is_said_at_once(tcp_postgres: TcpServer) -> None:
    changes = (
        "alter role qbs_app bypassrls",
        "grant temporary on database qbs to public",
        "drop policy tenant_isolation on qbs.messages",
    )
    async with changed(tcp_postgres.url(SUPERUSER), *changes) as connection:
        assert len(await problems(connection)) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("drop schema qbs cascade", "no tables that qbs_app may use: run `qbs db migrate`"),
        ("revoke all on schema qbs from qbs_app", "no tables that qbs_app may use: run `qbs db migrate`"),
        ("revoke all on qbs.alembic_version from qbs_app", "no tables that qbs_app may use"),
        (
            "update qbs.alembic_version set version_num = '0001'",
            f"revision 0001 .* works with {HEAD}: run `qbs db migr",
        ),
        ("update qbs.alembic_version set version_num = '9999'", "revision 9999 .* use the version of the program"),
    ],
)
async def test_another_version_of_the_schema_is_refused(tcp_postgres: TcpServer, change: str, said: str) -> None:
    async with changed(tcp_postgres.url(SUPERUSER), change) as connection:
        with pytest.raises(SchemaVersionError, match=said):
            await problems(connection)


async def test_a_database_is_usable_after_what_its_refusals_say_to_do(tcp_postgres: TcpServer) -> None:
    with fresh_database(tcp_postgres) as urls:
        with pytest.raises(SchemaVersionError, match="qbs db migrate"):
            await preflight(urls.app)
        upgrade(urls.owner)
        await preflight(urls.app)
        downgrade(urls.owner, "0001")
        with pytest.raises(SchemaVersionError, match="revision 0001"):
            await preflight(urls.app)
        upgrade(urls.owner)
        with psycopg.connect(urls.maintenance, autocommit=True) as connection:
            connection.execute(f"grant temporary, create on database {connection.info.dbname} to public".encode())
        with pytest.raises(UnsafeDatabaseError, match="temporary tables"):
            await preflight(urls.app)
        set_up(urls)
        await preflight(urls.app)


@pytest.mark.parametrize(
    ("host", "address", "encrypted", "refused"),
    [
        ("/tmp/qbs", "", False, False),
        ("@qbs", "", False, False),
        ("localhost", "127.0.0.1", False, False),
        ("localhost", "::1", False, False),
        ("127.0.0.53", "127.0.0.53", False, False),
        ("db.example.com", "203.0.113.7", True, False),
        ("db.example.com", "203.0.113.7", False, True),
        ("db.example.com", "2001:db8::7", False, True),
        ("10.0.0.7", "10.0.0.7", False, True),
        ("localhost", "203.0.113.7", False, True),
    ],
)
def test_what_goes_over_a_network_in_the_clear_is_refused(
    host: str, address: str, encrypted: bool, refused: bool
) -> None:
    problem = sent_in_the_clear(host, address, encrypted=encrypted)
    assert (problem is not None) == refused
    assert problem is None or "sslmode=verify-full" in problem


@pytest.mark.parametrize(
    ("urls", "said"),
    [
        (
            lambda it: DatabaseUrls(it.maintenance, it.owner, it.maintenance),
            "QBS_DATABASE_URL has to connect as qbs_app",
        ),
        (lambda it: DatabaseUrls(it.app, it.app, it.maintenance), "QBS_DATABASE_OWNER_URL has to connect as qbs_owner"),
        (lambda it: DatabaseUrls(it.app, it.owner, it.app), "MAINTENANCE_URL may not set up .* name a superuser there"),
        (lambda it: DatabaseUrls(it.app, it.owner, "postgresql://[broken"), "address cannot be read"),
    ],
    ids=["not the app", "not the owner", "not maintenance", "no address"],
)
def test_setting_up_with_the_wrong_addresses_says_which(tcp_postgres: TcpServer, urls: object, said: str) -> None:
    assert callable(urls)
    with pytest.raises(ConfigurationError, match=said):
        set_up(urls(tcp_postgres.urls))


def test_no_address_is_printed_with_its_password() -> None:
    url = f"postgresql://qbs_app:canary@{HOST}:5432/qbs"
    assert "canary" not in repr(DatabaseUrls(url, url, url))
