"""The statements over single outcomes: find those that something is about, add a fact, look one up."""

from __future__ import annotations

from engine.outcomes.sql import EVENT_COLUMNS, listed, statement
from engine.outcomes.standing import in_force, unsent

_FOUND = ("outcome_id", "closes_at", "event_id", "kind", "occurred_at", "supersedes")
_WITH_FACTS = f"""
select question.outcome_id, question.closes_at, event.event_id, event.kind, event.occurred_at, event.supersedes
  from question
  left join qbs.outcome_events event
    on event.tenant_id = :tenant_id::uuid and event.outcome_id = question.outcome_id
   and event.kind in ('positive', 'negative', 'late') and {in_force("event")}
 order by question.outcome_id, event.recorded_at
"""  # noqa: S608  # made of this package's own text

# The question that a reply answers: the newest one that the customer had by then, or has by now.
NEWEST_QUESTION = statement(
    f"""
with question as (
    select outcome.outcome_id, outcome.closes_at
      from qbs.outcomes outcome
     where outcome.tenant_id = :tenant_id::uuid and outcome.state_id = :state_id::uuid
       and outcome.outcome_type = 'email_engagement' and outcome.recommended_at < coalesce(:at::timestamptz, now())
       and not {unsent("outcome")}
       and coalesce((
           select min(sent.occurred_at)
             from qbs.outcome_events sent
            where sent.tenant_id = outcome.tenant_id and sent.outcome_id = outcome.outcome_id
              and sent.kind = 'sent'), outcome.recommended_at) < coalesce(:at::timestamptz, now())
     order by outcome.recommended_at desc, outcome.outcome_id desc
     limit 1
){_WITH_FACTS}""",  # noqa: S608  # made of this package's own text
    _FOUND,
)
# In the order of ids, as in `engine.outcomes.closing`: who waits for another's rows then never does so in turn.
OPEN_DEALS = statement(
    f"""
with question as (
    select outcome.outcome_id, outcome.closes_at
      from qbs.outcomes outcome
     where outcome.tenant_id = :tenant_id::uuid and outcome.state_id = :state_id::uuid
       and outcome.outcome_type = 'deal_progression'
       and outcome.recommended_at < :at::timestamptz and outcome.closes_at >= :at::timestamptz
       and outcome.details ->> 'stage' = any (string_to_array(:stages::text, ' '))
       and not {unsent("outcome")}
){_WITH_FACTS}""",  # noqa: S608  # made of this package's own text
    _FOUND,
)

# What one recommendation is watched for has the contact and the moment in common.
SAME_RECOMMENDATION = statement(
    """
select twin.outcome_id
  from qbs.outcomes outcome
  join qbs.outcomes twin
    on twin.tenant_id = outcome.tenant_id and twin.state_id = outcome.state_id
   and twin.recommended_at = outcome.recommended_at and twin.action_type = outcome.action_type
 where outcome.tenant_id = :tenant_id::uuid and outcome.outcome_id = :outcome_id::uuid
 order by twin.outcome_id
""",
    ("outcome_id",),
)
REPLY_TAKEN = statement(
    f"""
select outcome.state_id, event.occurred_at, event.idempotency_key, event.details
  from qbs.outcome_events event
  join qbs.outcomes outcome on outcome.tenant_id = event.tenant_id and outcome.outcome_id = event.outcome_id
 where event.tenant_id = :tenant_id::uuid and event.outcome_id = :outcome_id::uuid
   and event.kind in ('positive', 'late') and outcome.outcome_type = 'email_engagement' and {in_force("event")}
 order by event.occurred_at
""",  # noqa: S608  # made of this package's own text
    ("state_id", "occurred_at", "idempotency_key", "details"),
)

ADD = statement(
    """
insert into qbs.outcome_events (
    tenant_id, event_id, outcome_id, kind, occurred_at, idempotency_key, supersedes, details
) values (
    :tenant_id, :event_id, :outcome_id, :kind, coalesce(:at::timestamptz, clock_timestamp()), :key, :supersedes,
    :details
)
on conflict do nothing
returning event_id
""",
    ("event_id",),
)
BY_KEY = statement(
    f"select {listed(EVENT_COLUMNS)} from qbs.outcome_events "  # noqa: S608  # made of names
    "where tenant_id = :tenant_id::uuid and idempotency_key = :key",
    EVENT_COLUMNS,
)
EVENT = statement(
    f"""
select {listed(EVENT_COLUMNS, "event")}, outcome.closes_at
  from qbs.outcome_events event
  join qbs.outcomes outcome on outcome.tenant_id = event.tenant_id and outcome.outcome_id = event.outcome_id
 where event.tenant_id = :tenant_id::uuid and event.event_id = :event_id::uuid
""",  # noqa: S608  # made of names
    (*EVENT_COLUMNS, "closes_at"),
)
OF_OUTCOME = statement(
    f"select {listed(EVENT_COLUMNS)} from qbs.outcome_events "  # noqa: S608  # made of names
    "where tenant_id = :tenant_id::uuid and outcome_id = :outcome_id::uuid order by recorded_at, occurred_at, event_id",
    EVENT_COLUMNS,
)
