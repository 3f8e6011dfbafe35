"""The moves of deals from stage to stage, as they were recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import Table, bindparam, func, insert, select

from engine.model.conversation import DealStage
from engine.state.database import TenantSession
from engine.state.statements import Call, Statement, compiled
from engine.state.tables import StageChangeModel

_MOVES = cast("Table", StageChangeModel.__table__)


@dataclass(frozen=True, slots=True)
class StageMove:
    """A deal left one stage for another: when, by whom, and why."""

    before: DealStage
    to: DealStage
    at: datetime
    by: str | None = None
    reason: str | None = None


def recording_move(
    tenant_id: UUID,
    state_id: UUID,
    before: DealStage,
    to: DealStage,
    *,
    at: datetime | None = None,
    by: str | None = None,
    reason: str | None = None,
) -> Call:
    """What adds a move to the history of a state. `at` is now if it is not given.

    Raises InputError for text and times that cannot be kept.
    """
    ids = {"tenant_id": tenant_id, "change_id": uuid4(), "state_id": state_id}
    stages = {"from_stage": before, "to_stage": to}
    return _record()(**ids, **stages, changed_at=at, changed_by=by, reason=reason)


async def read_moves(session: TenantSession, state_id: UUID) -> tuple[StageMove, ...]:
    """The moves of a state, the earliest first."""
    [rows] = await session.send(_read()(tenant_id=session.tenant_id, state_id=state_id))
    return tuple(
        StageMove(
            DealStage(row["from_stage"]),
            DealStage(row["to_stage"]),
            row["changed_at"],
            row["changed_by"],
            row["reason"],
        )
        for row in rows
    )


@cache
def _record() -> Statement:
    values: dict[str, Any] = {column.name: bindparam(column.name) for column in _MOVES.columns}
    # The moment, not the beginning of the transaction: two moves in one have an order.
    at = func.coalesce(bindparam("changed_at", type_=_MOVES.c.changed_at.type), func.clock_timestamp())
    return compiled(insert(_MOVES).values({**values, "changed_at": at}))


@cache
def _read() -> Statement:
    mine = _MOVES.c.tenant_id == bindparam("tenant_id"), _MOVES.c.state_id == bindparam("state_id")
    return compiled(select(_MOVES).where(*mine).order_by(_MOVES.c.changed_at, _MOVES.c.change_id))
