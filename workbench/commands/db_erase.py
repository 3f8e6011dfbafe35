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
go, in one transaction; no other tenant's do. The analysts' copy of their
outcomes, imported ones too, and calibrations that were fitted on it go with
them. There is no way back but a backup. Runs and the recordings of what
models answered are not touched: they are not told apart by tenant, and hold
what was said.
"""


def erase(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="A name, or a UUID.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a tenant: every row of theirs, and what QBS_HOME keeps of them."""
    from engine.state.erasing import erase_tenant
    from engine.state.tenants import tenant_uuid
    from workbench.forgetting import forget_tenant, kept_here

    tenant_id = tenant_uuid(tenant)
    services = build_services()
    server = services.database_server
    server.bring_up_to_date()
    url = server.url(Role.MAINTENANCE)
    if not yes:
        say(f"{count(_rows(url, str(tenant_id)), 'row')} of {tenant} would go. `qbs db backup FILE` keeps them.")
        if kept := kept_here(services, tenant_id):
            say(f"From QBS_HOME would go, which no backup of the database holds: {', '.join(kept)}.")
        typer.confirm("Go on?", abort=True, err=True)
    here = kept_here(services, tenant_id)
    gone = erase_tenant(url, tenant_id)
    forget_tenant(services, tenant_id)
    if as_json:
        show_json({"tenant": str(tenant_id), "rows": gone, "from_home": list(here)})
    elif here or any(gone.values()):
        show(f"{count(sum(gone.values()), 'row')} of {tenant} are gone{''.join(f', {what}' for what in here)}.")
    else:
        show(f"There was nothing of {tenant}: no row, and nothing in QBS_HOME. Is that the right name?")


def _rows(url: str, tenant: str) -> int:
    from engine.state.connecting import connected
    from engine.state.rowcounts import count_rows

    with connected(url, snapshot=True) as connection:
        return sum(by_tenant.get(tenant, 0) for by_tenant in count_rows(connection).values())
