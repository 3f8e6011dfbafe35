"""The schema by its migrations: up and down, with rows in it, by several at once, and by whom it is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import NullPool, create_engine

from engine.errors import ConfigurationError, DatabaseUnavailableError, SchemaVersionError
from engine.state import schema
from engine.state.connecting import connect
from engine.state.tables import HEAD, SCHEMA, TABLES, Base
from engine.state.urls import DatabaseUrls
from tests.integration.databases import TENANTS, everything, fill, fresh_database

ROOT = Path(__file__).parents[2]
PATIENT_S = 120.0
STEPS = [None, *(each.id for each in schema.revisions())]

# What a schema consists of, as Postgres itself words it.
DEFINITIONS = """
select 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod) || a.attnotnull::text
       || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
  from pg_attribute a join pg_class c on c.oid = a.attrelid
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
 where c.relnamespace = 'qbs'::regnamespace and c.relkind = 'r' and a.attnum > 0 and c.relname <> 'alembic_version'
union all
select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
  from pg_constraint where connamespace = 'qbs'::regnamespace and conrelid::regclass::text !~ 'alembic_version'
union all
select 'index', tablename, indexname, indexdef
  from pg_indexes where schemaname = 'qbs' and tablename <> 'alembic_version'
"""


@pytest.fixture
def urls(tcp_postgres) -> Iterator[DatabaseUrls]:
    with fresh_database(tcp_postgres) as made:
        yield made


def definitions(url: str) -> set[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        return set(connection.execute(DEFINITIONS.encode()).fetchall())


def test_the_newest_revision_is_the_one_that_the_tables_are_written_for():
    assert STEPS[-1] == HEAD
    assert all(each.title for each in schema.revisions())


def test_the_migrated_schema_is_what_the_tables_say(urls, tcp_postgres):
    schema.upgrade(urls.owner)
    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(urls.owner), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table_schema": SCHEMA,
                "include_schemas": True,
                "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        assert compare_metadata(context, Base.metadata) == []
    with fresh_database(tcp_postgres) as others:
        made = create_engine("postgresql+psycopg://", creator=lambda: connect(others.owner), poolclass=NullPool)
        Base.metadata.create_all(made)
        assert definitions(urls.owner) == definitions(others.owner)


@pytest.mark.parametrize(("start", "to"), [*pairwise(STEPS), (None, HEAD)])
def test_up_and_down_again_keeps_the_rows_of_every_tenant(urls, start, to):
    here = [each for each in STEPS[1:] if start and each <= start]
    if start:
        schema.upgrade(urls.owner, start)
        fill(urls, *here)
    before = everything(urls)
    assert schema.upgrade(urls.owner, to) == schema.Migrated(start, to)
    after_up = everything(urls)
    assert after_up == before | {table: [] for table in after_up.keys() - before.keys()}
    assert schema.downgrade(urls.owner, start or "base") == schema.Migrated(to, start)
    assert everything(urls) == before
    assert schema.current(urls.app) == start


@pytest.mark.parametrize(("start", "to"), [*[(b, a) for a, b in pairwise(STEPS)], (HEAD, None)])
def test_down_and_up_again_keeps_what_the_lower_revision_keeps(urls, start, to):
    schema.upgrade(urls.owner, start)
    fill(urls, *[each for each in STEPS[1:] if each <= start])
    before = everything(urls)
    assert schema.downgrade(urls.owner, to or "base") == schema.Migrated(start, to)
    kept = everything(urls)
    assert kept == {table: before[table] for table in kept}
    schema.upgrade(urls.owner, start)
    assert everything(urls) == {table: kept.get(table, []) for table in before}
    missing = [each for each in STEPS[1:] if each <= start and (to is None or each > to)]
    fill(urls, *missing)
    assert {table: len(rows) for table, rows in everything(urls).items()} == dict.fromkeys(before, 3)


def test_migrating_again_changes_nothing_in_either_direction(urls):
    schema.upgrade(urls.owner)
    assert schema.upgrade(urls.owner) == schema.Migrated(HEAD, HEAD)
    assert schema.upgrade(urls.owner, STEPS[1]) == schema.Migrated(HEAD, HEAD)
    schema.downgrade(urls.owner, STEPS[1])
    assert schema.downgrade(urls.owner, HEAD) == schema.Migrated(STEPS[1], STEPS[1])
    assert schema.upgrade(urls.owner).after == HEAD


def test_the_application_is_granted_what_it_needs_and_nothing_else(urls):
    schema.upgrade(urls.owner)
    granted = """
        select table_name, privilege_type, '' from information_schema.role_table_grants
         where grantee = 'qbs_app' and table_schema = 'qbs'
        union
        select table_name, 'UPDATE', column_name from information_schema.column_privileges
         where grantee = 'qbs_app' and table_schema = 'qbs' and privilege_type = 'UPDATE' and table_name = 'messages'
    """
    tables = {table.name for table in TABLES}
    with psycopg.connect(urls.owner) as connection:
        assert set(connection.execute(granted.encode()).fetchall()) == {
            *((table, right, "") for table in tables for right in ("SELECT", "INSERT")),
            ("alembic_version", "SELECT", ""),
            ("conversation_states", "UPDATE", ""),
            ("messages", "UPDATE", "analysis"),
            ("messages", "UPDATE", "analysis_version"),
        }


@pytest.mark.parametrize("role", ["app", "owner"])
def test_neither_the_application_nor_the_owner_sees_rows_of_another_tenant(urls, role):
    schema.upgrade(urls.owner)
    fill(urls, *STEPS[1:])
    with psycopg.connect(getattr(urls, role)) as connection:
        for setting, expected in ((None, 0), ("", 0), (str(TENANTS[0]), 1), (str(TENANTS[1]), 2)):
            if setting is not None:
                connection.execute("select set_config('app.tenant_id', %s, true)", [setting])
            for table in Base.metadata.tables:
                assert connection.execute(f"select count(*) from {table}".encode()).fetchone() == (expected,), table


def test_of_two_processes_that_migrate_at_once_one_does_it_and_the_other_finds_it_done(urls):
    code = (
        "import json, os; from dataclasses import astuple; from engine.state.schema import upgrade; "
        "print(json.dumps(astuple(upgrade(os.environ['OWNER']))))"
    )
    waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted and classid = 0"
    with psycopg.connect(urls.maintenance, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [schema.LOCK])
        both = [
            subprocess.Popen(
                [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"OWNER": urls.owner}, stdout=subprocess.PIPE
            )
            for _ in range(2)
        ]
        until = time.monotonic() + PATIENT_S
        while connection.execute(waiting.encode()).fetchone() != (2,):
            assert all(each.poll() is None for each in both)
            assert time.monotonic() < until, "they do not wait for each other"
            time.sleep(0.05)
        connection.execute("select pg_advisory_unlock(%s)", [schema.LOCK])
        said = [json.loads(each.communicate(timeout=PATIENT_S)[0]) for each in both]
    assert sorted(said, key=str) == sorted([[None, HEAD], [HEAD, HEAD]], key=str)


def test_a_revision_that_fails_leaves_everything_as_it_was(urls):
    with psycopg.connect(urls.owner) as connection:
        connection.execute("create table qbs.outcomes (by_hand int)")
    with pytest.raises(SchemaVersionError, match="not what its revision says"):
        schema.upgrade(urls.owner)
    assert schema.current(urls.owner) is None
    assert everything(urls) == {}


def test_tables_that_are_in_use_are_not_waited_for_for_ever(urls, monkeypatch):
    schema.upgrade(urls.owner)
    monkeypatch.setattr(schema, "TABLES_SECONDS", 0.1)
    with psycopg.connect(urls.maintenance) as reader:
        reader.execute("select count(*) from qbs.outcomes")
        with pytest.raises(DatabaseUnavailableError, match="in use, and nothing was changed"):
            schema.downgrade(urls.owner, STEPS[1])
    assert schema.current(urls.owner) == HEAD


@pytest.mark.parametrize(
    ("role", "said"),
    [("app", "connects as qbs_app; name qbs_owner"), ("maintenance", "connects as qbs_maintenance; name qbs_owner")],
)
def test_only_the_owner_migrates(urls, role, said):
    with pytest.raises(ConfigurationError, match=said):
        schema.upgrade(getattr(urls, role))
    assert schema.current(urls.owner) is None


def test_a_schema_of_a_newer_program_is_left_alone(urls):
    schema.upgrade(urls.owner)
    with psycopg.connect(urls.owner) as connection:
        connection.execute("update qbs.alembic_version set version_num = '9999'")
    for migrate in (lambda: schema.upgrade(urls.owner), lambda: schema.downgrade(urls.owner, "0001")):
        with pytest.raises(SchemaVersionError, match=f"9999.*none beyond {HEAD}.*newer version"):
            migrate()


def test_an_unknown_revision_is_answered_with_those_there_are(urls):
    with pytest.raises(SchemaVersionError, match=r"no revision '7'; there is 0001, 0002"):
        schema.upgrade(urls.owner, "7")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url.replace("qbs_owner:", "qbs_owner:canary"), "password is not accepted"),
        (lambda url: url.rpartition("/")[0] + "/nowhere", "no such role or database"),
        (lambda url: "postgresql://qbs_owner:canary@127.0.0.1:1/qbs", "nobody answers there"),
        (lambda url: "postgresql://qbs_owner:canary@127.0.0.1:port/qbs", "cannot be read"),
        (lambda url: "postgresql://qbs_owner:can ary@127.0.0.1:1/q?x=y", "cannot be read"),
    ],
)
def test_a_server_that_cannot_be_reached_is_named_without_its_password(urls, change, said):
    with pytest.raises((DatabaseUnavailableError, ConfigurationError)) as caught:
        schema.upgrade(change(urls.owner))
    assert said in str(caught.value)
    assert "canary" not in str(caught.value)
    assert urls.owner.split(":")[2].partition("@")[0] not in str(caught.value)


def test_the_revisions_are_in_the_wheel(tmp_path):
    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(built, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    files = {file.relative_to(ROOT).as_posix() for file in schema.MIGRATIONS.rglob("*.py")}
    assert len(files) > len(STEPS)
    assert files <= names
