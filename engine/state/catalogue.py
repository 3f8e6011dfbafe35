"""The lint over the server's catalogue: whatever in the schema could let one tenant see another's rows.

It looks at what is there, not at what the migrations meant to make, and fails closed: a table, policy, view or function
that it does not know to be harmless is a leak until somebody says otherwise here.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.state.roles import APP
from engine.state.tables import SCHEMA

_KNOWN = {
    "schema": SCHEMA,
    "app": APP,
    "rights": ["SELECT", "INSERT", "UPDATE"],
    # What holds no tenant's rows.
    "exempt": ["alembic_version"],
    # The one condition under which a row is seen or written, as the server prints it.
    "policy": "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)",
}


@dataclass(frozen=True, slots=True)
class Leak:
    """A kind of leak: what to say of a case, and the query that finds the cases, one row each."""

    says: str
    query: str


# The schema's tables and the number of their column `tenant_id`; stands before every query.
_TABLES = """
with relations as (
    select c.*, n.nspname, format('%I.%I', n.nspname, c.relname) as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
), ours as (
    select * from relations where nspname = :schema
), tables as (
    select ours.*, (
        select a.attnum from pg_catalog.pg_attribute a
        where a.attrelid = ours.oid and a.attname = 'tenant_id' and a.attnotnull and not a.attisdropped
            and a.atttypid = 'pg_catalog.uuid'::regtype
    ) as tenant
    from ours where relkind in ('r', 'p') and relname <> all (cast(:exempt as text[]))
)
"""

LEAKS: tuple[Leak, ...] = (
    Leak(
        "{0} has no column `tenant_id uuid not null`: its rows belong to nobody; add it, and begin every key with it",
        "select name from tables where tenant is null",
    ),
    Leak(
        "{0} has no row level security: alter table {0} enable row level security, force row level security",
        "select name from tables where not relrowsecurity",
    ),
    Leak(
        "{0} does not force row level security on its owner: alter table {0} force row level security",
        "select name from tables where relrowsecurity and not relforcerowsecurity",
    ),
    Leak(
        "{0} has no policy: create policy tenant_isolation on {0}, with the condition of the other tables",
        "select name from tables where not exists (select 1 from pg_catalog.pg_policy p where p.polrelid = tables.oid)",
    ),
    Leak(
        "the policy {0} on {1} is not the one that keeps tenants apart, and policies add up: drop policy {0} on {1}",
        """
        select format('%I', p.polname), name from ours join pg_catalog.pg_policy p on p.polrelid = ours.oid
        where p.polpermissive and (p.polcmd <> '*' or p.polroles <> '{0}'
            or pg_get_expr(p.polqual, p.polrelid) is distinct from :policy
            or coalesce(pg_get_expr(p.polwithcheck, p.polrelid), :policy) <> :policy)
        """,
    ),
    Leak(
        "the key {0} of {1} does not begin with tenant_id: it tells one tenant what another has; make it anew",
        """
        select i.indexrelid::regclass, name from tables join pg_catalog.pg_index i on i.indrelid = tables.oid
        where (i.indisunique or i.indisexclusion) and i.indkey[0] is distinct from tenant
        """,
    ),
    Leak(
        "the foreign key {0} of {1} does not lead from tenant_id to tenant_id: it reaches other tenants; make it anew",
        """
        select format('%I', k.conname), t.name
        from tables t join pg_catalog.pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
        left join tables o on o.oid = k.confrelid
        where k.conkey[1] is distinct from t.tenant or o.oid is null or k.confkey[1] is distinct from o.tenant
        """,
    ),
    Leak(
        "{0} is a part of {1}, and read by itself it does not heed {1}'s policy: keep the rows in one table",
        """
        select distinct i.inhrelid::regclass::text, i.inhparent::regclass::text
        from pg_catalog.pg_inherits i join ours on ours.oid in (i.inhrelid, i.inhparent)
        where relkind in ('r', 'p', 'f')
        """,
    ),
    Leak(
        "the view {0} reads with its owner's rights: alter view {0} set (security_invoker = true)",
        """
        select name from ours where relkind = 'v' and not exists (
            select 1 from pg_catalog.pg_options_to_table(reloptions)
            where option_name = 'security_invoker' and option_value::bool)
        """,
    ),
    Leak(
        "the {0} {1} is shared by all tenants, and no policy can be put on it: drop it",
        """
        select case relkind when 'm' then 'materialised view' when 'f' then 'foreign table' else 'sequence' end, name
        from ours where relkind in ('m', 'f', 'S')
        """,
    ),
    Leak(
        "the function {0} {1}: alter function {0} security invoker, not leakproof, or drop it",
        """
        select p.oid::regprocedure, case when p.prosecdef then 'runs with its owner''s rights'
            else 'is trusted to see rows before the policy does' end
        from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where (p.prosecdef or p.proleakproof) and n.nspname not in ('pg_catalog', 'information_schema')
        """,
    ),
    Leak(
        "the rule {0} on {1} acts with the rights of the table's owner: drop rule {0} on {1}",
        """
        select format('%I', r.rulename), name from ours join pg_catalog.pg_rewrite r on r.ev_class = ours.oid
        where r.rulename <> '_RETURN'
        """,
    ),
    Leak(
        "{2} may {1} on {0}, which no policy binds or nobody needs: revoke {1} on {0} from {2}",
        """
        select distinct name, a.privilege_type, coalesce(r.rolname, 'public')
        from tables cross join lateral pg_catalog.aclexplode(relacl) a
        left join pg_catalog.pg_roles r on r.oid = a.grantee
        where a.grantee = 0 or a.grantee <> relowner and a.privilege_type <> all (cast(:rights as text[]))
            and exists (select 1 from pg_catalog.pg_roles app
                where app.rolname = :app and not app.rolsuper and pg_has_role(app.oid, a.grantee, 'member'))
        """,
    ),
    Leak(
        f"{APP} reaches {{0}}, where nobody looks for tenants: revoke all on {{0}} from {APP}, public",
        """
        select name from relations join pg_catalog.pg_roles r on r.rolname = :app
        where nspname not in (:schema, 'pg_catalog', 'information_schema') and relkind in ('r', 'p', 'v', 'm', 'f')
            and nspname not like 'pg\\_t%' and pg_catalog.has_schema_privilege(r.oid, relnamespace, 'usage')
            and (pg_catalog.has_any_column_privilege(r.oid, relations.oid, 'select,insert,update')
                or pg_catalog.has_table_privilege(r.oid, relations.oid, 'delete,truncate'))
            and not exists (select 1 from pg_catalog.pg_depend d where d.objid = relations.oid and d.deptype = 'e')
        """,
    ),
)


async def leaks(connection: AsyncConnection) -> tuple[str, ...]:
    """Every leak that is found, each with its remedy. Any role may look."""
    found: list[str] = []
    for leak in LEAKS:
        query = _TABLES + leak.query
        told = {name: value for name, value in _KNOWN.items() if f":{name}" in query}
        found += sorted(leak.says.format(*row) for row in await connection.execute(text(query), told))
    return tuple(found)
