"""A row of `conversation_states`: the statements that read and write it, and how it becomes a state and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, cast
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, Table, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from engine.model.qualification import QualificationState
from engine.model.state import ConversationState
from engine.state.database import TenantSession
from engine.state.documents import SCHEMA_VERSION, Kind, Where, read, write
from engine.state.driver import Row
from engine.state.inquiry import Answers, Inquiry
from engine.state.statements import Parameter, Statement, as_text, compiled
from engine.state.stored import Stored
from engine.state.tables import ConversationStateModel

STATES = cast("Table", ConversationStateModel.__table__)

# Columns that are fields of a state, under the same name.
_FIELDS = (
    "account_id",
    "contact_id",
    "contact_email",
    "contact_name",
    "deal_stage",
    "persona_type",
    "interaction_count",
    "last_interaction",
    "last_channel",
    "confidence_score",
    "escalated",
    "created_at",
)
_IDENTITY = ("tenant_id", "state_id", "account_id", "contact_id", "created_at")
_DOCUMENTS = ("qualification_data", "metadata", "next_actions")
ROW = tuple(column for column in STATES.columns if column.name != "tenant_id")
_STORED = (STATES.c.version, STATES.c.deal_stage, STATES.c.created_at, func.now().label("now"))
_SAVED = (*(name for name in _FIELDS if name not in _IDENTITY), *_DOCUMENTS, "schema_version")


@dataclass(frozen=True, slots=True)
class SavedState:
    """A state as it is kept. `version` is to be given back with the next save.

    `cleaned` counts the characters that Postgres could not hold when it was saved; the state is without them.
    """

    state: ConversationState
    version: int
    updated_at: datetime
    cleaned: int = 0


@lru_cache(maxsize=4096)
def state_id_of(tenant_id: UUID, account: str, contact: str) -> UUID:
    """The id of a contact's state: the same wherever and whenever it is made. Raises InputError for broken text."""
    for name, value in (("account_id", account), ("contact_id", contact)):
        as_text(name, value)
    return uuid5(tenant_id, f"{len(account)}:{account}:{contact}")


@cache
def read_one(lock: bool) -> Statement:
    """By tenant, account and contact; with `lock`, nobody else changes the row until the transaction ends."""
    statement = select(*ROW, func.now().label("now")).where(_is("tenant_id"), _is("account_id"), _is("contact_id"))
    return compiled(statement.with_for_update() if lock else statement)


def stored(session: TenantSession, state_id: UUID) -> Inquiry[Stored | None]:
    """What is stored of a state, which nobody else changes until the transaction ends; None if there is none."""

    def read(rows: Answers) -> Stored | None:
        for row in rows[0]:
            session.seen[state_id] = known = Stored.of(row, locked=True)
            return known
        return None

    return Inquiry((_lock_one()(tenant_id=session.tenant_id, state_id=state_id),), read)


@cache
def _lock_one() -> Statement:
    return compiled(select(*_STORED).where(_is("tenant_id"), _is("state_id")).with_for_update())


@cache
def insert_one() -> Statement:
    """No row comes back if the contact has a state already."""
    values: dict[str, Any] = {name: bindparam(name) for name in (*_IDENTITY, *_SAVED)}
    values["created_at"] = func.coalesce(bindparam("created_at", type_=STATES.c.created_at.type), func.now())
    statement = insert(STATES).values(**values, version=text("1")).on_conflict_do_nothing()
    return compiled(statement.returning(*_STORED))


@cache
def update_one() -> Statement:
    """Only the version that was read, and from the stage that was read: otherwise no row comes back."""
    seen = STATES.c.version == bindparam("seen_version"), STATES.c.deal_stage == bindparam("seen_stage")
    values = {
        **{name: bindparam(name) for name in _SAVED},
        "updated_at": func.now(),
        "version": STATES.c.version + text("1"),
    }
    statement = update(STATES).where(_is("tenant_id"), _is("state_id"), *seen).values(**values)
    return compiled(statement.returning(*_STORED))


def to_columns(state: ConversationState) -> tuple[dict[str, Parameter], int]:
    """What a save sends, but for the ids, and how many characters Postgres could not hold."""
    qualification = write(Kind.QUALIFICATION, state.qualification)
    metadata = write(Kind.METADATA, state.metadata)
    next_actions = write(Kind.NEXT_ACTIONS, state.next_actions)
    columns: dict[str, Parameter] = {name: getattr(state, name) for name in _FIELDS}
    columns["qualification_data"] = qualification.json
    columns["metadata"] = metadata.json
    columns["next_actions"] = next_actions.json
    columns["schema_version"] = SCHEMA_VERSION
    return columns, qualification.cleaned + metadata.cleaned + next_actions.cleaned


def saved(
    state: ConversationState, columns: dict[str, Parameter], cleaned: int, version: int, at: datetime
) -> SavedState:
    """The state as it is kept now, after `columns` were saved at that time."""
    if cleaned:
        state = from_columns(columns, cast("UUID", columns["tenant_id"]), cast("UUID", columns["state_id"]))
    else:
        ids = {name: str(columns[name]) for name in ("tenant_id", "state_id")}
        state = state.model_copy(update={**ids, "created_at": columns["created_at"]})
    return SavedState(state, version, at, cleaned)


def from_row(row: Row, tenant_id: UUID) -> SavedState:
    """The state in a row. Raises SchemaVersionError and StateError for a document that cannot be read."""
    return SavedState(from_columns(row, tenant_id, row["state_id"]), row["version"], row["updated_at"])


def from_columns(columns: Mapping[str, Any], tenant_id: UUID, state_id: UUID) -> ConversationState:
    where = Where(tenant_id, state_id)
    version = columns["schema_version"]
    return ConversationState.model_validate(
        {
            **{name: columns[name] for name in _FIELDS},
            "tenant_id": str(tenant_id),
            "state_id": str(state_id),
            "qualification": read(
                QualificationState, Kind.QUALIFICATION, columns["qualification_data"], version, where
            ),
            "metadata": read(dict[str, Any], Kind.METADATA, columns["metadata"], version, where),
            "next_actions": read(tuple[str, ...], Kind.NEXT_ACTIONS, columns["next_actions"], version, where),
        }
    )


def _is(column: str) -> ColumnElement[bool]:
    return STATES.c[column] == bindparam(column)
