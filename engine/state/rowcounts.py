"""How many rows each tenant has in each table: what a backup is held against, and what `qbs db status` shows.

Only over the maintenance path: everybody else sees the rows of one tenant, and would count none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import psycopg
from psycopg import errors

from engine.errors import ConfigurationError, StateError
from engine.state.tables import SCHEMA

RowCounts = Mapping[str, Mapping[str, int]]  # table -> tenant -> rows; a table without rows has an empty mapping

SHOWN = 5
TABLES = """
select c.relname
  from pg_catalog.pg_class c
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
 where c.relnamespace = (select oid from pg_catalog.pg_namespace where nspname = %s) and c.relkind = 'r'
 order by c.relname
"""


def count_rows(connection: psycopg.Connection) -> RowCounts:
    """Every table's rows by tenant, as the connection's transaction sees them; no tables if there is no schema.

    Raises ConfigurationError if row level security would hide some: then the count would be wrong without saying so.
    """
    tables = [str(name) for (name,) in connection.execute(TABLES, (SCHEMA,))]
    if not tables:
        return {}
    connection.execute("set local row_security = off")  # rather an error than a row too few
    try:
        counted = connection.execute(counting(tables).encode()).fetchall()
    except errors.InsufficientPrivilege:
        raise ConfigurationError(
            f"{connection.info.user} does not see every tenant's rows, so that it would count, and back up, too few: "
            "QBS_DATABASE_MAINTENANCE_URL has to name a role with BYPASSRLS (or a superuser) that may read the tables"
        ) from None
    return gathered(tables, counted)


def counting(tables: Iterable[str]) -> str:
    """SQL for (table, tenant, rows), a row for each tenant that has any in a table."""
    return " union all ".join(
        f"select {_text(table)}, tenant_id::text, pg_catalog.count(*) "  # noqa: S608  # both are quoted
        f"from {SCHEMA}.{_name(table)} group by tenant_id"
        for table in tables
    )


def locking(tables: Iterable[str]) -> str:
    """SQL that keeps everybody else out of these tables, at least one, until the transaction ends."""
    return f"lock table {', '.join(f'{SCHEMA}.{_name(table)}' for table in tables)} in access exclusive mode;\n"


def gathered(tables: Iterable[str], counted: Iterable[Sequence[str | int]]) -> RowCounts:
    """What `counting` brought, by table and tenant."""
    rows: dict[str, dict[str, int]] = {table: {} for table in tables}
    for table, tenant, number in counted:
        rows[str(table)][str(tenant)] = int(number)
    return rows


def total(counts: RowCounts) -> int:
    return sum(sum(by_tenant.values()) for by_tenant in counts.values())


def rows_text(counts: RowCounts) -> str:
    """`1 row of 1 tenant`, `1,204 rows of 2 tenants`."""
    return f"{_number(total(counts), 'row')} of {_number(len(tenants(counts)), 'tenant')}"


def tenants(counts: RowCounts) -> frozenset[str]:
    return frozenset(tenant for by_tenant in counts.values() for tenant in by_tenant)


def check_rows(problem: str, expected: RowCounts, found: RowCounts) -> None:
    """Raises StateError, which begins with `problem`, if a table or a tenant has other rows than expected."""
    wrong = list(differences(expected, found))
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise StateError(f"{problem}: {'; '.join(wrong[:SHOWN])}{more}")


def differences(expected: RowCounts, found: RowCounts) -> Iterator[str]:
    """A clause for each table and tenant whose rows are not as many as expected."""
    for table in sorted(expected.keys() | found.keys()):
        if table not in found or table not in expected:
            yield f"{table} is {'missing' if table in expected else 'there, and should not be'}"
            continue
        before, after = expected[table], found[table]
        for tenant in sorted(before.keys() | after.keys()):
            rows, wanted = after.get(tenant, 0), before.get(tenant, 0)
            if rows != wanted:
                yield f"{table} of tenant {tenant} has {_number(rows, 'row')} instead of {wanted:,}"


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
