"""Windows that have closed without anything in them: found empty, all of a tenant's in one statement."""

from __future__ import annotations

from datetime import datetime

from engine.outcomes.sql import statement
from engine.outcomes.standing import replaced, unsent
from engine.state.database import TenantSession

# In the order of ids, so that two who resolve at once wait for each other in one direction only; what the other has
# resolved meanwhile is then passed over. There is one such event for an outcome, so it takes its id: all indexes then
# grow in one order, which a million random ids would not let them. A window cannot have closed in the future, whatever
# `as_of` says. `before` tells whoever reads the event up to where was looked: the windows of others may have closed
# later than this one, and an answer in those is as much looked at as this silence.
_BOUND = "least(coalesce(:as_of::timestamptz, now()), now())"
_RESOLVE = statement(
    f"""
with resolved as (
    insert into qbs.outcome_events (
        tenant_id, event_id, outcome_id, kind, occurred_at, idempotency_key, details
    )
    select outcome.tenant_id, outcome.outcome_id, outcome.outcome_id, 'negative', outcome.closes_at,
           'closed:' || outcome.outcome_id, jsonb_build_object('before', {_BOUND})
      from qbs.outcomes outcome
     where outcome.tenant_id = :tenant_id::uuid
       and outcome.closes_at < {_BOUND}
       and not exists (
           select from qbs.outcome_events event
            where event.tenant_id = outcome.tenant_id and event.outcome_id = outcome.outcome_id
              and event.kind in ('positive', 'negative') and event.supersedes is null)
       and not {unsent("outcome")}
       and not {replaced("outcome")}
     order by outcome.outcome_id
    on conflict do nothing
    returning 1
)
select count(*) from resolved
""",  # noqa: S608  # made of this package's own text
    ("count",),
    prepared=False,
)


async def resolve_closed(session: TenantSession, as_of: datetime | None = None) -> int:
    """Add a negative to every outcome whose window closed before `as_of` (now if None) with nothing in it; how many.

    One statement and one pass, whose time grows with the number of the tenant's outcomes. Left out are questions that
    were not sent and those whose place a newer one took. Running it twice, or while replies come in, changes nothing:
    each outcome is resolved once, and a reply inside the window that is reported later supersedes the negative.
    Begin the session with a `timeout_s` that fits the number of outcomes.
    """
    ((row,),) = await session.send(_RESOLVE(tenant_id=session.tenant_id, as_of=as_of))
    return int(row["count"])
