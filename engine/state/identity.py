"""Which database an address leads to, as its server says: two addresses may differ in words and lead to the same."""

from __future__ import annotations

import psycopg
from psycopg import errors

from engine.errors import DatabaseUnavailableError
from engine.state.connecting import connected

_NAME = "select pg_catalog.current_database()::text, pg_catalog.pg_postmaster_start_time()::text"
_SYSTEM = "select system_identifier::text from pg_catalog.pg_control_system()"


def lead_elsewhere(first: str, second: str) -> bool:
    """Whether the two addresses are known to lead to different databases; False where one of them cannot be reached.

    A server is known by the identifier that it got when it was made, or, where a role may not ask for that, by the
    moment it was started.
    """
    try:
        with connected(first) as one, connected(second) as other:
            (name, started), (other_name, other_started) = _named(one), _named(other)
            systems = _system(one), _system(other)
    except DatabaseUnavailableError:
        return False
    same_server = systems[0] == systems[1] if all(systems) else started == other_started
    return name != other_name or not same_server


def _named(connection: psycopg.Connection) -> tuple[str, str]:
    name, started = connection.execute(_NAME).fetchall()[0]
    return str(name), str(started)


def _system(connection: psycopg.Connection) -> str | None:
    try:
        with connection.transaction():
            return str(connection.execute(_SYSTEM).fetchall()[0][0])
    except errors.InsufficientPrivilege:
        return None
