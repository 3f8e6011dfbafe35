"""Pages of states, by key: a page begins after the last row of the one before, whatever was saved in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, or_, select

from engine.errors import InputError
from engine.state.database import TenantSession
from engine.state.state_rows import ROW, STATES, SavedState, from_row
from engine.state.statements import Parameter, Statement, compiled

MAX_PAGE = 500


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last state of a page."""

    updated_at: datetime
    state_id: UUID


@dataclass(frozen=True, slots=True)
class Page:
    """States, the last updated first; `next` is None when there are no more."""

    states: tuple[SavedState, ...]
    next: Cursor | None = None


async def list_states(
    session: TenantSession, filters: Mapping[str, Parameter], *, limit: int, after: Cursor | None
) -> Page:
    """One page of the states that match every filter that is not None. Raises InputError for an impossible limit."""
    if not 1 <= limit <= MAX_PAGE:
        raise InputError(f"a page holds 1 to {MAX_PAGE} states, not {limit}")
    given = {name: value for name, value in filters.items() if value is not None}
    if "contact" in given:
        given["contact"] = f"%{_literally(str(given['contact']))}%"
    if after is not None:
        given |= {"after_updated": after.updated_at, "after_id": after.state_id}
    statement = list_statement(frozenset(given) - {"after_id"})
    # One more than is shown tells whether there is another page.
    [rows] = await session.send(statement(tenant_id=session.tenant_id, **given, limit=limit + 1))
    states = tuple(from_row(row, session.tenant_id) for row in rows[:limit])
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(states, Cursor(last["updated_at"], last["state_id"]) if last else None)


@cache
def list_statement(filters: frozenset[str]) -> Statement:
    """The statement for these filters; every combination has its own, so that each can use its index."""
    statement = select(*ROW).where(STATES.c.tenant_id == bindparam("tenant_id"))
    statement = statement.where(*(_FILTERS[name](bindparam(name)) for name in sorted(filters)))
    # Equal only where it is the end of a page; without the first condition the index would be read from its start.
    ordered = statement.order_by(STATES.c.updated_at.desc(), STATES.c.state_id)
    return compiled(ordered.limit(bindparam("limit")))


def _after(updated_at: BindParameter[Any]) -> ColumnElement[bool]:
    """After the last row of a page. The first half alone would do for an index, the second is what is meant."""
    later = or_(STATES.c.updated_at < updated_at, STATES.c.state_id > bindparam("after_id"))
    return and_(STATES.c.updated_at <= updated_at, later)


def _contact(part: BindParameter[Any]) -> ColumnElement[bool]:
    columns = (STATES.c.contact_id, STATES.c.contact_name, STATES.c.contact_email)
    return or_(*(column.ilike(part, escape="\\") for column in columns))


_FILTERS: Mapping[str, Callable[[BindParameter[Any]], ColumnElement[bool]]] = MappingProxyType(
    {
        "account": lambda value: STATES.c.account_id == value,
        "stage": lambda value: STATES.c.deal_stage == value,
        "persona": lambda value: STATES.c.persona_type == value,
        "contact": _contact,
        "updated_since": lambda value: STATES.c.updated_at >= value,
        "after_updated": _after,
    }
)


def _literally(part: str) -> str:
    return part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
