from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import ConfigurationError, UnsafeDatabaseError
from engine.state.embedded import start_embedded
from engine.state.schema import revisions
from engine.state.tables import HEAD, TABLES
from engine.state.tenants import tenant_uuid
from engine.state.urls import DatabaseUrls, without_password
from tests.integration.databases import ROWS, TENANTS, fill
from tests.integration.postgres_servers import short_folder
from workbench import databases, health
from workbench.health import Status
from workbench.services import Services
from workbench.settings import Settings, load_settings

ROOT = Path(__file__).parents[3]
STATUS_KEYS = {
    "server", "address", "folder", "version", "revision", "newest_revision", "bytes", "table_bytes", "connections",
    "max_connections", "pool_size", "rows",
}  # fmt: skip
BACKUP_KEYS = {"file", "made_at", "revision", "server", "sha256", "rows", "format"}


@pytest.fixture(scope="module")
def own() -> Iterator[Path]:
    """QBS_HOME of a server of our own, used by all tests here."""
    with short_folder() as folder:
        yield folder
        databases._started(folder / "postgres").stop()
        databases._started.cache_clear()


@pytest.fixture
def at_home(own, qbs, monkeypatch) -> Path:
    """With that server's home as QBS_HOME."""
    monkeypatch.setenv("QBS_HOME", str(own))
    return own


@pytest.fixture
def urls(own) -> DatabaseUrls:
    return databases._started(own / "postgres").urls


@pytest.fixture
def named(urls, qbs, monkeypatch) -> DatabaseUrls:
    """The same server as one that settings name."""
    monkeypatch.setenv("QBS_DATABASE_URL", urls.app)
    monkeypatch.setenv("QBS_DATABASE_OWNER_URL", urls.owner)
    monkeypatch.setenv("QBS_DATABASE_MAINTENANCE_URL", urls.maintenance)
    return urls


@pytest.fixture(scope="module")
def other_server() -> Iterator[str]:
    """The maintenance address of a server that is not the one of the settings."""
    with short_folder() as folder:
        server = start_embedded(folder / "postgres")
        yield server.urls.maintenance
        server.stop()


@pytest.fixture
def rows(qbs, at_home, urls) -> Iterator[None]:
    """Rows of two tenants, 5 and 10 of them; gone afterwards."""
    qbs("db", "up")
    fill(urls, *ROWS)
    yield
    qbs("db", "migrate", "--down", "--to", "base", "--yes")


def passwords(urls: DatabaseUrls) -> list[str]:
    return [url.split(":")[2].partition("@")[0] for url in (urls.app, urls.owner, urls.maintenance)]


def test_up_starts_it_brings_its_schema_and_says_how_to_look_into_it(qbs, at_home, urls):
    result = qbs("db", "up")
    assert result.exit_code == 0
    assert f"in {at_home}/postgres is up: Postgres 18" in result.stdout
    assert f"schema at {HEAD}, the newest" in result.stdout
    assert "psql" not in result.stdout  # it would lead nowhere once the command has ended
    assert "`qbs db up --stay` keeps it up" in result.stdout
    assert not [each for each in passwords(urls) if each in result.output]


def test_a_program_of_ones_own_gets_the_applications_address_and_no_other(qbs, at_home, urls):
    result = qbs("db", "url")
    assert (result.exit_code, result.stdout) == (0, f"{urls.app}\n")
    assert not [each for each in passwords(urls) if each in result.stderr]


def test_whoever_asks_a_server_that_nobody_keeps_up_is_told_how_to(qbs, at_home, monkeypatch):
    assert qbs("db", "url").stderr == ""
    monkeypatch.setattr(databases.DatabaseServer, "is_running", lambda _: False)
    assert "qbs db up --stay" in qbs("db", "url").stderr


