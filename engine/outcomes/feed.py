"""Facts in the order in which they can be read once and all: what a copy kept elsewhere follows.

A transaction's rows are seen when it ends, and one that began earlier may end later; so neither time nor a counter says
what is new. Each fact carries the number of its transaction, and is given out once every transaction with a lower
number has ended. Read in the order of (number, id) from where the last reading stopped, every fact comes exactly once,
and facts of a transaction that is under way wait with all that follow it.

Numbers are one server's own. A mark remembers whose, and after a failover, a restored backup, or on another server the
reading begins anew: facts have ids, by which a copy knows them again. A standby learns only later that it follows
another server, and so nothing is read from one.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from engine.errors import StateError
from engine.model.outcome import Outcome, OutcomeEvent
from engine.model.value import Value
from engine.outcomes.sql import EVENT_COLUMNS, OUTCOME_COLUMNS, event_of, listed, outcome_of, statement
from engine.state.database import TenantSession
from engine.state.statements import Statement

BATCH = 10_000


class FactMark(Value):
    """The last fact that was read: the number of its transaction, its id, and on which `server` that was."""

    server: str
    number: int = 0
    fact: UUID = UUID(int=0)


class OutcomeBatch(Value):
    """Outcomes as they were recorded, and the mark to go on from. Empty: nothing is new for now."""

    facts: tuple[Outcome, ...]
    mark: FactMark


class EventBatch(Value):
    """Events as they were recorded, and the mark to go on from. An event may come before the outcome it is about."""

    facts: tuple[OutcomeEvent, ...]
    mark: FactMark


_ENDED = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_UNBORN = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
# Which server, which of its lives (after a failover numbers are given out again), and which tables: a restored backup
# makes them anew. None on a standby, where the second cannot be asked for.
_SERVER = statement(
    "select case when not pg_is_in_recovery() then concat_ws('/', system_identifier, "
    "left(pg_walfile_name(pg_current_wal_lsn()), 8), 'qbs.outcomes'::regclass::oid) end as server "
    "from pg_control_system()",
    ("server",),
)


def new_facts(table: str, fact: str, columns: str) -> str:
    """The SQL of the facts of `table` after a mark, in their order; `fact` is its id."""
    return f"""
select {columns}, recorded_in
  from qbs.{table}
 where tenant_id = :tenant_id::uuid and recorded_in < {_ENDED}
   and (recorded_in, {fact}) > (:number::bigint, :fact::uuid)
 order by {table}.recorded_in, {table}.{fact}
 limit :limit::int
"""  # noqa: S608  # made of names


def _new(table: str, fact: str, columns: tuple[str, ...]) -> Statement:
    return statement(new_facts(table, fact, listed(columns)), (*columns, "recorded_in"), prepared=False)


def _from_elsewhere(table: str) -> Statement:
    return statement(
        f"select exists (select from qbs.{table} "  # noqa: S608  # made of names
        f"where tenant_id = :tenant_id::uuid and recorded_in >= {_UNBORN}) as found",
        ("found",),
        prepared=False,
    )


_NEW_OUTCOMES = _new("outcomes", "outcome_id", OUTCOME_COLUMNS)
_NEW_EVENTS = _new("outcome_events", "event_id", EVENT_COLUMNS)
OUTCOMES_FROM_ELSEWHERE = _from_elsewhere("outcomes")
EVENTS_FROM_ELSEWHERE = _from_elsewhere("outcome_events")


async def outcomes_after(session: TenantSession, mark: FactMark | None = None, limit: int = BATCH) -> OutcomeBatch:
    """The next outcomes after `mark` (None: from the beginning), at most `limit`.

    Raises StateError on a standby, and if facts were moved here from another server and still carry that one's numbers.
    """
    rows, begun = await next_rows(session, mark, limit, _NEW_OUTCOMES, OUTCOMES_FROM_ELSEWHERE)
    found = tuple(outcome_of(row) for row in rows)
    return OutcomeBatch(
        facts=found, mark=_mark(begun, rows[-1]["recorded_in"], found[-1].outcome_id) if found else begun
    )


async def events_after(session: TenantSession, mark: FactMark | None = None, limit: int = BATCH) -> EventBatch:
    """The next events after `mark`, as `outcomes_after` gives outcomes."""
    rows, begun = await next_rows(session, mark, limit, _NEW_EVENTS, EVENTS_FROM_ELSEWHERE)
    found = tuple(event_of(row) for row in rows)
    return EventBatch(facts=found, mark=_mark(begun, rows[-1]["recorded_in"], found[-1].event_id) if found else begun)


def _mark(begun: FactMark, number: int, fact: UUID) -> FactMark:
    return FactMark(server=begun.server, number=number, fact=fact)


async def next_rows(
    session: TenantSession, mark: FactMark | None, limit: int, new: Statement, from_elsewhere: Statement
) -> tuple[list[dict[str, Any]], FactMark]:
    """The rows after `mark`, and the mark itself; the one of the beginning if it is another server's.

    Raises as `outcomes_after`.
    """
    tenant_id = session.tenant_id
    (asked,), (elsewhere,) = await session.send(_SERVER(), from_elsewhere(tenant_id=tenant_id))
    if asked["server"] is None:
        raise StateError("this server is a standby, from which facts cannot be followed; read them from the primary")
    if elsewhere["found"]:
        raise StateError(
            "outcomes were moved here from another server, not by `qbs db restore`, and still carry its "
            "transactions' numbers: over the maintenance path, set recorded_in = 0 wherever it is not below "
            "pg_current_xact_id(), in qbs.outcomes and in qbs.outcome_events"
        )
    if mark is None or mark.server != asked["server"]:
        mark = FactMark(server=asked["server"])
    (rows,) = await session.send(new(tenant_id=tenant_id, number=mark.number, fact=mark.fact, limit=limit))
    return rows, mark
