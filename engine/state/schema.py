"""The schema of production state, brought from one revision to another by Alembic; configured here, without a file.

All of it happens in one transaction: a change that fails leaves everything as it was. Of several processes that begin
at once one does the work; the others wait, and find it done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import psycopg
from psycopg import errors
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from engine.errors import ConfigurationError, QBSError, SchemaVersionError
from engine.state.connecting import connect, connected, explained, revision_of
from engine.state.faults import driver_error
from engine.state.tables import HEAD, SCHEMA

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).with_name("migrations")
TURN_SECONDS = 60  # how long to wait for another process that migrates
TABLES_SECONDS = 10  # how long to wait for transactions that use the tables; everybody else waits behind us
LOCK = 0x716273  # one number for all who migrate

OWNERS = """
select (select nspowner::regrole::text from pg_catalog.pg_namespace where nspname = %s),
       current_user::text,
       exists (select from pg_catalog.pg_roles where rolname = 'qbs_app')
"""


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the schema, and what it brings."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Migrated:
    """From which revision to which; None is before the first. Both are the same if there was nothing to do."""

    before: str | None
    after: str | None


def revisions() -> tuple[Revision, ...]:
    """Every revision that this program knows, the oldest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return tuple(Revision(script.revision, script.doc) for script in scripts)[::-1]


def current(url: str) -> str | None:
    """The revision of the database at `url`; None if it has no schema yet. Each of the roles may ask.

    Raises DatabaseUnavailableError.
    """
    with connected(url) as connection:
        return revision_of(connection)


def upgrade(url: str, to: str = "head") -> Migrated:
    """Bring the schema up to a revision. `url` is the owner's. A schema that is as new already stays as it is.

    Raises ConfigurationError if the role may not do it, SchemaVersionError if the database or `to` is of a revision
    that this program does not know, DatabaseUnavailableError if the database cannot be reached or its tables are in
    use for too long.
    """
    wanted = _place(HEAD if to == "head" else to)
    with _migrating(url) as (connection, before):
        if _place(before) >= wanted:
            return Migrated(before, before)
        _make_schema(_driver(connection))
        _run(connection, "upgrade", to)
        return Migrated(before, revision_of(_driver(connection)))


def downgrade(url: str, to: str) -> Migrated:
    """Take the schema back to a revision, or to "base", before the first. What is newer goes, with its rows.

    Raises as `upgrade` does.
    """
    wanted = _place(None if to == "base" else to)
    with _migrating(url) as (connection, before):
        if _place(before) <= wanted:
            return Migrated(before, before)
        _run(connection, "downgrade", to)
        return Migrated(before, revision_of(_driver(connection)))


def check_known(revision: str | None, what: str = "the schema") -> None:
    """Raises SchemaVersionError if this program knows nothing of the revision that `what` is at."""
    if revision is not None and revision not in [each.id for each in revisions()]:
        raise SchemaVersionError(
            f"{what} is at revision {revision}, and this program knows none beyond {HEAD}: "
            "a newer version of it made that; use the newer version"
        )


def _place(revision: str | None) -> int:
    """How many revisions it takes to get there."""
    ids = [None, *(each.id for each in revisions())]
    if revision not in ids:
        raise SchemaVersionError(f"there is no revision {revision!r}; there is {', '.join(filter(None, ids))}")
    return ids.index(revision)


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _run(connection: Connection, direction: str, to: str) -> None:
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    {"upgrade": command.upgrade, "downgrade": command.downgrade}[direction](config, to)


@contextmanager
def _migrating(url: str) -> Iterator[tuple[Connection, str | None]]:
    """A transaction in which nobody else migrates, and the revision that it begins at."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"set local lock_timeout = '{TURN_SECONDS}s'")
            connection.exec_driver_sql(f"select pg_catalog.pg_advisory_xact_lock({LOCK})")
            connection.exec_driver_sql(f"set local lock_timeout = '{TABLES_SECONDS}s'")
            before = revision_of(_driver(connection))
            check_known(before)
            yield connection, before
    except DBAPIError as error:
        raise _explained(url, driver_error(error)) from None


def _explained(url: str, error: BaseException) -> QBSError:
    """The project's own error for one that a revision ran into."""
    if isinstance(
        error, (errors.DuplicateObject, errors.DuplicateTable, errors.UndefinedObject, errors.UndefinedTable)
    ):
        return SchemaVersionError(
            f"the schema is not what its revision says ({type(error).__name__}), and nothing was changed: "
            "somebody changed it by hand; take that back, or restore a backup"
        )
    return explained(url, error)


def _driver(connection: Connection) -> psycopg.Connection:
    """The driver's own connection below, in the same transaction."""
    return cast("psycopg.Connection", connection.connection.driver_connection)


def _make_schema(connection: psycopg.Connection) -> None:
    """Make the schema if it is not there, and see to it that its owner migrates.

    A superuser's tables would not be bound by the policies that bind the owner's.
    """
    owner, role, app = connection.execute(OWNERS, (SCHEMA,)).fetchall()[0]
    if not app:
        raise ConfigurationError("the server has no role qbs_app yet: docs/production-state.md has the SQL for it")
    if owner is None:
        connection.execute(f"create schema {SCHEMA}")
    elif owner != role:
        raise ConfigurationError(
            f"the schema {SCHEMA} belongs to {owner}, but QBS_DATABASE_OWNER_URL connects as {role}; name {owner} there"
        )