def test_status_for_programs_has_the_documented_keys(qbs, at_home, rows):
    facts = json.loads(qbs("db", "status", "--json").stdout)
    assert set(facts) == STATUS_KEYS
    assert (facts["server"], facts["folder"]) == ("own", str(at_home / "postgres"))
    assert facts["revision"] == facts["newest_revision"] == HEAD
    assert set(facts["rows"]) == set(facts["table_bytes"]) == {table.name for table in TABLES}
    assert facts["rows"]["messages"] == {str(TENANTS[0]): 1, str(TENANTS[1]): 2}


def test_status_for_people_shows_tables_and_tenants_the_largest_first(qbs, at_home, rows, monkeypatch):
    monkeypatch.setenv("QBS_TENANT", str(TENANTS[0]))
    lines = [line.split() for line in qbs("db", "status").stdout.splitlines()]
    assert ["messages", "3"] in [line[:2] for line in lines]
    header = next(n for n, line in enumerate(lines) if line[:1] == ["TENANT"])
    assert lines[header + 1] == [str(TENANTS[1]), *["2"] * len(TABLES)]
    assert lines[header + 2] == [str(TENANTS[0]), str(TENANTS[0]), *["1"] * len(TABLES)]


def test_the_tenant_of_the_settings_is_named(qbs, at_home, rows, urls):
    fill(urls, "0001", tenants=(tenant_uuid("demo"), tenant_uuid("acme")))
    assert f"{tenant_uuid('demo')}  demo" in qbs("db", "status").stdout


def test_migrate_goes_down_when_told_twice_and_up_again(qbs, at_home, rows):
    down = ("db", "migrate", "--down", "--to", "0001")
    refused = qbs(*down)
    assert refused.exit_code == 1
    assert "0002 is undone, and its rows go: Outcomes" in refused.stderr
    assert "qbs db backup FILE" in refused.stderr
    done = qbs(*down, "--yes", "--json")
    assert json.loads(done.stdout) == {"before": HEAD, "after": "0001"}
    assert "the next command that uses a server of our own migrates it up again" in done.stderr
    assert "nothing to do" in qbs(*down).stdout
    assert qbs("db", "migrate").stdout == f"The schema went from 0001 to {HEAD}.\n"
    assert qbs("db", "migrate").stdout == f"The schema is at {HEAD}: there was nothing to do.\n"
    assert "which is later" in qbs("db", "migrate", "--to", "0001").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["migrate", "--to", "7"], 2, f"there is no revision '7'; there is {', '.join(e.id for e in revisions())}"),
        (["migrate", "--down"], 2, "say how far down"),
        (["migrate", "--down", "--to", "head"], 2, "there is no revision 'head'"),
        (["migrate", "--to", "base"], 2, "there is no revision 'base'"),
        (["restore", "nothing.dump"], 3, "nothing.dump: there is no such file"),
        (["backup", "nowhere/state.dump"], 3, "its folder does not exist; make it first"),
        (["backup", "."], 3, "is a folder; name a file in it"),
        (["backup", "there.dump"], 3, "is there already; name another file, or say --force"),
    ],
)
def test_what_cannot_be_used_is_answered_with_what_to_do(qbs, at_home, arguments, code, said):
    Path("there.dump").touch()
    result = qbs("db", *arguments)
    assert result.exit_code == code
    assert said in result.stderr


def test_a_backup_is_restored_only_over_rows_that_are_to_be_replaced(qbs, at_home, rows, urls):
    made = json.loads(qbs("db", "backup", "state.dump", "--json").stdout)
    assert set(made) == BACKUP_KEYS
    assert qbs("db", "backup", "state.dump", "--force").stdout.startswith("21 rows of 2 tenants written to state.dump")
    refused = qbs("db", "restore", "state.dump")
    assert refused.exit_code == 1
    assert "holds 21 rows of 2 tenants already" in refused.stderr
    assert "--replace" in refused.stderr
    done = qbs("db", "restore", "state.dump", "--replace")
    assert done.stdout == "21 rows of 2 tenants restored from state.dump, as many of each tenant as there were.\n"
    assert json.loads(qbs("db", "status", "--json").stdout)["rows"] == made["rows"]


