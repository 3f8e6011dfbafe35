"""Calibrations: how a tenant's predicted confidence is corrected, from which outcomes that was learned."""

from __future__ import annotations

from alembic import op

from engine.state.migrations.row_security import keep_tenants_apart

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CALIBRATIONS = """
create table qbs.calibrations (
    tenant_id uuid not null,
    number integer not null,
    calibration varchar not null,
    outcome_type varchar not null,
    as_of timestamptz not null,
    data_from timestamptz,
    data_until timestamptz,
    fitted jsonb not null,
    report jsonb not null,
    published_at timestamptz not null default now(),
    published_by varchar not null,
    note varchar not null,
    returns_to integer,
    schema_version integer not null,
    constraint calibrations_pkey primary key (tenant_id, number),
    constraint calibrations_tenant_id_returns_to_fkey foreign key (tenant_id, returns_to)
        references qbs.calibrations (tenant_id, number),
    constraint calibrations_outcome_type_check check (outcome_type in ('email_engagement', 'deal_progression')),
    constraint calibrations_number_check check (number >= 1)
)
"""
BY_OUTCOME_TYPE = """
create index calibrations_tenant_id_outcome_type_number_idx
    on qbs.calibrations (tenant_id, outcome_type, number)
"""


def upgrade() -> None:
    op.execute(CALIBRATIONS)
    op.execute(BY_OUTCOME_TYPE)
    keep_tenants_apart("calibrations")


def downgrade() -> None:
    op.execute("drop table qbs.calibrations")
