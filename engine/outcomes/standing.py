"""Where an outcome stands, as SQL over its facts: the one place in which it is decided.

The first of these that holds: the question was not sent; something came inside the window; something came after it;
the window was found empty, and is over; a newer question took its place; else it is pending. A fact that another
supersedes is none. That a newer question took an older one's place is not recorded but read from the recommendations,
so that nothing needs mending when one of them turns out not to have been sent.
"""

from __future__ import annotations


def in_force(event: str) -> str:
    """That no correction supersedes the event."""
    return (
        f"not exists (select from qbs.outcome_events later "
        f"where later.tenant_id = {event}.tenant_id and later.supersedes = {event}.event_id)"
    )


def unsent(outcome: str) -> str:
    """That the newest report says that the question was not sent. Without any report it counts as sent."""
    return f"""exists (
        select from qbs.outcome_events kept
         where kept.tenant_id = {outcome}.tenant_id and kept.outcome_id = {outcome}.outcome_id
           and kept.kind = 'not_sent'
           and not exists (
               select from qbs.outcome_events gone
                where gone.tenant_id = kept.tenant_id and gone.outcome_id = kept.outcome_id
                  and gone.kind = 'sent' and gone.occurred_at > kept.occurred_at))"""  # noqa: S608  # made of our own text


def replaced(outcome: str) -> str:
    """That a newer question went to the same contact before the window closed: a reply would answer that one."""
    return f"""exists (
        select from qbs.outcomes newer
         where newer.tenant_id = {outcome}.tenant_id and newer.state_id = {outcome}.state_id
           and newer.outcome_type = 'email_engagement' and {outcome}.outcome_type = 'email_engagement'
           and newer.recommended_at > {outcome}.recommended_at and newer.recommended_at <= {outcome}.closes_at
           and not {unsent("newer")})"""


_HAPPENED = """
       min(event.occurred_at) filter (where event.kind = 'positive') as positive_at,
       min(event.occurred_at) filter (where event.kind = 'late') as late_at,
       bool_or(event.kind = 'negative') as found_empty,
       max(event.occurred_at) filter (where event.kind = 'sent') as sent_at,
       max(event.occurred_at) filter (where event.kind = 'not_sent') as not_sent_at
"""
_STATUS = f"""
       case when happened.not_sent_at >= coalesce(happened.sent_at, '-infinity') then 'not_sent'
            when happened.positive_at is not null then 'positive'
            when happened.late_at is not null then 'late'
            when happened.found_empty and outcome.closes_at < now() then 'negative'
            when {replaced("outcome")} then 'superseded'
            else 'pending' end as status,
       coalesce(happened.positive_at, happened.late_at) as happened_at,
       case when happened.not_sent_at >= coalesce(happened.sent_at, '-infinity') then false
            when happened.sent_at is not null then true end as sent
"""

# Both say the same. The first looks at the facts of one outcome after the other, and only of as many as are asked for;
# the second gathers the facts of all of a tenant's outcomes once.
ONE_BY_ONE = f"""
select outcome.*, {_STATUS}
  from qbs.outcomes outcome
  left join lateral (
       select {_HAPPENED}
         from qbs.outcome_events event
        where event.tenant_id = outcome.tenant_id and event.outcome_id = outcome.outcome_id and {in_force("event")}
       ) happened on true
 where outcome.tenant_id = :tenant_id::uuid
"""  # noqa: S608  # made of this module's own text
ALL_AT_ONCE = f"""
select outcome.*, {_STATUS}
  from qbs.outcomes outcome
  left join (
       select event.tenant_id, event.outcome_id, {_HAPPENED}
         from qbs.outcome_events event
        where event.tenant_id = :tenant_id::uuid and {in_force("event")}
        group by event.tenant_id, event.outcome_id
       ) happened on happened.tenant_id = outcome.tenant_id and happened.outcome_id = outcome.outcome_id
 where outcome.tenant_id = :tenant_id::uuid
"""  # noqa: S608  # made of this module's own text
