"""How many rows of a conversation a session sees, asked without naming a tenant: only row level security answers.

Everything else names the tenant in its conditions as well. Here it is left out on purpose, to show, or to test, that
somebody else's rows cannot be seen even by a query that forgets whose they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import cast
from uuid import UUID

from sqlalchemy import Table, bindparam, func, select

from engine.state.database import TenantSession
from engine.state.statements import Statement, compiled
from engine.state.tables import ConversationStateModel, MessageModel, OutcomeModel

_COUNTED = (ConversationStateModel, MessageModel, OutcomeModel)


async def visible_rows(session: TenantSession, state_id: UUID) -> Mapping[str, int]:
    """The number of rows with this state's id that the session's tenant sees, by table."""
    statements = _counts()
    answers = await session.send(*(statement(state_id=state_id) for statement in statements.values()))
    return {table: rows[0]["rows"] for table, rows in zip(statements, answers, strict=True)}


@cache
def _counts() -> Mapping[str, Statement]:
    tables = [cast("Table", model.__table__) for model in _COUNTED]
    counts = {
        table.name: select(func.count().label("rows"))
        .select_from(table)
        .where(table.c.state_id == bindparam("state_id"))
        for table in tables
    }
    return {name: compiled(count) for name, count in counts.items()}
