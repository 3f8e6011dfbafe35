"""A server set up by hand, exactly as docs/production-state.md says, does all that one of our own does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import Result

from engine.state.roles import APP, DATABASE, OWNER
from engine.state.tables import HEAD
from tests.integration.databases import REVISIONS, everything, fill
from tests.integration.postgres_servers import MAINTENANCE, SUPERUSER, TcpServer, short_folder
from tests.workbench import command_line

DOCS = Path(__file__).parents[2] / "docs" / "production-state.md"


def statements(block: str) -> list[str]:
    return [part.strip() for part in re.sub(r"(?m)^ +", "", block).split(";") if part.strip()]


@pytest.fixture
def server() -> Iterator[TcpServer]:
    """With an administrator, and nothing else."""
    with short_folder() as folder:
        server = TcpServer(folder)
        server.make()
        with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(f"drop database {DATABASE} with (force)".encode())
            connection.execute(f"drop role {OWNER}, {APP}, {MAINTENANCE}".encode())
        yield server
        server.stop()


def run(server: TcpServer, block: str, database: str = "postgres") -> None:
    """As the administrator; where the page says `...`, the role's own password."""
    with psycopg.connect(server.url(SUPERUSER, database), autocommit=True) as connection:
        for statement in statements(block):
            role = re.search(r"create role (\w+)", statement)
            password = server.url(role[1]).split(":")[2].partition("@")[0] if role else ""
            connection.execute(statement.replace("...", password).encode())


@pytest.mark.parametrize("by_hand", [False, True])
def test_the_documented_steps_make_a_server_that_is_safe_and_can_be_backed_up(server, tmp_path, monkeypatch, by_hand):
    short, roles, rights = re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.DOTALL)
    if by_hand:
        run(server, roles)
        run(server, rights, DATABASE)
    else:
        run(server, short)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QBS_DATABASE_URL", server.urls.app)
    monkeypatch.setenv("QBS_DATABASE_OWNER_URL", server.urls.owner)
    monkeypatch.setenv("QBS_DATABASE_MAINTENANCE_URL", server.urls.maintenance)
    migrated = qbs("migrate")
    assert migrated.stdout == f"The schema went from nothing to {HEAD}.\n"
    assert ("were made" in migrated.stderr) is not by_hand
    assert qbs("check").exit_code == 0
    fill(server.urls, *REVISIONS)
    before = everything(server.urls)
    assert qbs("backup", "state.dump").exit_code == 0
    assert qbs("restore", "state.dump", "--replace").exit_code == 0
    assert everything(server.urls) == before
    assert qbs("check").exit_code == 0
    assert {file.name for file in tmp_path.iterdir()} == {"state.dump", "state.dump.counts.json"}


def qbs(*arguments: str) -> Result:
    return command_line.run("db", *arguments)
