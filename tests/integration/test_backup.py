"""Backups that hold what the database did, restored whole or not at all."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from engine.errors import (
    ConfigurationError,
    DatabaseUnavailableError,
    InputError,
    SchemaVersionError,
    StateError,
)
from engine.state import schema
from engine.state.backup import backup, programs, restore
from engine.state.backup import making as backups
from engine.state.backup import restoring as restores
from engine.state.backup.dumped import rows_in_dump
from engine.state.backup.making import beside
from engine.state.backup.programs import Clients, connection_argument, environment, failed
from engine.state.embedded.programs import MAJOR
from engine.state.rowcounts import check_rows
from engine.state.tables import HEAD
from engine.state.urls import DatabaseUrls
from tests.integration.databases import REVISIONS, TENANTS, everything, fill, fresh_database

FIRST, SECOND = map(str, TENANTS)
TABLES = (
    "calibrations",
    "conversation_states",
    "messages",
    "outcome_events",
    "outcomes",
    "prompt_releases",
    "stage_changes",
)
CLIENTS = Clients(MAJOR)
ENCRYPTED = SimpleNamespace(ssl_in_use=True)
COUNTS = {table: {FIRST: 2, SECOND: 4} for table in TABLES}


@pytest.fixture
def urls(tcp_postgres) -> Iterator[DatabaseUrls]:
    """A database with rows of two tenants."""
    with fresh_database(tcp_postgres) as made:
        schema.upgrade(made.owner)
        fill(made, *REVISIONS, contacts=2)
        yield made


@pytest.fixture
def empty(tcp_postgres) -> Iterator[DatabaseUrls]:
    with fresh_database(tcp_postgres) as made:
        yield made


@pytest.fixture
def dump(tmp_path) -> Path:
    return tmp_path / "state.dump"


def test_what_is_backed_up_is_restored_row_by_row_with_its_revision_and_its_rights(urls, empty, dump):
    made = backup(urls.maintenance, dump)
    assert (made.rows, made.revision, made.server) == (COUNTS, HEAD, MAJOR)
    assert restore(empty.maintenance, dump) == made
    assert everything(empty) == everything(urls)
    assert schema.upgrade(empty.owner) == schema.Migrated(HEAD, HEAD)
    schema.downgrade(empty.owner, "base")  # the tables belong to their owner again
    schema.upgrade(empty.owner)
    fill(empty, *REVISIONS)  # and the application may use them


def test_a_restored_database_keeps_tenants_apart(urls, empty, dump):
    backup(urls.maintenance, dump)
    restore(empty.maintenance, dump)
    for role in ("app", "owner"):
        with psycopg.connect(getattr(empty, role)) as connection:
            assert connection.execute("select count(*) from qbs.messages").fetchone() == (0,)
            connection.execute("select set_config('app.tenant_id', %s, true)", [FIRST])
            assert connection.execute("select count(*) from qbs.messages").fetchone() == (2,)


def test_the_embedded_server_is_backed_up_and_takes_a_backup_of_another(postgres, tenant, urls, dump):
    with psycopg.connect(postgres.urls.maintenance) as connection:
        before = backup(postgres.urls.maintenance, dump).rows
        backup(urls.maintenance, dump.with_name("other"))
        restore(postgres.urls.maintenance, dump.with_name("other"), replace=True)
        assert backups.count_rows(connection) == COUNTS
    restore(postgres.urls.maintenance, dump, replace=True)
    assert backup(postgres.urls.maintenance, dump).rows == before


def test_both_files_are_for_the_eyes_of_their_owner_and_nothing_else_is_left(urls, dump):
    backup(urls.maintenance, dump)
    assert {file.name: oct(file.stat().st_mode & 0o777) for file in dump.parent.iterdir()} == {
        "state.dump": "0o600",
        "state.dump.counts.json": "0o600",
    }


def test_rows_that_are_added_while_it_is_made_are_in_neither_the_dump_nor_the_counts(urls, dump, monkeypatch):
    dumping = backups._run_pg_dump

    def add_and_dump(*arguments):
        with psycopg.connect(urls.maintenance) as connection:
            connection.execute("insert into qbs.messages select tenant_id, state_id, 'late', 9, 'customer', null, '' "
                               "from qbs.conversation_states")  # fmt: skip
        dumping(*arguments)

    monkeypatch.setattr(backups, "_run_pg_dump", add_and_dump)
    assert backup(urls.maintenance, dump).rows == COUNTS


@pytest.mark.parametrize("role", ["owner", "app"])
def test_a_role_that_does_not_see_all_rows_makes_no_backup(urls, dump, role):
    with pytest.raises(ConfigurationError, match=f"qbs_{role} does not see every tenant's rows.*BYPASSRLS"):
        backup(getattr(urls, role), dump)
    assert list(dump.parent.iterdir()) == []


def test_the_counts_find_out_a_dump_that_row_level_security_has_emptied(urls, dump, monkeypatch):
    """What pg_dump does for the owner when it is told to go on: no error, and no rows."""
    arguments = [CLIENTS.program("pg_dump"), "--format=custom", "--schema=qbs", "--enable-row-security"]
    subprocess.run(
        [*arguments, f"--file={dump}", connection_argument(urls.owner)], env=environment(urls.owner), check=True
    )
    assert rows_in_dump(dump, CLIENTS) == {table: {} for table in COUNTS}
    emptied = dump.read_bytes()
    monkeypatch.setattr(backups, "_run_pg_dump", lambda *_: dump.with_name("new.dump.part").write_bytes(emptied))
    with pytest.raises(StateError, match=f"was not kept: calibrations of tenant {FIRST} has 0 rows instead of 2"):
        backup(urls.maintenance, dump.with_name("new.dump"))
    assert list(dump.parent.iterdir()) == [dump]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"messages": {"a": 2}}, None),
        ({"messages": {"a": 1}}, "messages of tenant a has 1 row instead of 2"),
        ({"messages": {"a": 2, "b": 1000}}, "messages of tenant b has 1,000 rows instead of 0"),
        ({"messages": {}}, "messages of tenant a has 0 rows instead of 2"),
        ({}, "messages is missing"),
        ({"messages": {"a": 2}, "more": {}}, "more is there, and should not be"),
        ({"messages": {str(n): 1 for n in range(9)}}, "; and 5 more"),
    ],
)
def test_rows_are_compared_by_table_and_tenant(found, said):
    expected = {"messages": {"a": 2}}
    if said is None:
        check_rows("wrong", expected, found)
    else:
        with pytest.raises(StateError, match=said):
            check_rows("wrong", expected, found)


def test_a_database_without_a_schema_has_nothing_to_back_up(empty, dump):
    with pytest.raises(StateError, match="nothing to back up"):
        backup(empty.maintenance, dump)
    assert list(dump.parent.iterdir()) == []


def test_rows_are_only_replaced_when_that_is_said(urls, dump):
    before = everything(urls)
    backup(urls.maintenance, dump)
    with psycopg.connect(urls.maintenance) as connection:
        connection.execute("delete from qbs.stage_changes")
    with pytest.raises(StateError, match="holds 36 rows of 2 tenants already"):
        restore(urls.maintenance, dump)
    restore(urls.maintenance, dump, replace=True)
    assert everything(urls) == before


def test_rows_that_come_after_it_has_looked_are_not_lost(urls, empty, dump, monkeypatch):
    backup(urls.maintenance, dump)
    schema.upgrade(empty.owner)

    connecting = restores.connection_argument

    def add_and_connect(url):
        fill(empty, "0001")
        return connecting(url)

    monkeypatch.setattr(restores, "connection_argument", add_and_connect)
    with pytest.raises(StateError, match="holds 9 rows of 2 tenants already"):
        restore(empty.maintenance, dump)
    assert sum(map(len, everything(empty).values())) == 9


def test_facts_of_another_server_come_before_all_of_this_one(urls, empty, dump):
    with psycopg.connect(urls.maintenance) as connection:
        connection.execute("update qbs.outcomes set recorded_in = 10 ^ 15 where tenant_id = %s", [FIRST])
        numbers = "select tenant_id::text, outcome_id, recorded_in from qbs.outcomes order by 1, 2"
        expected = [
            (tenant, outcome, 0 if tenant == FIRST else number)
            for tenant, outcome, number in connection.execute(numbers.encode())
        ]
    backup(urls.maintenance, dump)
    restore(empty.maintenance, dump)
    with psycopg.connect(empty.maintenance) as connection:
        assert connection.execute(numbers.encode()).fetchall() == expected


def test_tables_without_rows_make_way_for_a_backup(urls, empty, dump):
    backup(urls.maintenance, dump)
    schema.upgrade(empty.owner)
    restore(empty.maintenance, dump)
    assert everything(empty) == everything(urls)


def test_a_backup_of_an_earlier_revision_replaces_a_later_one_and_is_migrated_on(urls, empty, dump):
    schema.upgrade(empty.owner, "0001")
    fill(empty, "0001")
    assert backup(empty.maintenance, dump).revision == "0001"
    restore(urls.maintenance, dump, replace=True)
    assert everything(urls) == everything(empty)
    assert schema.upgrade(urls.owner) == schema.Migrated("0001", HEAD)
    fill(urls, *REVISIONS[1:])


def altered(counts: Path, **changes: object) -> None:
    counts.write_text(json.dumps(json.loads(counts.read_text()) | changes))


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (lambda dump: dump.unlink(), InputError, "state.dump: there is no such file"),
        (lambda dump: beside(dump).unlink(), InputError, "counts.json: there is no such file"),
        (lambda dump: beside(dump).write_text("{}"), InputError, "counts.json: are not the row counts"),
        (lambda dump: altered(beside(dump), format=2), InputError, "counts.json: are not the row counts"),
        (lambda dump: dump.write_bytes(dump.read_bytes()[:-100]), InputError, "is damaged, or not the dump"),
        (lambda dump: altered(beside(dump), revision="9999"), SchemaVersionError, "the backup is at revision 9999"),
        (
            lambda dump: altered(beside(dump), rows=COUNTS | {"messages": {FIRST: 2, SECOND: 5}}),
            StateError,
            f"stays as it was: messages of tenant {SECOND} has 4 rows instead of 5",
        ),
        (lambda dump: altered(beside(dump), rows=COUNTS | {"elsewhere": {}}), StateError, "psql failed"),
    ],
)
def test_a_backup_that_cannot_be_trusted_changes_nothing(urls, dump, spoil, error, said):
    backup(urls.maintenance, dump)
    with psycopg.connect(urls.maintenance) as connection:
        connection.execute("delete from qbs.stage_changes")
    before = everything(urls)
    spoil(dump)
    with pytest.raises(error, match=said):
        restore(urls.maintenance, dump, replace=True)
    assert everything(urls) == before


def test_a_dump_that_breaks_off_in_the_middle_changes_nothing(urls, dump):
    backup(urls.maintenance, dump)
    before = everything(urls)
    dump.write_bytes(dump.read_bytes()[:-2000])
    altered(beside(dump), sha256=backups._hash(dump))
    with pytest.raises(InputError, match=r"state\.dump: is damaged, or no dump: it cannot be read to its end"):
        restore(urls.maintenance, dump, replace=True)
    assert everything(urls) == before


def test_tables_that_are_in_use_are_not_waited_for_for_ever(urls, dump, monkeypatch):
    backup(urls.maintenance, dump)
    monkeypatch.setattr(restores, "_BEGIN", restores._BEGIN.replace("'10s'", "'100ms'"))
    with psycopg.connect(urls.maintenance) as reader:
        reader.execute("select count(*) from qbs.outcomes")
        with pytest.raises(DatabaseUnavailableError, match="tables are in use"):
            restore(urls.maintenance, dump, replace=True)


def test_only_the_maintenance_role_restores(urls, empty, dump):
    backup(urls.maintenance, dump)
    schema.upgrade(empty.owner)
    with pytest.raises(ConfigurationError):
        restore(empty.app, dump)
    assert schema.current(empty.owner) == HEAD


@pytest.mark.parametrize(
    ("place", "said"),
    [("nowhere/state.dump", "its folder does not exist; make it first"), (".", "is a folder; name a file in it")],
)
def test_a_place_where_nothing_can_be_written_is_named_before_anything_is_done(tmp_path, place, said):
    with pytest.raises(InputError, match=said):
        backup("postgresql://nobody@127.0.0.1:1/none", tmp_path / place)


def test_a_file_that_cannot_be_written_is_named_before_anything_is_done(tmp_path):
    (tmp_path / "state.dump.part").mkdir()
    with pytest.raises(InputError, match=r"state\.dump\.part: cannot be written"):
        backup("postgresql://nobody@127.0.0.1:1/none", tmp_path / "state.dump")


def pretending(folder: Path, words: str) -> Callable[..., Path]:
    """A program that says these words and fails."""
    file = folder / "pretending"
    file.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
    file.chmod(0o700)
    return lambda *_: file


def test_a_full_disk_is_said_and_the_earlier_backup_stays(urls, dump, monkeypatch, tmp_path_factory):
    earlier = backup(urls.maintenance, dump)
    words = "pg_dump: error: could not write to output file: No space left on device"
    monkeypatch.setattr(Clients, "program", pretending(tmp_path_factory.mktemp("programs"), words))
    with pytest.raises(StateError, match="a disk is full"):
        backup(urls.maintenance, dump)
    assert backups.read_backup(dump) == earlier
    assert len(list(dump.parent.iterdir())) == 2


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        ("pg_dump: error: aborting because of server version mismatch", ConfigurationError, "newer than it is"),
        ("pg_restore: error: unsupported version (1.99) in file header", ConfigurationError, "newer version"),
        ('ERROR:  must be able to SET ROLE "qbs_owner"', ConfigurationError, "member of qbs_owner"),
        ("ERROR:  permission denied for schema qbs", ConfigurationError, "may not do it"),
        ("connection to server at 1.2.3.4 failed", DatabaseUnavailableError, "cannot be reached"),
        ("CONTEXT: COPY messages, line 1: canary", StateError, "ended with code 3; the server's log"),
    ],
)
def test_what_a_program_says_becomes_a_sentence_that_quotes_no_row(words, error, said):
    found = failed("psql", 3, words)
    assert type(found) is error
    assert said in str(found)
    assert "canary" not in str(found)


@pytest.mark.parametrize(
    ("words", "passed_on"),
    [
        (
            'pg_dump: error: sslmode value "require" invalid when SSL support is not compiled in',
            ' (sslmode value "require" invalid when SSL support is not compiled in)',
        ),
        ("psql: error: FATAL:  password authentication failed for user canary", " (password authentication failed)"),
        ("psql:7: error: invalid command \\restrict", " (invalid command \\restrict)"),
        ("ERROR:  invalid input syntax for type uuid: canary", ""),
    ],
)
def test_a_programs_own_reason_is_passed_on_where_it_holds_no_row_and_no_password(words, passed_on):
    assert str(failed("psql", 1, words)).endswith(f"the server's log may say why{passed_on}")


def a_program(folder: Path, name: str, version: str, instead: object = "false") -> None:
    """A program that gives this version, leaves a mark when it is used, and then does what another does."""
    file = folder / name
    used = f"touch {shlex.quote(str(folder))}/{name}.used"
    told = f'[ "$1" = --version ] && echo "{name} (PostgreSQL) {version}" && exit'
    file.write_text(f'#!/bin/sh\n{told}\n{used}\nexec {instead} "$@"\n')
    file.chmod(0o700)


@pytest.mark.parametrize(
    ("server", "tls", "on_path", "said"),
    [
        (99, False, None, "Postgres 99 and is newer, and there is no pg_dump on the PATH: .*postgresql-client-99"),
        (18, True, None, "18 and is reached over TLS, .*there is no pg_dump on the PATH: .*postgresql-client-18"),
        (18, True, "17.6", "18 and is reached over TLS, .*on the PATH is of version 17: .*postgresql-client-18"),
        (18, True, "18.1 (Debian 18.1-1)", None),
        (17, True, "18.1", None),
    ],
)
def test_a_program_is_taken_from_the_path_where_the_servers_version_or_tls_asks_for_it(
    tmp_path, monkeypatch, server, tls, on_path, said
):
    if on_path:
        a_program(tmp_path, "pg_dump", on_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    if said is None:
        assert Clients(server, tls).program("pg_dump") == tmp_path / "pg_dump"
    else:
        with pytest.raises(ConfigurationError, match=said):
            Clients(server, tls).program("pg_dump")


def over_tls(monkeypatch) -> None:
    """As if every connection were encrypted: no server here can be."""
    looking = programs.clients_for
    for module in (backups, restores):
        monkeypatch.setattr(module, "clients_for", lambda it: looking(SimpleNamespace(info=it.info, pgconn=ENCRYPTED)))


def test_a_server_that_is_reached_over_tls_is_backed_up_and_restored_by_the_programs_of_the_path(
    urls, empty, dump, monkeypatch, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("programs")
    over_tls(monkeypatch)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    for name in programs.NAMES:
        a_program(folder, name, f"{MAJOR}.4", CLIENTS.program(name))
    backup(urls.maintenance, dump)
    restore(empty.maintenance, dump)
    assert everything(empty) == everything(urls)
    assert {file.stem for file in folder.glob("*.used")} == set(programs.NAMES)


def test_without_programs_for_tls_nothing_is_begun(urls, dump, monkeypatch):
    backup(urls.maintenance, dump)
    over_tls(monkeypatch)
    monkeypatch.setenv("PATH", "/nowhere")
    before = everything(urls)
    with pytest.raises(ConfigurationError, match="postgresql-client-18"):
        backup(urls.maintenance, dump.with_name("second.dump"))
    with pytest.raises(ConfigurationError, match="postgresql-client-18"):
        restore(urls.maintenance, dump, replace=True)
    assert everything(urls) == before
    assert {file.name for file in dump.parent.iterdir()} == {"state.dump", "state.dump.counts.json"}


def test_rows_are_not_sent_to_another_machine_in_the_clear():
    info = SimpleNamespace(host="db.example.com", hostaddr="192.0.2.7", server_version=180004)
    with pytest.raises(ConfigurationError, match=r"db\.example\.com in the clear: .*QBS_DATABASE_MAINTENANCE_URL"):
        programs.clients_for(SimpleNamespace(info=info, pgconn=SimpleNamespace(ssl_in_use=False)))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:canary@example.com:5433/state?sslmode=require",
        "postgresql://ann@example.com/state?password=canary",
        "postgresql://ann:canary@/state?host=/run/postgres&sslpassword=canary",
    ],
)
def test_no_password_is_on_a_command_line(url):
    assert "canary" not in connection_argument(url)
    assert "ann" in connection_argument(url)
    assert environment(url)["PGPASSWORD"] == "canary"
