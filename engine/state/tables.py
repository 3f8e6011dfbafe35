"""The tables of production state. Every key, unique and foreign key begins with the tenant; Alembic owns the schema.

`conversation_states` is the only table whose rows change (and `messages`, once, when its analysis is there); the others
hold facts that are added and never touched again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, MetaData, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from engine.model.conversation import Channel, DealStage, Persona, Speaker

# Always said in a statement: a table of the same name elsewhere on a search path can never stand in for one of these.
SCHEMA = "qbs"

# The revision at which the database has these tables.
HEAD = "0004"

# Names by rule, so that a migration can name what it changes.
NAMING = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
}


# The number of the transaction that added a row. Rows come to be seen in the order in which transactions end, and so it
# takes these numbers to know which facts a reader has had, and which transactions it still has to wait for.
THIS_TRANSACTION = text("(pg_current_xact_id()::text::bigint)")


class Base(DeclarativeBase):
    """What all tables share: the naming of constraints, and times that know their zone."""

    metadata = MetaData(schema=SCHEMA, naming_convention=NAMING)
    type_annotation_map = {datetime: TIMESTAMP(timezone=True), dict[str, Any]: JSONB, list[str]: JSONB}  # noqa: RUF012


def _one_of(column: str, choices: type[Channel | DealStage | Persona | Speaker]) -> CheckConstraint:
    allowed = ", ".join(f"'{choice}'" for choice in choices)
    return CheckConstraint(f"{column} in ({allowed})", name=column)


class ConversationStateModel(Base):
    """The state of one contact. `version` counts the saves; `schema_version` is that of both JSON documents."""

    __tablename__ = "conversation_states"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account_id", "contact_id"),
        Index(None, "tenant_id", text("updated_at desc"), "state_id"),
        Index(None, "tenant_id", "account_id", text("updated_at desc"), "state_id"),
        Index(None, "tenant_id", "deal_stage", text("updated_at desc"), "state_id"),
        _one_of("deal_stage", DealStage),
        _one_of("persona_type", Persona),
        _one_of("last_channel", Channel),
        CheckConstraint("confidence_score between 0 and 1", name="confidence_score"),
        CheckConstraint("interaction_count >= 0", name="interaction_count"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    state_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[str]
    contact_id: Mapped[str]
    contact_email: Mapped[str | None]
    contact_name: Mapped[str | None]
    deal_stage: Mapped[str]
    persona_type: Mapped[str]
    qualification_data: Mapped[dict[str, Any]]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")
    schema_version: Mapped[int]
    interaction_count: Mapped[int]
    last_interaction: Mapped[datetime | None]
    last_channel: Mapped[str | None]
    confidence_score: Mapped[float]
    escalated: Mapped[bool]
    next_actions: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class StageChangeModel(Base):
    """A move of a deal from one stage to another, as it was recorded."""

    __tablename__ = "stage_changes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "state_id"], ["conversation_states.tenant_id", "conversation_states.state_id"]
        ),
        Index(None, "tenant_id", "state_id", "changed_at"),
        _one_of("from_stage", DealStage),
        _one_of("to_stage", DealStage),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    change_id: Mapped[UUID] = mapped_column(primary_key=True)
    state_id: Mapped[UUID]
    from_stage: Mapped[str]
    to_stage: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    changed_by: Mapped[str | None]
    reason: Mapped[str | None]


class MessageModel(Base):
    """One message as it was delivered. `message_id` is its sender's, and makes a second delivery change nothing.

    `turn` is its index in the conversation; `analysis` is there once a customer's message has been analysed, with
    the version of its document.
    """

    __tablename__ = "messages"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "state_id"], ["conversation_states.tenant_id", "conversation_states.state_id"]
        ),
        UniqueConstraint("tenant_id", "state_id", "turn"),
        _one_of("speaker", Speaker),
        _one_of("channel", Channel),
        CheckConstraint("turn >= 0", name="turn"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    state_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    turn: Mapped[int]
    speaker: Mapped[str]
    name: Mapped[str | None]
    text: Mapped[str]
    time: Mapped[datetime | None]
    channel: Mapped[str | None]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    analysis: Mapped[dict[str, Any] | None]
    analysis_version: Mapped[int | None]


class OutcomeModel(Base):
    """A recommendation that was made: what was predicted of it, and until when an outcome counts.

    `details` holds target, delivery, engagement, pain depth, stage, persona, interaction count, prompt version,
    analyzer and propensity. What became of it is in `outcome_events`.
    """

    __tablename__ = "outcomes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "state_id"], ["conversation_states.tenant_id", "conversation_states.state_id"]
        ),
        UniqueConstraint("tenant_id", "idempotency_key"),
        Index(None, "tenant_id", "closes_at"),
        Index(None, "tenant_id", "state_id", "recommended_at"),
        Index(None, "tenant_id", "recommended_at", "outcome_id"),
        Index(None, "tenant_id", "recorded_in", "outcome_id"),
        CheckConstraint("predicted_confidence between 0 and 1", name="predicted_confidence"),
        CheckConstraint("outcome_type in ('email_engagement', 'deal_progression')", name="outcome_type"),
        CheckConstraint("closes_at > recommended_at", name="window"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    outcome_id: Mapped[UUID] = mapped_column(primary_key=True)
    state_id: Mapped[UUID]
    idempotency_key: Mapped[str]
    action_type: Mapped[str]
    outcome_type: Mapped[str]
    predicted_confidence: Mapped[float]
    recommended_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    details: Mapped[dict[str, Any]]
    schema_version: Mapped[int]
    recorded_in: Mapped[int] = mapped_column(BigInteger, server_default=THIS_TRANSACTION)


class OutcomeEventModel(Base):
    """Something that happened after a recommendation, or a correction of what was thought to have happened.

    `positive` and `negative` resolve an outcome, once; `late` is a reply after its window; `sent` and `not_sent` say
    whether the question really went out; an event that `supersedes` another takes its place.
    """

    __tablename__ = "outcome_events"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "outcome_id"], ["outcomes.tenant_id", "outcomes.outcome_id"]),
        ForeignKeyConstraint(["tenant_id", "supersedes"], ["outcome_events.tenant_id", "outcome_events.event_id"]),
        UniqueConstraint("tenant_id", "idempotency_key"),
        # Of many reports at the same moment, one resolves the outcome.
        Index(
            "outcome_events_one_resolution_idx",
            "tenant_id",
            "outcome_id",
            unique=True,
            postgresql_where=text("kind in ('positive', 'negative') and supersedes is null"),
        ),
        # An event is superseded once; who corrects the correction supersedes that.
        Index(
            "outcome_events_superseded_once_idx",
            "tenant_id",
            "supersedes",
            unique=True,
            postgresql_where=text("supersedes is not null"),
        ),
        # The few questions that never went out: what everything else about replies has to leave aside.
        Index("outcome_events_not_sent_idx", "tenant_id", "outcome_id", postgresql_where=text("kind = 'not_sent'")),
        Index(None, "tenant_id", "outcome_id", "recorded_at"),
        Index(None, "tenant_id", "recorded_in", "event_id"),
        CheckConstraint("kind in ('positive', 'negative', 'late', 'sent', 'not_sent')", name="kind"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    outcome_id: Mapped[UUID]
    kind: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    idempotency_key: Mapped[str]
    supersedes: Mapped[UUID | None]
    details: Mapped[dict[str, Any]]
    recorded_in: Mapped[int] = mapped_column(BigInteger, server_default=THIS_TRANSACTION)


class PromptReleaseModel(Base):
    """A prompt set as it moved to a stage. The newest one in `production` is what the tenant's conversations use.

    `number` counts a tenant's releases from 1. `prompts` holds the files themselves by name, so that whoever reads the
    release needs nothing else; `evidence` the runs, data sets and checks that the verdict rests on. A gate that was not
    passed is said by `overridden_because`; `returns_to` is the release that a rollback brings back.
    """

    __tablename__ = "prompt_releases"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "returns_to"], ["prompt_releases.tenant_id", "prompt_releases.number"]),
        Index(None, "tenant_id", "stage", "number"),
        CheckConstraint("stage in ('draft', 'candidate', 'production')", name="stage"),
        CheckConstraint("number >= 1", name="number"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    prompt_set: Mapped[str]
    stage: Mapped[str]
    prompts: Mapped[dict[str, Any]]
    released_at: Mapped[datetime] = mapped_column(server_default=func.now())
    released_by: Mapped[str]
    note: Mapped[str]
    verdict: Mapped[str | None]
    evidence: Mapped[dict[str, Any]]
    overridden_because: Mapped[str | None]
    returns_to: Mapped[int | None]
    schema_version: Mapped[int]


class CalibrationModel(Base):
    """A calibration as it was published. The newest of an outcome type is in use; one without maps corrects nothing.

    `calibration` names it by its content. `fitted` holds the maps by cell, `report` what they did out of fold, and
    `data_from` to `data_until` when the recommendations were made that it was learned from, as they stood at `as_of`.
    """

    __tablename__ = "calibrations"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "returns_to"], ["calibrations.tenant_id", "calibrations.number"]),
        Index(None, "tenant_id", "outcome_type", "number"),
        CheckConstraint("outcome_type in ('email_engagement', 'deal_progression')", name="outcome_type"),
        CheckConstraint("number >= 1", name="number"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    calibration: Mapped[str]
    outcome_type: Mapped[str]
    as_of: Mapped[datetime]
    data_from: Mapped[datetime | None]
    data_until: Mapped[datetime | None]
    fitted: Mapped[dict[str, Any]]
    report: Mapped[dict[str, Any]]
    published_at: Mapped[datetime] = mapped_column(server_default=func.now())
    published_by: Mapped[str]
    note: Mapped[str]
    returns_to: Mapped[int | None]
    schema_version: Mapped[int]


TABLES = tuple(Base.metadata.sorted_tables)
