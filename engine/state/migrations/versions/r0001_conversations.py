"""Conversations: their states, the moves between stages, and the messages."""

from __future__ import annotations

from alembic import op

from engine.state.migrations.row_security import keep_tenants_apart

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STAGES = (
    "'prospecting', 'discovery', 'qualification', 'evaluation', 'negotiation', 'closed_won', 'closed_lost', 'stalled'"
)

CONVERSATION_STATES = f"""
create table qbs.conversation_states (
    tenant_id uuid not null,
    state_id uuid not null,
    account_id varchar not null,
    contact_id varchar not null,
    contact_email varchar,
    contact_name varchar,
    deal_stage varchar not null,
    persona_type varchar not null,
    qualification_data jsonb not null,
    metadata jsonb not null,
    schema_version integer not null,
    interaction_count integer not null,
    last_interaction timestamptz,
    last_channel varchar,
    confidence_score double precision not null,
    escalated boolean not null,
    next_actions jsonb not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null,
    constraint conversation_states_pkey primary key (tenant_id, state_id),
    constraint conversation_states_tenant_id_account_id_contact_id_key unique (tenant_id, account_id, contact_id),
    constraint conversation_states_deal_stage_check check (deal_stage in ({STAGES})),
    constraint conversation_states_persona_type_check check (persona_type in ('ic', 'manager', 'c_suite')),
    constraint conversation_states_last_channel_check check (last_channel in ('email', 'chat', 'call')),
    constraint conversation_states_confidence_score_check check (confidence_score between 0 and 1),
    constraint conversation_states_interaction_count_check check (interaction_count >= 0)
)
"""
CONVERSATION_STATES_BY_TIME = """
create index conversation_states_tenant_id_state_id_idx
    on qbs.conversation_states (tenant_id, updated_at desc, state_id)
"""
CONVERSATION_STATES_BY_ACCOUNT = """
create index conversation_states_tenant_id_account_id_state_id_idx
    on qbs.conversation_states (tenant_id, account_id, updated_at desc, state_id)
"""
CONVERSATION_STATES_BY_STAGE = """
create index conversation_states_tenant_id_deal_stage_state_id_idx
    on qbs.conversation_states (tenant_id, deal_stage, updated_at desc, state_id)
"""
STAGE_CHANGES = f"""
create table qbs.stage_changes (
    tenant_id uuid not null,
    change_id uuid not null,
    state_id uuid not null,
    from_stage varchar not null,
    to_stage varchar not null,
    changed_at timestamptz not null default now(),
    changed_by varchar,
    reason varchar,
    constraint stage_changes_pkey primary key (tenant_id, change_id),
    constraint stage_changes_tenant_id_state_id_fkey foreign key (tenant_id, state_id)
        references qbs.conversation_states (tenant_id, state_id),
    constraint stage_changes_from_stage_check check (from_stage in ({STAGES})),
    constraint stage_changes_to_stage_check check (to_stage in ({STAGES}))
)
"""
STAGE_CHANGES_BY_STATE = """
create index stage_changes_tenant_id_state_id_changed_at_idx
    on qbs.stage_changes (tenant_id, state_id, changed_at)
"""
MESSAGES = """
create table qbs.messages (
    tenant_id uuid not null,
    state_id uuid not null,
    message_id varchar not null,
    turn integer not null,
    speaker varchar not null,
    name varchar,
    text varchar not null,
    time timestamptz,
    channel varchar,
    received_at timestamptz not null default now(),
    analysis jsonb,
    analysis_version integer,
    constraint messages_pkey primary key (tenant_id, state_id, message_id),
    constraint messages_tenant_id_state_id_fkey foreign key (tenant_id, state_id)
        references qbs.conversation_states (tenant_id, state_id),
    constraint messages_tenant_id_state_id_turn_key unique (tenant_id, state_id, turn),
    constraint messages_speaker_check check (speaker in ('seller', 'customer', 'other')),
    constraint messages_channel_check check (channel in ('email', 'chat', 'call')),
    constraint messages_turn_check check (turn >= 0)
)
"""


def upgrade() -> None:
    op.execute("grant usage on schema qbs to qbs_app")
    op.execute("grant select on qbs.alembic_version to qbs_app")
    op.execute(CONVERSATION_STATES)
    op.execute(CONVERSATION_STATES_BY_TIME)
    op.execute(CONVERSATION_STATES_BY_ACCOUNT)
    op.execute(CONVERSATION_STATES_BY_STAGE)
    op.execute(STAGE_CHANGES)
    op.execute(STAGE_CHANGES_BY_STATE)
    op.execute(MESSAGES)
    keep_tenants_apart("conversation_states", updates="update")
    keep_tenants_apart("stage_changes")
    keep_tenants_apart("messages", updates="update (analysis, analysis_version)")


def downgrade() -> None:
    op.execute("drop table qbs.messages")
    op.execute("drop table qbs.stage_changes")
    op.execute("drop table qbs.conversation_states")
