"""What there is in a database, for whoever looks after it: version, revision, sizes, connections, rows by tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.state.connecting import connected, revision_of
from engine.state.rowcounts import RowCounts, count_rows
from engine.state.tables import SCHEMA

_SERVER = """
select pg_catalog.current_setting('server_version'),
       pg_catalog.pg_database_size(pg_catalog.current_database()),
       pg_catalog.current_setting('max_connections')::int,
       (select pg_catalog.count(*) from pg_catalog.pg_stat_activity
         where usename = current_user and datname = pg_catalog.current_database()
           and pid <> pg_catalog.pg_backend_pid())
"""
_SIZES = """
select relname, pg_catalog.pg_total_relation_size(oid)
  from pg_catalog.pg_class
 where relnamespace = (select oid from pg_catalog.pg_namespace where nspname = %s)
   and relkind = 'r' and relname <> 'alembic_version'
 order by relname
"""


@dataclass(frozen=True, slots=True)
class Overview:
    """`connections` are the application's at the moment, of at most `max_connections` of the server.

    `sizes` are bytes by table, indexes counted. `rows` is None where there is no maintenance path to count them by.
    """

    version: str
    revision: str | None
    size: int
    connections: int
    max_connections: int
    sizes: Mapping[str, int]
    rows: RowCounts | None


def overview(app: str, maintenance: str | None) -> Overview:
    """Look at the database over these two addresses. Raises DatabaseUnavailableError and ConfigurationError."""
    with connected(app) as connection:
        version, size, most, used = connection.execute(_SERVER).fetchall()[0]
        sizes = {str(table): int(number) for table, number in connection.execute(_SIZES, (SCHEMA,))}
        revision = revision_of(connection)
    rows = None
    if maintenance is not None:
        with connected(maintenance, snapshot=True) as connection:
            rows = count_rows(connection)
    return Overview(str(version), revision, int(size), int(used), int(most), sizes, rows)
