"""How much of the feed lies ahead of a copy: to say how long following it will take, and for nothing else."""

from __future__ import annotations

from engine.outcomes.feed import FactMark
from engine.outcomes.sql import statement
from engine.state.database import TenantSession

_AHEAD = statement(
    """
select (select count(*) from qbs.outcomes
         where tenant_id = :tenant_id::uuid
           and (recorded_in, outcome_id) > (:outcomes_number::bigint, :outcomes_fact::uuid))
     + (select count(*) from qbs.outcome_events
         where tenant_id = :tenant_id::uuid
           and (recorded_in, event_id) > (:events_number::bigint, :events_fact::uuid)) as ahead
""",
    ("ahead",),
    prepared=False,
)
_BEGINNING = FactMark(server="")


async def facts_ahead(session: TenantSession, outcomes: FactMark | None, events: FactMark | None) -> int:
    """How many outcomes and events there are after these marks (None: after the beginning).

    Too few if the marks are another server's, which only following finds out.
    """
    first, second = outcomes or _BEGINNING, events or _BEGINNING
    call = _AHEAD(
        tenant_id=session.tenant_id,
        outcomes_number=first.number,
        outcomes_fact=first.fact,
        events_number=second.number,
        events_fact=second.fact,
    )
    ((row,),) = await session.send(call)
    return int(row["ahead"])