def test_erase_says_what_goes_asks_and_takes_no_other_tenants_rows(qbs, at_home, rows):
    refused = qbs("db", "erase", str(TENANTS[1]), input="n\n")
    assert refused.exit_code == 1
    assert f"{2 * len(TABLES)} rows of {TENANTS[1]} would go" in refused.stderr
    done = json.loads(qbs("db", "erase", str(TENANTS[1]), "--yes", "--json").stdout)
    assert done == {"tenant": str(TENANTS[1]), "rows": {table.name: 2 for table in TABLES}, "from_home": []}
    left = json.loads(qbs("db", "status", "--json").stdout)["rows"]
    assert left == {table.name: {str(TENANTS[0]): 1} for table in TABLES}
    assert f"There was nothing of {TENANTS[1]}" in qbs("db", "erase", str(TENANTS[1]), "--yes").stdout


def test_check_finds_nothing_in_a_server_of_our_own(qbs, at_home):
    result = qbs("db", "check")
    assert (result.exit_code, "Tenants are kept apart" in result.stdout) == (0, True)
    assert json.loads(qbs("db", "check", "--json").stdout) == {"ok": True, "problems": []}


def test_check_lists_each_problem_and_fails(qbs, at_home, monkeypatch):
    async def unsafe(_: Services) -> None:
        raise UnsafeDatabaseError(["first; mend it so", "second; mend it otherwise"])

    monkeypatch.setattr(Services, "database", unsafe)
    result = qbs("db", "check")
    assert (result.exit_code, result.stdout) == (1, "- first; mend it so\n- second; mend it otherwise\n")
    assert json.loads(qbs("db", "check", "--json").stdout)["ok"] is False


def test_a_server_that_settings_name_is_never_migrated_unasked(qbs, named, home):
    qbs("db", "migrate", "--down", "--to", "base", "--yes")
    for command in ("up", "status"):
        result = qbs("db", command)
        assert result.exit_code == 0
        assert f"no schema yet, while this program needs {HEAD}: `qbs db migrate`" in result.stdout
    unmigrated = qbs("db", "check")
    assert unmigrated.exit_code == 4
    assert "qbs db migrate" in unmigrated.stderr
    assert qbs("db", "migrate").stdout == f"The schema went from nothing to {HEAD}.\n"
    assert qbs("db", "check").exit_code == 0
    assert not home.exists()


def test_an_older_backup_in_a_named_server_is_migrated_by_hand(qbs, named):
    qbs("db", "migrate", "--to", "0001")
    qbs("db", "migrate", "--down", "--to", "0001", "--yes")
    qbs("db", "backup", "old.dump")
    qbs("db", "migrate")
    restored = qbs("db", "restore", "old.dump")
    assert f"The schema is at 0001; `qbs db migrate` brings it to {HEAD}." in restored.stderr
    assert qbs("db", "migrate").exit_code == 0


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        (["migrate"], "QBS_DATABASE_OWNER_URL"),
        (["backup", "state.dump"], "QBS_DATABASE_MAINTENANCE_URL"),
        (["restore", "state.dump"], "QBS_DATABASE_MAINTENANCE_URL"),
    ],
)
def test_an_address_that_is_missing_is_named(qbs, named, monkeypatch, command, variable):
    monkeypatch.delenv(variable)
    result = qbs("db", *command)
    assert result.exit_code == 4
    assert f"{variable} has to be set" in result.stderr


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        (["migrate"], "QBS_DATABASE_OWNER_URL"),
        (["backup", "state.dump"], "QBS_DATABASE_MAINTENANCE_URL"),
        (["restore", "state.dump"], "QBS_DATABASE_MAINTENANCE_URL"),
        (["status"], "QBS_DATABASE_MAINTENANCE_URL"),
    ],
)
@pytest.mark.parametrize("elsewhere", ["another database", "another server"])
def test_an_address_that_leads_elsewhere_is_refused_with_both_names(
    qbs, named, other_server, monkeypatch, command, variable, elsewhere
):
    other = other_server if elsewhere == "another server" else named.maintenance.replace("/qbs?", "/postgres?")
    monkeypatch.setenv(variable, other)
    result = qbs("db", *command)
    assert result.exit_code == 4
    assert f"QBS_DATABASE_URL leads to {without_password(named.app)}, and {variable} to another" in result.stderr
    assert without_password(other) in result.stderr
    assert not Path("state.dump").exists()


