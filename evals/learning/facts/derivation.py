"""Where an outcome stands, as DuckDB's SQL over recorded facts: the copy of `engine.outcomes.standing`, and no other.

The first of these that holds: the question was not sent; something came inside the window; something came after it; the
window was found empty, and is over; a newer question took its place; else it is pending. Asked for an earlier moment,
facts that were recorded later do not exist.
"""

from __future__ import annotations

from evals.learning.facts.schema import RECORDED, STANDING_CODE

# `$known`: what was recorded later does not exist (NULL: everything is known). `$now`: the moment at which windows are
# over. {t} is the tenant's schema, {chosen} restricts outcomes to some conversations.
_KNOWN = (
    "($known::TIMESTAMP IS NULL OR ({0}.recorded_at <= $known AND ({0}.superseded_at IS NULL OR "
    "{0}.superseded_at > $known))) AND ($known::TIMESTAMP IS NOT NULL OR {0}.superseded_at IS NULL)"
)
_UNSENT = "coalesce(happened.not_sent_at >= coalesce(happened.sent_at, '-infinity'::TIMESTAMP), false)"
_SETTLED = "coalesce(standing.closes_at <= looked.until, false)"

FACTS = f"""
WITH outcome AS (
    SELECT * FROM {{t}}.outcomes recorded WHERE {{chosen}} AND {_KNOWN.format("recorded")}
), event AS (
    SELECT * FROM {{t}}.events recorded
     WHERE recorded.outcome_id IN (SELECT outcome_id FROM outcome) AND {_KNOWN.format("recorded")}
), happened AS (
    SELECT event.outcome_id,
           min(event.occurred_at) FILTER (event.kind = 'positive') AS positive_at,
           min(event.occurred_at) FILTER (event.kind = 'late') AS late_at,
           bool_or(event.kind = 'negative') AS found_empty,
           max(event.occurred_at) FILTER (event.kind = 'sent') AS sent_at,
           max(event.occurred_at) FILTER (event.kind = 'not_sent') AS not_sent_at
      FROM event
      ANTI JOIN (SELECT supersedes FROM event WHERE supersedes IS NOT NULL) later
             ON later.supersedes = event.event_id
     GROUP BY event.outcome_id
), both_ AS (
    SELECT outcome.*, happened.positive_at, happened.late_at, coalesce(happened.found_empty, false) AS found_empty,
           {_UNSENT} AS unsent,
           CASE WHEN {_UNSENT} THEN false WHEN happened.sent_at IS NOT NULL THEN true END AS sent
      FROM outcome LEFT JOIN happened USING (outcome_id)
), question AS (
    SELECT conversation, recommended_at AS asked_at
      FROM both_ WHERE outcome_type = 'email_engagement' AND NOT unsent
), standing AS (
    SELECT both_.*,
           CASE WHEN both_.outcome_type = 'email_engagement' AND question.asked_at <= both_.closes_at
                THEN question.asked_at END AS replaced_at,
           (CASE WHEN both_.unsent THEN 'not_sent'
                 WHEN both_.positive_at IS NOT NULL THEN 'positive'
                 WHEN both_.late_at IS NOT NULL THEN 'late'
                 WHEN both_.found_empty AND both_.closes_at < $now::TIMESTAMP THEN 'negative'
                 WHEN both_.outcome_type = 'email_engagement' AND question.asked_at <= both_.closes_at THEN 'superseded'
                 ELSE 'pending' END)::main.status AS status,
           coalesce(both_.positive_at, both_.late_at) AS happened_at
      FROM both_
      ASOF LEFT JOIN question
        ON question.conversation = both_.conversation AND question.asked_at > both_.recommended_at
), looked AS (
    {{looked}}
), deal AS (
    SELECT conversation, recommended_at, action_type, bool_or(status = 'positive') AS advanced
      FROM standing JOIN looked USING (outcome_type, origin)
     WHERE outcome_type = 'deal_progression' AND status IN ('positive', 'negative', 'late') AND {_SETTLED}
     GROUP BY conversation, recommended_at, action_type
)
SELECT {", ".join(f"standing.{column}" for column in RECORDED)},
       standing.status, {_SETTLED} AS settled, standing.happened_at, standing.replaced_at, standing.sent,
       coalesce(deal.advanced, standing.told_advanced) AS stage_advanced,
       ({STANDING_CODE.replace("status", "standing.status").replace("sent", "standing.sent")})::UTINYINT AS standing,
       (date_diff('day', DATE '1970-01-05', standing.recommended_at::DATE) // 7)::SMALLINT AS week,
       date_diff('second', standing.recommended_at,
           CASE WHEN standing.status = 'positive' THEN standing.happened_at
                ELSE least(standing.closes_at, coalesce(standing.replaced_at, standing.closes_at)) END
       )::INTEGER AS waited
  FROM standing
  LEFT JOIN looked USING (outcome_type, origin)
  LEFT JOIN deal
    ON deal.conversation = standing.conversation AND deal.recommended_at = standing.recommended_at
   AND deal.action_type = standing.action_type
"""

# Up to which window somebody has looked, whatever was corrected later: where whoever found one empty stopped looking.
# To end at the newest empty window itself would let every sample end with a negative, and so lower the rate of small
# ones. Where that is not told, the empty window is all that is known. One origin's looking says nothing of another's.
LOOKED = """
    SELECT recorded.outcome_type, recorded.origin,
           max(coalesce(event.looked_before - INTERVAL 1 MICROSECOND, recorded.closes_at)) AS until
      FROM {t}.outcomes recorded JOIN {t}.events event USING (outcome_id)
     WHERE event.kind = 'negative' AND event.supersedes IS NULL AND {chosen}
       AND recorded.closes_at < $now::TIMESTAMP
       AND ($known::TIMESTAMP IS NULL OR (recorded.recorded_at <= $known AND event.recorded_at <= $known))
     GROUP BY recorded.outcome_type, recorded.origin
"""


def facts_as_of(schema: str) -> str:
    """All of a tenant's facts as they were known at `$known`, with windows over at `$now`."""
    looked = LOOKED.format(t=schema, chosen="true")
    return FACTS.format(t=schema, chosen="true", looked=looked)


def facts_of(schema: str, chosen: str) -> str:
    """The facts of the conversations that `chosen` (SQL over `conversation`) restricts to, as kept in `looked`."""
    return FACTS.format(t=schema, chosen=chosen, looked=f"SELECT outcome_type, origin, until FROM {schema}.looked")
