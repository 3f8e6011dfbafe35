"""Outcomes with where they stand: counted, a page of them, and the facts behind one."""

from __future__ import annotations

from uuid import UUID

from engine.model.outcome import (
    OutcomeCount,
    OutcomeCursor,
    OutcomeEvent,
    OutcomePage,
    OutcomeStatus,
    OutcomeType,
    StandingOutcome,
)
from engine.outcomes import facts
from engine.outcomes.sql import OUTCOME_COLUMNS, event_of, listed, outcome_of, statement
from engine.outcomes.standing import ALL_AT_ONCE, ONE_BY_ONE
from engine.state.database import TenantSession

PAGE = 50
_COUNTED = ("outcome_type", "action_type", "status", "count")
_COUNTS = statement(
    f"""
select outcome_type, action_type, status, count(*) as count
  from ({ALL_AT_ONCE}) standing
 group by outcome_type, action_type, status
 order by outcome_type, action_type, status
""",  # noqa: S608  # made of this package's own text
    _COUNTED,
    prepared=False,
)
_STANDING = ("status", "happened_at", "sent")
_CONTACT = ("account_id", "contact_id")
_PAGE = statement(
    f"""
select {listed(OUTCOME_COLUMNS, "standing")}, {listed(_STANDING, "standing")}, {listed(_CONTACT, "state")}
  from ({ONE_BY_ONE}) standing
  join qbs.conversation_states state
    on state.tenant_id = standing.tenant_id and state.state_id = standing.state_id
 where (:state_id::uuid is null or standing.state_id = :state_id::uuid)
   and (:outcome_type::text is null or standing.outcome_type = :outcome_type::text)
   and (:status::text is null or standing.status = :status::text)
   and (:recommended_at::timestamptz is null
        or (standing.recommended_at, standing.outcome_id) < (:recommended_at::timestamptz, :outcome_id::uuid))
 order by standing.recommended_at desc, standing.outcome_id desc
 limit :limit::int
""",  # noqa: S608  # made of this package's own text
    (*OUTCOME_COLUMNS, *_STANDING, *_CONTACT),
    prepared=False,
)


async def count_outcomes(session: TenantSession) -> tuple[OutcomeCount, ...]:
    """How many of the tenant's outcomes stand where, by what they are watched for and by action."""
    (rows,) = await session.send(_COUNTS(tenant_id=session.tenant_id))
    return tuple(OutcomeCount.model_validate(row) for row in rows)


async def list_outcomes(
    session: TenantSession,
    *,
    state_id: UUID | None = None,
    outcome_type: OutcomeType | None = None,
    status: OutcomeStatus | None = None,
    limit: int = PAGE,
    after: OutcomeCursor | None = None,
) -> OutcomePage:
    """A page of outcomes, the newest recommendation first; of one contact, or of all of the tenant's."""
    call = _PAGE(
        tenant_id=session.tenant_id,
        state_id=state_id,
        outcome_type=outcome_type,
        status=status,
        recommended_at=after.recommended_at if after else None,
        outcome_id=after.outcome_id if after else None,
        limit=limit + 1,  # one more says whether there is a next page
    )
    (rows,) = await session.send(call)
    found = tuple(
        StandingOutcome.model_validate(
            {"outcome": outcome_of(row), **{column: row[column] for column in (*_STANDING, *_CONTACT)}}
        )
        for row in rows[:limit]
    )
    return OutcomePage(outcomes=found, next=_cursor(found[-1]) if len(rows) > limit else None)


async def outcome_events(session: TenantSession, outcome_id: UUID) -> tuple[OutcomeEvent, ...]:
    """Everything recorded about an outcome, in the order in which it became known; superseded events too."""
    (rows,) = await session.send(facts.OF_OUTCOME(tenant_id=session.tenant_id, outcome_id=outcome_id))
    return tuple(event_of(row) for row in rows)


def _cursor(last: StandingOutcome) -> OutcomeCursor:
    return OutcomeCursor(recommended_at=last.outcome.recommended_at, outcome_id=last.outcome.outcome_id)
