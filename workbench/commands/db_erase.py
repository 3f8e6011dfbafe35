"""`qbs db erase`: a tenant goes, with every row."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.commands.exits import say
from workbench.commands.output import AsJson, show, show_json
from workbench.databases import Role
from workbench.services import build_services
from workbench.text import count

EPILOG = """\
\b
Examples:
  qbs db erase acme-pilot           says what goes, and asks
  qbs db erase acme-pilot --yes     does not ask

\b
Contacts, messages, outcomes, prompt releases and calibrations of that tenant
go, in one transaction; no other tenant's do. There is no way back but a
backup. Copies elsewhere (runs, the analysts' outcomes) are not touched.
"""


def erase(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="A name, or a UUID.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a tenant and every row of theirs."""
    from engine.state.erasing import erase_tenant
    from engine.state.tenants import tenant_uuid

    tenant_id = tenant_uuid(tenant)
    server = build_services().database_server
    server.bring_up_to_date()
    url = server.url(Role.MAINTENANCE)
    if not yes:
        say(f"{count(_rows(url, str(tenant_id)), 'row')} of {tenant} would go. `qbs db backup FILE` keeps them.")
        typer.confirm("Go on?", abort=True, err=True)
    gone = erase_tenant(url, tenant_id)
    if as_json:
        show_json({"tenant": str(tenant_id), "rows": gone})
    else:
        show(f"{count(sum(gone.values()), 'row')} of {tenant} are gone.")


def _rows(url: str, tenant: str) -> int:
    from engine.state.connecting import connected
    from engine.state.rowcounts import count_rows

    with connected(url, snapshot=True) as connection:
        return sum(by_tenant.get(tenant, 0) for by_tenant in count_rows(connection).values())
