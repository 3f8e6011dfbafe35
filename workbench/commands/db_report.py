"""What `qbs db` says of a database: for people and for programs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.databases import DatabaseServer, Role
from workbench.text import count, table

if TYPE_CHECKING:
    from engine.state.overview import Overview
    from engine.state.rowcounts import RowCounts

TENANTS_SHOWN = 20
UNCOUNTED = "not counted: QBS_DATABASE_MAINTENANCE_URL is not set, and nobody else sees every tenant's rows"


def reached(server: DatabaseServer) -> Overview:
    """What there is in it. Raises DatabaseUnavailableError if it cannot be reached."""
    from engine.state.overview import overview

    return overview(server.url(Role.APP), server.url(Role.MAINTENANCE) if server.has(Role.MAINTENANCE) else None)


def up_text(server: DatabaseServer, found: Overview, *, stay: bool) -> str:
    """That it is there, and, while it stays, how a person looks into it."""
    lines = [f"{_which(server)} is up: Postgres {found.version}, {_revision(server, found)}."]
    if server.embedded:
        lines.append("It ends with the last process that uses it, and starts when the next one needs it.")
    if server.embedded and not stay:
        lines.append("`qbs db up --stay` keeps it up, and says how to look into it.")
    elif server.embedded:
        lines += [
            "",
            "`qbs db url` gives its address, with the password, to a program of your own.",
            "To look into it, as the application (in there: set app.tenant_id = 'UUID of a tenant';):",
            f"  {_psql(server)}",
        ]
    return "\n".join(lines)


def status_text(server: DatabaseServer, found: Overview, tenant: str) -> str:
    from engine.state.pool import POOL_SIZE

    limits = f"each of its processes takes {POOL_SIZE} at most; the server allows {found.max_connections}"
    lines = [
        _which(server),
        f"  Postgres {found.version}, {_revision(server, found)}",
        f"  {size(found.size)}; {count(found.connections, 'connection')} of the application ({limits})",
    ]
    if found.sizes:
        lines += ["", _tables(found)]
    if found.rows is None:
        lines += ["", f"Rows {UNCOUNTED}."]
    elif found.sizes:
        lines += ["", _tenants(found.rows, tenant)]
    return "\n".join(lines)


def status_facts(server: DatabaseServer, found: Overview) -> dict[str, Any]:
    """For programs. `rows` is by table and tenant, null where they cannot be counted."""
    from engine.state.pool import POOL_SIZE
    from engine.state.tables import HEAD

    return {
        "server": "own" if server.embedded else "named",
        "address": address(server),
        "folder": str(server.folder) if server.embedded else None,
        "version": found.version,
        "revision": found.revision,
        "newest_revision": HEAD,
        "bytes": found.size,
        "connections": found.connections,
        "max_connections": found.max_connections,
        "pool_size": POOL_SIZE,
        "table_bytes": dict(found.sizes),
        "rows": found.rows,
    }


def address(server: DatabaseServer) -> str:
    """The application's address without its password."""
    from engine.state.urls import without_password

    return without_password(server.url(Role.APP))


def size(number: int) -> str:
    """`12 KB`, `3.4 MB`, `1.2 GB`."""
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6)):
        if number >= bytes_:
            return f"{number / bytes_:,.1f} {unit}"
    return f"{number / 1e3:,.0f} KB"


def _which(server: DatabaseServer) -> str:
    return f"The server of our own in {server.folder}" if server.embedded else f"The server at {address(server)}"


def _revision(server: DatabaseServer, found: Overview) -> str:
    from engine.state.tables import HEAD

    if found.revision == HEAD:
        return f"schema at {found.revision}, the newest"
    now = f"schema at {found.revision}" if found.revision else "no schema yet"
    return f"{now}, while this program needs {HEAD}: `qbs db migrate`"


def _psql(server: DatabaseServer) -> str:
    from engine.state.embedded.programs import program
    from engine.state.urls import parts_of

    parts = parts_of(server.url(Role.APP))
    told = " ".join(f"{name}={parts[name]}" for name in ("host", "port", "user", "dbname"))
    secret = f'PGPASSWORD="$(jq -r .{parts["user"]} {shlex.quote(str(server.folder / "passwords.json"))})"'
    return f"{secret} {shlex.quote(str(program('psql')))} {shlex.quote(told)}"


def _tables(found: Overview) -> str:
    header = ["TABLE", "ROWS", "SIZE"]
    cells = [
        [name, f"{sum(found.rows.get(name, {}).values()):,}" if found.rows is not None else "-", size(number)]
        for name, number in found.sizes.items()
    ]
    return table(cells, header, right=[1, 2])


def _tenants(rows: RowCounts, tenant: str) -> str:
    """The tenants with the most rows, and their rows in each table."""
    from engine.state.rowcounts import tenants
    from engine.state.tenants import tenant_uuid

    everybody = sorted(tenants(rows), key=lambda each: (-sum(own.get(each, 0) for own in rows.values()), each))
    if not everybody:
        return "No tenant has a row yet."
    ours = str(tenant_uuid(tenant))
    cells = [_tenant_cells(each, rows, tenant if each == ours else "") for each in everybody[:TENANTS_SHOWN]]
    header = ["TENANT", "", *(name.upper().replace("_", " ") for name in rows)]
    shown = table(cells, header, right=range(2, len(header)))
    left = len(everybody) - TENANTS_SHOWN
    return f"{shown}\nand {count(left, 'tenant')} with fewer rows; --json has all" if left > 0 else shown


def _tenant_cells(tenant: str, rows: RowCounts, name: str) -> Sequence[str]:
    return [tenant, name, *(f"{own.get(tenant, 0):,}" for own in rows.values())]
