"""Whose outcomes there are: asked over the maintenance path, since everybody else sees one tenant's alone."""

from __future__ import annotations

from uuid import UUID

from engine.state.connecting import connected

# From one tenant to the next over the index: it takes a step for each tenant, not for each outcome.
_TENANTS = """
with recursive tenant(id) as (
    (select tenant_id from qbs.outcomes order by tenant_id limit 1)
    union all
    select (select outcome.tenant_id from qbs.outcomes outcome
             where outcome.tenant_id > tenant.id order by outcome.tenant_id limit 1)
      from tenant
     where tenant.id is not null
)
select id from tenant where id is not null order by id
"""


def tenants_with_outcomes(maintenance: str) -> tuple[UUID, ...]:
    """The tenants that have any outcome. `maintenance` is the address of the maintenance path.

    Raises ConfigurationError if that role does not see every tenant's rows, DatabaseUnavailableError.
    """
    with connected(maintenance, snapshot=True) as connection:
        connection.execute("set local row_security = off")  # rather an error than a tenant too few
        return tuple(tenant for (tenant,) in connection.execute(_TENANTS).fetchall())
