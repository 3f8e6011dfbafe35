"""Outcomes: the recommendations that were made, and what happened after them."""

from __future__ import annotations

from alembic import op

from engine.state.migrations.row_security import keep_tenants_apart

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OUTCOMES = """
create table qbs.outcomes (
    tenant_id uuid not null,
    outcome_id uuid not null,
    state_id uuid not null,
    idempotency_key varchar not null,
    action_type varchar not null,
    outcome_type varchar not null,
    predicted_confidence double precision not null,
    recommended_at timestamptz not null,
    closes_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    details jsonb not null,
    schema_version integer not null,
    recorded_in bigint not null default (pg_current_xact_id()::text::bigint),
    constraint outcomes_pkey primary key (tenant_id, outcome_id),
    constraint outcomes_tenant_id_state_id_fkey foreign key (tenant_id, state_id)
        references qbs.conversation_states (tenant_id, state_id),
    constraint outcomes_tenant_id_idempotency_key_key unique (tenant_id, idempotency_key),
    constraint outcomes_predicted_confidence_check check (predicted_confidence between 0 and 1),
    constraint outcomes_outcome_type_check check (outcome_type in ('email_engagement', 'deal_progression')),
    constraint outcomes_window_check check (closes_at > recommended_at)
)
"""
OUTCOMES_BY_CLOSE = """
create index outcomes_tenant_id_closes_at_idx
    on qbs.outcomes (tenant_id, closes_at)
"""
OUTCOMES_BY_STATE = """
create index outcomes_tenant_id_state_id_recommended_at_idx
    on qbs.outcomes (tenant_id, state_id, recommended_at)
"""
OUTCOMES_BY_RECOMMENDATION = """
create index outcomes_tenant_id_recommended_at_outcome_id_idx
    on qbs.outcomes (tenant_id, recommended_at, outcome_id)
"""
OUTCOMES_BY_TRANSACTION = """
create index outcomes_tenant_id_recorded_in_outcome_id_idx
    on qbs.outcomes (tenant_id, recorded_in, outcome_id)
"""
OUTCOME_EVENTS = """
create table qbs.outcome_events (
    tenant_id uuid not null,
    event_id uuid not null,
    outcome_id uuid not null,
    kind varchar not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    idempotency_key varchar not null,
    supersedes uuid,
    details jsonb not null,
    recorded_in bigint not null default (pg_current_xact_id()::text::bigint),
    constraint outcome_events_pkey primary key (tenant_id, event_id),
    constraint outcome_events_tenant_id_outcome_id_fkey foreign key (tenant_id, outcome_id)
        references qbs.outcomes (tenant_id, outcome_id),
    constraint outcome_events_tenant_id_supersedes_fkey foreign key (tenant_id, supersedes)
        references qbs.outcome_events (tenant_id, event_id),
    constraint outcome_events_tenant_id_idempotency_key_key unique (tenant_id, idempotency_key),
    constraint outcome_events_kind_check check (kind in ('positive', 'negative', 'late', 'sent', 'not_sent'))
)
"""
OUTCOME_EVENTS_ONE_RESOLUTION = """
create unique index outcome_events_one_resolution_idx
    on qbs.outcome_events (tenant_id, outcome_id)
    where kind in ('positive', 'negative') and supersedes is null
"""
OUTCOME_EVENTS_SUPERSEDED_ONCE = """
create unique index outcome_events_superseded_once_idx
    on qbs.outcome_events (tenant_id, supersedes)
    where supersedes is not null
"""
OUTCOME_EVENTS_NOT_SENT = """
create index outcome_events_not_sent_idx
    on qbs.outcome_events (tenant_id, outcome_id)
    where kind = 'not_sent'
"""
OUTCOME_EVENTS_BY_OUTCOME = """
create index outcome_events_tenant_id_outcome_id_recorded_at_idx
    on qbs.outcome_events (tenant_id, outcome_id, recorded_at)
"""
OUTCOME_EVENTS_BY_TRANSACTION = """
create index outcome_events_tenant_id_recorded_in_event_id_idx
    on qbs.outcome_events (tenant_id, recorded_in, event_id)
"""


def upgrade() -> None:
    op.execute(OUTCOMES)
    op.execute(OUTCOMES_BY_CLOSE)
    op.execute(OUTCOMES_BY_STATE)
    op.execute(OUTCOMES_BY_RECOMMENDATION)
    op.execute(OUTCOMES_BY_TRANSACTION)
    op.execute(OUTCOME_EVENTS)
    op.execute(OUTCOME_EVENTS_ONE_RESOLUTION)
    op.execute(OUTCOME_EVENTS_SUPERSEDED_ONCE)
    op.execute(OUTCOME_EVENTS_NOT_SENT)
    op.execute(OUTCOME_EVENTS_BY_OUTCOME)
    op.execute(OUTCOME_EVENTS_BY_TRANSACTION)
    keep_tenants_apart("outcomes")
    keep_tenants_apart("outcome_events")


def downgrade() -> None:
    op.execute("drop table qbs.outcome_events")
    op.execute("drop table qbs.outcomes")
