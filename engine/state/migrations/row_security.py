"""Row level security for a table of tenants' rows, as every revision applies it.

Forced, so that it binds the owner too: a later revision that changes rows sees none of them this way, and has to go
by the maintenance path. What a function here does never changes; a revision that wants it otherwise says so itself.
"""

from __future__ import annotations

from alembic import op

# After a transaction that had set it, the setting is '' and not NULL: both mean that there is no tenant, and no row.
_OWN = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"


def keep_tenants_apart(table: str, *, updates: str | None = None) -> None:
    """Let the app role read and add a tenant's rows, and no other; `updates` is what it may change of them.

    `updates` is "update" for a whole row or "update (a, b)" for some columns. Nobody but the owner may delete.
    """
    rights = ", ".join(["select", "insert", *([updates] if updates else [])])
    op.execute(f"alter table qbs.{table} enable row level security")
    op.execute(f"alter table qbs.{table} force row level security")
    op.execute(f"create policy tenant_isolation on qbs.{table} using ({_OWN}) with check ({_OWN})")
    op.execute(f"revoke all on qbs.{table} from public")
    op.execute(f"grant {rights} on qbs.{table} to qbs_app")
