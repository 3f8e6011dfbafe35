"""The look at a database before it is used: whether tenants could meet in it, and how to mend that.

It looks over the connection that the application itself would use, and refuses what nobody would notice later: a role
that no policy binds, a way to become one, rows sent over a network in the clear, a tenant that is set for everybody.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.errors import SchemaVersionError
from engine.state.catalogue import leaks
from engine.state.roles import APP
from engine.state.tables import HEAD, SCHEMA

OLDEST = 17  # the first that takes what pg_restore writes; views read with their reader's rights from 15 on

_USE_APP = f"let QBS_DATABASE_URL connect as {APP}, which `qbs db migrate` makes with QBS_DATABASE_MAINTENANCE_URL"

# Who we are, and whom we may become; what we may make; what is set for us.
_FACTS = """
select current_user::text as role, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication,
    current_setting('server_version_num')::int / 10000 as version,
    current_database()::text as database,
    has_database_privilege(current_database(), 'temporary') as temporary,
    has_database_privilege(current_database(), 'create') as makes_schemas,
    array(select format('%I', nspname) from pg_catalog.pg_namespace n
        where nspname not like 'pg\\_%' and has_schema_privilege(n.oid, 'create') order by 1) as makes_in,
    array(select distinct pg_get_userbyid(c.relowner)::text from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = :schema and pg_has_role(c.relowner, 'member') order by 1) as owners,
    array(select o.rolname::text from pg_catalog.pg_roles o
        where o.rolname <> current_user and pg_has_role(o.oid, 'member') and (o.rolsuper or o.rolbypassrls
            or o.rolcreaterole or o.rolreplication or o.rolname in ('pg_read_server_files', 'pg_write_server_files',
            'pg_execute_server_program', 'pg_read_all_data', 'pg_write_all_data', 'pg_read_all_stats'))
        order by 1) as powers,
    coalesce(current_setting('app.tenant_id', true), '') <> '' as tenant_set
from pg_catalog.pg_roles r where r.rolname = current_user
"""

_VERSIONED = """
select exists (select 1 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = :schema and c.relname = 'alembic_version'
        and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'))
"""


async def problems(connection: AsyncConnection) -> tuple[str, ...]:
    """What makes the database unsafe, each with its remedy; empty where nothing does.

    Raises SchemaVersionError where the schema is of another version than this program's.
    """
    found = (*await _on_the_way(connection), *_of_the_role(await _facts(connection)))
    revision = await _revision(connection)
    if revision == HEAD:
        return (*found, *await leaks(connection))
    if found:
        return found
    raise SchemaVersionError(_other_version(revision))


def sent_in_the_clear(host: str, address: str, *, encrypted: bool, variable: str = "QBS_DATABASE_URL") -> str | None:
    """The problem of a connection to `host`, whose number is `address` ("" for a socket); None where there is none.

    `variable` is the setting that leads there.
    """
    if encrypted or not address or host.startswith(("/", "@")) or ipaddress.ip_address(address).is_loopback:
        return None
    return (
        f"what customers say is sent to {host} in the clear: set TLS up on the server, "
        f"and add ?sslmode=verify-full to {variable}"
    )


async def _on_the_way(connection: AsyncConnection) -> tuple[str, ...]:
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    problem = sent_in_the_clear(driver.info.host, driver.info.hostaddr, encrypted=driver.pgconn.ssl_in_use)
    return (problem,) if problem else ()


async def _facts(connection: AsyncConnection) -> Mapping[str, Any]:
    return dict((await connection.execute(text(_FACTS), {"schema": SCHEMA})).mappings().one())


def _of_the_role(facts: Mapping[str, Any]) -> list[str]:
    role = facts["role"]
    if facts["rolsuper"]:  # who may do everything need not be told each thing
        return [f"{role} is a superuser, whom no policy binds: {_USE_APP}"]
    found = [
        f"{role} {what}: {_USE_APP}"
        for attribute, what in (
            ("rolbypassrls", "passes row level security by"),
            ("rolcreaterole", "may make roles, and so become others"),
            ("rolreplication", "may copy the whole server"),
        )
        if facts[attribute]
    ]
    for owner in facts["owners"]:
        found.append(
            f"{role} owns the tables, and could take their policies away: {_USE_APP}"
            if owner == role
            else f"{role} may become {owner}, who owns the tables: revoke {owner} from {role}"
        )
    if role != APP and not found:  # the rights that are looked at are those of one role
        found.append(f"{role} is not {APP}, and nobody has looked at what it may do: {_USE_APP}")
    others = [power for power in facts["powers"] if power not in facts["owners"]]
    found += [f"{role} may become {power}, which reaches every tenant: revoke {power} from {role}" for power in others]
    return found + _of_its_rights(facts)


def _of_its_rights(facts: Mapping[str, Any]) -> list[str]:
    role, database = facts["role"], facts["database"]
    found = [
        f"{role} may make things in the schema {schema}: revoke create on schema {schema} from {role}, public"
        for schema in facts["makes_in"]
    ]
    if facts["makes_schemas"]:
        found.append(f"{role} may make schemas: revoke create on database {database} from {role}, public")
    if facts["temporary"]:
        found.append(f"{role} may make temporary tables: revoke temporary on database {database} from {role}, public")
    if facts["tenant_set"]:
        found.append(
            f"a tenant is set for everybody who forgets to: alter role {role} reset app.tenant_id; "
            f"alter role {role} in database {database} reset app.tenant_id; "
            f"alter database {database} reset app.tenant_id; take it out of the address and postgresql.conf"
        )
    if facts["version"] < OLDEST:
        found.append(f"the server is Postgres {facts['version']}: upgrade it to {OLDEST} or later")
    return found


async def _revision(connection: AsyncConnection) -> str | None:
    """The schema's revision; None where there is none, or none that this role may see."""
    if not (await connection.execute(text(_VERSIONED), {"schema": SCHEMA})).scalar():
        return None
    query = f"select version_num from {SCHEMA}.alembic_version"  # noqa: S608
    revision: str | None = (await connection.exec_driver_sql(query)).scalar()
    return revision


def _other_version(revision: str | None) -> str:
    if revision is None:
        return f"the database has no tables that {APP} may use: run `qbs db migrate`"
    return (
        f"the schema is at revision {revision} and this program works with {HEAD}: run `qbs db migrate`, "
        "or, if that knows of nothing newer, use the version of the program that migrated it"
    )