def test_rows_that_nobody_may_count_are_not_shown_as_none(qbs, named, monkeypatch):
    qbs("db", "migrate")
    monkeypatch.delenv("QBS_DATABASE_MAINTENANCE_URL")
    assert json.loads(qbs("db", "status", "--json").stdout)["rows"] is None
    shown = qbs("db", "status").stdout
    assert "Rows not counted: QBS_DATABASE_MAINTENANCE_URL is not set" in shown
    assert [line.split()[1] for line in shown.splitlines() if line.startswith("messages")] == ["-"]


def test_services_give_the_addresses_of_all_roles_or_name_the_one_that_is_missing(named, own):
    assert Services(Settings(home=own)).database_urls() == named
    settings = load_settings()
    assert Services(settings).database_urls() == named
    with pytest.raises(ConfigurationError, match="QBS_DATABASE_OWNER_URL has to be set"):
        Services(replace(settings, database_owner_url=None)).database_urls()


def test_an_owner_without_an_application_is_refused(qbs, named, monkeypatch, home):
    monkeypatch.delenv("QBS_DATABASE_URL")
    result = qbs("db", "status")
    assert result.exit_code == 4
    assert "QBS_DATABASE_OWNER_URL is set, but QBS_DATABASE_URL is not" in result.stderr
    assert not home.exists()


@pytest.mark.parametrize("command", [["up"], ["status"], ["check"], ["migrate"], ["backup", "state.dump"]])
def test_a_server_that_cannot_be_reached_is_named_without_its_password(qbs, monkeypatch, command):
    for role in ("", "OWNER_", "MAINTENANCE_"):
        monkeypatch.setenv(f"QBS_DATABASE_{role}URL", "postgresql://ann:canary@127.0.0.1:1/qbs?connect_timeout=3")
    result = qbs("db", *command)
    assert result.exit_code == 4
    assert "canary" not in result.output


def test_up_stays_until_it_is_told_to_end(tmp_path):
    with short_folder() as home:
        staying = subprocess.Popen(
            [sys.executable, "-c", "from workbench.cli import main; main()", "db", "up", "--stay"],
            cwd=ROOT,
            env=os.environ | {"QBS_HOME": str(home)},
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert staying.stderr is not None
        assert staying.stderr.readline() == "It stays up until Ctrl-C.\n"
        assert (home / "postgres" / "data" / "postmaster.pid").exists()
        staying.send_signal(signal.SIGINT)
        assert "psql" in staying.communicate()[0]
        assert staying.returncode == 0
        assert not (home / "postgres" / "data" / "postmaster.pid").exists()


def test_doctor_does_not_make_a_server_that_was_never_needed(home, shipped):
    (check,) = health.database_checks(Services(load_settings(), shipped))
    assert (check.status, "when it is needed" in check.finding) == (Status.OK, True)
    assert not home.exists()


def test_doctor_opens_a_server_that_is_there(at_home, shipped):
    (check,) = health.database_checks(Services(load_settings(), shipped))
    assert (check.status, "tenants are kept apart" in check.finding) == (Status.OK, True)


def test_doctor_names_what_is_not_safe(at_home, monkeypatch):
    async def unsafe(_: Services) -> None:
        raise UnsafeDatabaseError(["first; mend it so", "second; mend it otherwise"])

    monkeypatch.setattr(Services, "database", unsafe)
    checks = list(health.database_checks(Services(Settings(home=at_home))))
    assert [(each.status, each.finding[:5]) for each in checks] == [
        (Status.PROBLEM, "first"),
        (Status.PROBLEM, "secon"),
    ]
