"""The roles of the database: who owns the schema, who reads and writes rows, and that nobody else does anything.

`qbs_owner` owns the schema `qbs` and migrates it. `qbs_app` may use what the migrations grant it, and make nothing: no
table, no temporary table, no function. Neither is a superuser, passes row security by, or belongs to the other. What
the maintenance role does (making these two, backup, restore) neither of them can.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from engine.errors import ConfigurationError
from engine.state.connecting import connect, connected, explained
from engine.state.tables import SCHEMA
from engine.state.urls import DatabaseUrls, parts_of

OWNER = "qbs_owner"
APP = "qbs_app"
DATABASE = "qbs"

# For an administrator who sets a server up by hand: docs/production-state.md shows them with the roles' making.
STATEMENTS = (
    f"grant {OWNER} to current_user",
    f"create schema if not exists {SCHEMA} authorization {OWNER}",
    f"grant usage on schema {SCHEMA} to {APP}",
    # What everybody may do on a new database: connect to it, make temporary tables, look into `public`.
    "revoke all on database {database} from public",
    f"grant connect on database {{database}} to {OWNER}, {APP}",
    "revoke all on schema public from public",
    # Temporary tables last: one that is named like a table of ours does not hide it.
    f"alter role {OWNER} in database {{database}} set search_path = {SCHEMA}, pg_temp",
    f"alter role {APP} in database {{database}} set search_path = {SCHEMA}, pg_temp",
)

_LOCK = 0x716274
_ROLES = "select pg_catalog.count(*) = 2 from pg_catalog.pg_roles where rolname = any(%s)"
_SCHEMA = "select exists (select from pg_catalog.pg_namespace where nspname = %s)"


def is_set_up(maintenance: str) -> bool:
    """Whether the roles and the schema have been made. Raises DatabaseUnavailableError."""
    with connected(maintenance) as connection:
        return are_made(connection) and connection.execute(_SCHEMA, [SCHEMA]).fetchall() == [(True,)]


def are_made(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has both roles."""
    return connection.execute(_ROLES, [[OWNER, APP]]).fetchall() == [(True,)]


def set_up(urls: DatabaseUrls) -> None:
    """Make the roles and the schema, with the passwords in their addresses, or bring them back to what they should be.

    Over the maintenance address, in one transaction; the database itself has to be there. Raises ConfigurationError
    where an address names another role or the maintenance role may not do this, DatabaseUnavailableError where nobody
    answers.
    """
    passwords = {role: _password(url, role) for role, url in ((OWNER, urls.owner), (APP, urls.app))}
    try:
        with connect(urls.maintenance) as connection:
            connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
            for role, password in passwords.items():
                _make_role(connection, role, password)
            database = sql.Identifier(connection.info.dbname)
            for statement in _needed(connection):
                connection.execute(sql.SQL(statement).format(database=database))
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"the role of QBS_DATABASE_MAINTENANCE_URL may not set up the database ({error.diag.message_primary}): "
            "name a superuser there, or a role with CREATEROLE that owns the database"
        ) from None
    except psycopg.Error as error:
        raise explained(urls.maintenance, error) from None


def _needed(connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    """A superuser need not become a member of the owner to give a schema to it."""
    superuser = connection.info.parameter_status("is_superuser") == "on"
    return STATEMENTS[1:] if superuser else STATEMENTS


def _make_role(connection: psycopg.Connection[Any], role: str, password: str | None) -> None:
    """A new role has no rights but to log in. The password reaches the server only as what it keeps of it."""
    if not connection.execute("select 1 from pg_catalog.pg_roles where rolname = %s", [role]).fetchone():
        connection.execute(sql.SQL("create role {} login").format(sql.Identifier(role)))
    if password is not None:
        kept = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(kept)))


def _password(url: str, role: str) -> str | None:
    parts = parts_of(url)
    if parts.get("user") != role:
        setting = "QBS_DATABASE_OWNER_URL" if role == OWNER else "QBS_DATABASE_URL"
        raise ConfigurationError(f"{setting} has to connect as {role}, not as {parts.get('user') or 'nobody'}")
    return parts.get("password")
