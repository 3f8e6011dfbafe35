"""Prompt releases: which prompts a tenant's conversations are read with, and on which evidence."""

from __future__ import annotations

from alembic import op

from engine.state.migrations.row_security import keep_tenants_apart

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PROMPT_RELEASES = """
create table qbs.prompt_releases (
    tenant_id uuid not null,
    number integer not null,
    prompt_set varchar not null,
    stage varchar not null,
    prompts jsonb not null,
    released_at timestamptz not null default now(),
    released_by varchar not null,
    note varchar not null,
    verdict varchar,
    evidence jsonb not null,
    overridden_because varchar,
    returns_to integer,
    schema_version integer not null,
    constraint prompt_releases_pkey primary key (tenant_id, number),
    constraint prompt_releases_tenant_id_returns_to_fkey foreign key (tenant_id, returns_to)
        references qbs.prompt_releases (tenant_id, number),
    constraint prompt_releases_stage_check check (stage in ('draft', 'candidate', 'production')),
    constraint prompt_releases_number_check check (number >= 1)
)
"""
BY_STAGE = """
create index prompt_releases_tenant_id_stage_number_idx
    on qbs.prompt_releases (tenant_id, stage, number)
"""


def upgrade() -> None:
    op.execute(PROMPT_RELEASES)
    op.execute(BY_STAGE)
    keep_tenants_apart("prompt_releases")


def downgrade() -> None:
    op.execute("drop table qbs.prompt_releases")
