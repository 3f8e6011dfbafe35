"""The lint over the catalogue finds every kind of leak as soon as it is there, and nothing where there is none."""

from __future__ import annotations

import re

import pytest

from engine.state.catalogue import leaks
from engine.state.embedded import EmbeddedServer
from tests.integration.looking import changed
from tests.integration.postgres_servers import SUPERUSER, TcpServer

OWN = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"
OWN_OR_ALL = "tenant_id = coalesce(nullif(current_setting('app.tenant_id', true), '')::uuid, tenant_id)"

# A new table as a migration should make it.
KEPT_APART = (
    "create table qbs.extra (tenant_id uuid not null, id uuid, state_id uuid, primary key (tenant_id, id))",
    "alter table qbs.extra enable row level security",
    "alter table qbs.extra force row level security",
    f"create policy tenant_isolation on qbs.extra using ({OWN})",
    "grant select, insert, update (state_id) on qbs.extra to qbs_app",
)
FUNCTION = "create function qbs.seen(text) returns bool language sql return true"


async def test_the_schema_as_it_is_migrated_has_no_leak(postgres: EmbeddedServer, tcp_postgres: TcpServer) -> None:
    for superuser in (postgres.urls.maintenance, tcp_postgres.url(SUPERUSER)):
        async with changed(superuser) as connection:
            assert await leaks(connection) == ()


async def test_a_table_that_keeps_tenants_apart_is_no_leak(postgres: EmbeddedServer) -> None:
    async with changed(postgres.urls.maintenance, *KEPT_APART) as connection:
        assert await leaks(connection) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            ["create table qbs.bare (tenant_id uuid not null, id uuid, primary key (tenant_id, id))"],
            [
                "qbs.bare has no row level security: alter table qbs.bare enable row .*, force row level security",
                "qbs.bare has no policy: create policy",
            ],
        ),
        (
            ["create table qbs.bare (id uuid primary key)"],
            ["qbs.bare has no column `tenant_id", "the key qbs.bare_pkey"],
        ),
        (["create table qbs.bare (tenant_id text not null)"], ["qbs.bare has no column `tenant_id uuid not null`"]),
        (["create table qbs.bare (tenant_id uuid)"], ["qbs.bare has no column `tenant_id uuid not null`"]),
        ([*KEPT_APART, "alter table qbs.extra disable row level security"], ["qbs.extra has no row level security"]),
        ([*KEPT_APART, "alter table qbs.extra no force row level security"], ["qbs.extra does not force"]),
        ([*KEPT_APART, "drop policy tenant_isolation on qbs.extra"], ["qbs.extra has no policy"]),
        (
            ["create policy wide on qbs.messages using (true)"],
            ["the policy wide on qbs.messages is not the one .*: drop policy wide on qbs.messages"],
        ),
        (["create policy wide on qbs.messages for select using (true)"], ["the policy wide on qbs.messages"]),
        (
            ["alter policy tenant_isolation on qbs.outcomes with check (true)"],
            ["the policy tenant_isolation on qbs.outcomes"],
        ),
        (
            [f"alter policy tenant_isolation on qbs.outcomes using ({OWN_OR_ALL})"],
            ["the policy tenant_isolation on qbs.outcomes"],
        ),
        (
            ["alter policy tenant_isolation on qbs.outcomes to qbs_owner"],
            ["the policy tenant_isolation on qbs.outcomes"],
        ),
        ([*KEPT_APART, "create unique index on qbs.extra (id)"], ["the key qbs.extra_id_idx of qbs.extra"]),
        ([*KEPT_APART, "create unique index on qbs.extra (id, tenant_id)"], ["the key qbs.extra_id_tenant_id_idx"]),
        ([*KEPT_APART, "alter table qbs.extra add exclude using hash (id with =)"], ["the key qbs.extra_id_excl"]),
        (
            [
                *KEPT_APART,
                "create unique index extra_ids on qbs.extra (id)",
                "create table qbs.child (tenant_id uuid not null, id uuid references qbs.extra (id))",
            ],
            ["the key qbs.extra_ids", "the foreign key child_id_fkey of qbs.child does not lead", "qbs.child has no"],
        ),
        (
            [*KEPT_APART, "create table qbs.extra_2 () inherits (qbs.extra)"],
            ["qbs.extra_2 is a part of qbs.extra", "qbs.extra_2 has no row level security"],
        ),
        (
            [
                *KEPT_APART,
                "create table qbs.parted (like qbs.extra) partition by hash (tenant_id)",
                "create table public.part partition of qbs.parted for values with (modulus 1, remainder 0)",
            ],
            ["part is a part of qbs.parted", "qbs.parted has no policy"],
        ),
        (["create view qbs.seen as select * from qbs.messages"], ["the view qbs.seen reads with its owner's rights"]),
        (
            ["create view qbs.seen with (security_invoker = off) as select * from qbs.messages"],
            [r"alter view qbs.seen set \(security_invoker = true\)"],
        ),
        (["create materialized view qbs.seen as select 1"], ["the materialised view qbs.seen"]),
        (["create sequence qbs.numbers"], ["the sequence qbs.numbers is shared by all tenants"]),
        (
            [FUNCTION, "alter function qbs.seen security definer"],
            [r"the function qbs.seen\(text\) runs with its owner's"],
        ),
        ([FUNCTION, "alter function qbs.seen leakproof"], [r"the function qbs.seen\(text\) is trusted"]),
        (
            ["create function public.seen() returns int language sql security definer return 1"],
            [r"the function (public\.)?seen\(\) runs with"],
        ),
        (
            ["create rule told as on insert to qbs.messages do also select 1"],
            ["the rule told on qbs.messages .*: drop rule told on qbs.messages"],
        ),
        (["grant select on qbs.messages to public"], ["public may SELECT on qbs.messages"]),
        (
            ["grant truncate on qbs.messages to qbs_app"],
            ["qbs_app may TRUNCATE on .*: revoke TRUNCATE on qbs.messages"],
        ),
        (["grant delete on qbs.outcomes to qbs_app"], ["qbs_app may DELETE on qbs.outcomes"]),
        (
            ["create role crew", "grant truncate on qbs.messages to crew", "grant crew to qbs_app"],
            ["crew may TRUNCATE on qbs.messages"],
        ),
        (
            [
                "create schema aside",
                "create table aside.rows (id int)",
                "grant usage on schema aside to qbs_app",
                "grant select on aside.rows to qbs_app",
            ],
            ["qbs_app reaches aside.rows"],
        ),
    ],
    ids=lambda it: it[-1][:70],
)
async def test_a_leak_is_found_with_its_remedy(postgres: EmbeddedServer, changes: list[str], said: list[str]) -> None:
    async with changed(postgres.urls.maintenance, *changes) as connection:
        found = await leaks(connection)
    assert len(found) >= len(said)
    for expected in said:
        assert any(re.search(expected, leak) for leak in found), found


@pytest.mark.parametrize(
    "changes",
    [
        ["create view qbs.seen with (security_invoker = true) as select * from qbs.messages"],
        ["create view qbs.seen with (security_invoker) as select * from qbs.messages"],
        [FUNCTION],
        ["create policy narrow on qbs.messages as restrictive using (turn >= 0)"],
        ["create schema aside", "create table aside.rows (id int)"],
        ["create index on qbs.messages (turn)"],
    ],
    ids=lambda it: it[-1][:70],
)
async def test_what_lets_nobody_see_more_is_no_leak(postgres: EmbeddedServer, changes: list[str]) -> None:
    async with changed(postgres.urls.maintenance, *changes) as connection:
        assert await leaks(connection) == ()
