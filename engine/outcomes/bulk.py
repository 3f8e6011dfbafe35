"""The feed in bulk: the same facts in the same order, a line of text each, for a copy that takes millions.

A line holds a fact's columns, joined by SEPARATOR; a column that has nothing is empty. What it means is left to the
copy: nothing is decoded here, since values for each row would cost ten times as much. Times are in UTC. The marks are
those of `engine.outcomes.feed`, and so is what they promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from engine.errors import SchemaVersionError
from engine.model.outcome import OutcomeDetails
from engine.outcomes.feed import EVENTS_FROM_ELSEWHERE, OUTCOMES_FROM_ELSEWHERE, FactMark, new_facts, next_rows
from engine.outcomes.sql import DETAILS_VERSION, listed, statement
from engine.outcomes.sql import OUTCOME_COLUMNS as STORED
from engine.state.database import TenantSession
from engine.state.statements import Statement

BATCH = 50_000
SEPARATOR = "\x1f"  # where a name holds one, it is replaced
_END = "\x1e"

# What was known when a recommendation was made; the choices as JSON.
DETAILS = tuple(name for name in OutcomeDetails.model_fields if name != "guardrails")
OUTCOME_COLUMNS = (
    "outcome_id", "state_id", "action_type", "outcome_type", "predicted_confidence", "recommended_at", "closes_at",
    "recorded_at", "account_id", "contact_id", *DETAILS,
)  # fmt: skip
_EVENTS = ("event_id", "outcome_id", "kind", "occurred_at", "recorded_at", "supersedes")
EVENT_COLUMNS = (*_EVENTS, "looked_before")  # the last: up to where was looked when a window was found empty

_TIMES = ("recommended_at", "closes_at", "recorded_at", "occurred_at")


@dataclass(frozen=True, slots=True)
class FactLines:
    """Facts as lines of text, and the mark to go on from. Empty: nothing is new for now."""

    lines: tuple[str, ...]
    mark: FactMark


def _line(columns: tuple[str, ...], table: str) -> str:
    """The SQL of one fact as a line."""
    return f"concat_ws(e'\\x1f', {', '.join(_text(column, table) for column in columns)})"


def _text(column: str, table: str) -> str:
    if column in DETAILS:
        return f"coalesce(translate({table}.details ->> '{column}', e'\\x1e\\x1f', e'\\ufffd\\ufffd'), '')"
    if column in _TIMES:
        return f"{table}.{column} at time zone 'UTC'"
    if column in ("account_id", "contact_id"):
        return f"translate(state.{column}, e'\\x1e\\x1f', e'\\ufffd\\ufffd')"
    if column == "looked_before":  # only what `resolve_closed` said: details of other events are anybody's
        return (
            f"case when {table}.kind = 'negative' and {table}.supersedes is null and {table}.details ? 'before' "
            f"then (({table}.details ->> 'before')::timestamptz at time zone 'UTC')::text else '' end"
        )
    return f"coalesce({table}.{column}::text, '')" if column == "supersedes" else f"{table}.{column}"


# All lines come as one text: a row for each would cost the client as much again. Where a row ends is told by _END.
_TOLD = ("lines", "version", "number")
_NEW_OUTCOMES = statement(
    f"""
select string_agg({_line(OUTCOME_COLUMNS, "new")}, e'\\x1e' order by new.recorded_in, new.outcome_id) as lines,
       max(new.schema_version) as version, max(new.recorded_in) as number
  from ({new_facts("outcomes", "outcome_id", f"tenant_id, {listed(STORED)}")}) new
  join qbs.conversation_states state on state.tenant_id = new.tenant_id and state.state_id = new.state_id
""",  # noqa: S608  # made of names
    _TOLD,
    prepared=False,
)
_NEW_EVENTS = statement(
    f"""
select string_agg({_line(EVENT_COLUMNS, "new")}, e'\\x1e' order by new.recorded_in, new.event_id) as lines,
       0 as version, max(new.recorded_in) as number
  from ({new_facts("outcome_events", "event_id", listed((*_EVENTS, "details")))}) new
""",  # noqa: S608  # made of names
    _TOLD,
    prepared=False,
)
_CLOCK = statement("select clock_timestamp() as now", ("now",))


async def outcome_lines_after(session: TenantSession, mark: FactMark | None = None, limit: int = BATCH) -> FactLines:
    """The next outcomes after `mark`, each with OUTCOME_COLUMNS. Raises as the feed does, and SchemaVersionError."""
    return await _after(session, mark, limit, _NEW_OUTCOMES, OUTCOMES_FROM_ELSEWHERE)


async def event_lines_after(session: TenantSession, mark: FactMark | None = None, limit: int = BATCH) -> FactLines:
    """The next events after `mark`, each with EVENT_COLUMNS. One may come before the outcome that it is about."""
    return await _after(session, mark, limit, _NEW_EVENTS, EVENTS_FROM_ELSEWHERE)


async def server_clock(session: TenantSession) -> datetime:
    """What time it is on the server: by its clock facts are recorded and windows close."""
    ((row,),) = await session.send(_CLOCK())
    found: datetime = row["now"]
    return found.astimezone(UTC)


async def _after(
    session: TenantSession, mark: FactMark | None, limit: int, new: Statement, from_elsewhere: Statement
) -> FactLines:
    (told,), begun = await next_rows(session, mark, limit, new, from_elsewhere)
    if told["lines"] is None:
        return FactLines((), begun)
    if told["version"] > DETAILS_VERSION:
        raise SchemaVersionError(
            f"the details of outcomes are of a version that this program, which reads up to {DETAILS_VERSION}, does "
            "not know: use the program that wrote them, or a newer one"
        )
    lines = tuple(told["lines"].split(_END))
    last = UUID(lines[-1].split(SEPARATOR, 1)[0])  # a fact's id is its first column
    return FactLines(lines, FactMark(server=begun.server, number=told["number"], fact=last))
