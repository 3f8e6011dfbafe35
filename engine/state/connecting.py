"""One connection for what is done by hand: migrating, counting, backing up. Its troubles are said for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg.conninfo import make_conninfo

from engine.errors import ConfigurationError, DatabaseUnavailableError, QBSError
from engine.state.faults import code_of, state_error, unavailable
from engine.state.tables import SCHEMA
from engine.state.urls import parts_of, without_password

CONNECT_SECONDS = 10


def connect(url: str) -> psycopg.Connection:
    """A connection, with nothing on its search path. Raises psycopg's errors, and ConfigurationError for no address."""
    usual = {"connect_timeout": str(CONNECT_SECONDS), "application_name": "qbs"}
    told = {**usual, **parts_of(url), "client_encoding": "UTF8"}
    connection = psycopg.connect(make_conninfo("", **told))
    with connection.transaction():
        connection.execute("set search_path = ''")
    return connection


@contextmanager
def connected(url: str, *, snapshot: bool = False) -> Iterator[psycopg.Connection]:
    """One transaction over a connection of its own; with `snapshot`, all of it sees the same moment, and only reads.

    Raises DatabaseUnavailableError, ConfigurationError if the role may not do what is done, and StateError for
    whatever else the server refuses.
    """
    try:
        with connect(url) as connection:
            if snapshot:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
            yield connection
    except psycopg.Error as error:
        raise explained(url, error) from None


def explained(url: str, error: BaseException) -> QBSError:
    """The project's own error for the driver's, whether no connection was made or something went wrong over it."""
    if isinstance(error, errors.InsufficientPrivilege):
        return ConfigurationError(
            f"{without_password(url)}: the role may not do this; docs/production-state.md has what each role needs"
        )
    if isinstance(error, errors.LockNotAvailable):
        return DatabaseUnavailableError("the tables are in use, and nothing was changed; try again in a quieter moment")
    if isinstance(error, errors.OperationalError) and not code_of(error):
        return unavailable(url, error)
    return state_error(error)


def revision_of(connection: psycopg.Connection) -> str | None:
    """The revision of the schema; None if there is none yet."""
    found = connection.execute("select pg_catalog.to_regclass(%s)", (f"{SCHEMA}.alembic_version",)).fetchone()
    if found is None or found[0] is None:
        return None
    revision = connection.execute(f"select version_num from {SCHEMA}.alembic_version").fetchone()  # noqa: S608
    return str(revision[0]) if revision else None
