"""A simulated world in the copy: its outcomes and events, as facts that came over time like anybody's."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from evals.learning.facts.recording import OUTCOME_COLUMNS, add_events, add_outcomes
from evals.learning.facts.values import plain_moment

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from evals.learning.facts.store import OutcomeStore

_MADE = {
    "outcome_id": "md5(outcome_id)::UUID AS outcome_id",
    "given_id": "outcome_id AS given_id",
    "outcome_type": "'email_engagement' AS outcome_type",
    "told_advanced": "stage_advanced > 0 AS told_advanced",
    "source": "'simulated' AS source",
    "calibration": "NULL AS calibration",
    "calibrated_confidence": "NULL AS calibrated_confidence",
}
_OUTCOMES = f"SELECT {', '.join(_MADE.get(name, name) for name in OUTCOME_COLUMNS)} FROM world"
# Each event has an id made from its outcome's, so that loading twice gives the same. What was found empty and turns out
# to have been answered in time is superseded by the answer, as in `engine.outcomes`.
_EVENTS = """
WITH told AS (
    SELECT md5(outcome_id) AS id, recommended_at, closes_at, sent, emptied_s,
           $start::TIMESTAMP + to_seconds(replied_s) AS replied_at,
           $start::TIMESTAMP + to_seconds(reported_s) AS reported_at,
           $start::TIMESTAMP + to_seconds(emptied_s) AS emptied_at
      FROM world
), event AS (
    SELECT id, 'sent' AS kind, recommended_at AS occurred_at, recommended_at AS recorded_at, NULL AS supersedes,
           NULL AS looked_before
      FROM told WHERE sent = 1
    UNION ALL SELECT id, 'not_sent', recommended_at, recommended_at, NULL, NULL FROM told WHERE sent = 0
    UNION ALL SELECT id, 'negative', closes_at, emptied_at, NULL, emptied_at FROM told WHERE emptied_at IS NOT NULL
    UNION ALL SELECT id, CASE WHEN replied_at <= closes_at THEN 'positive' ELSE 'late' END, replied_at, reported_at,
                     CASE WHEN replied_at <= closes_at AND emptied_at < reported_at THEN md5('negative' || id) END, NULL
      FROM told WHERE replied_at IS NOT NULL
)
SELECT md5(kind || id)::UUID AS event_id, id::UUID AS outcome_id, kind, occurred_at, recorded_at, supersedes,
       'simulated' AS origin, looked_before
  FROM event WHERE recorded_at <= $end::TIMESTAMP
"""


def load(store: OutcomeStore, tenant: str, world: Any, start: datetime, end: datetime, identity: str) -> None:
    """Put the `world` into the copy as all that there is of `tenant`, as of its `end`; nothing if it is there already.

    `world` is the Arrow table of `evals.learning.simulated_data`, `identity` says which it is.
    """
    if store.work(tenant, _identity) != identity:
        store.forget(tenant)
        moments = {"start": plain_moment(start), "end": plain_moment(end)}
        store.work(tenant, lambda connection, schema: _add(connection, schema, world, moments, identity))
    if store.derived_at(tenant) != end:
        store.refresh(tenant, end)


def _identity(connection: DuckDBPyConnection, schema: str) -> str | None:
    found = connection.execute(f"SELECT server FROM {schema}.marks WHERE facts = 'simulated'").fetchall()
    return str(found[0][0]) if found else None


def _add(connection: DuckDBPyConnection, schema: str, world: Any, moments: dict[str, datetime], identity: str) -> None:
    connection.register("world", world)
    outcomes = connection.sql(_OUTCOMES).to_arrow_table()
    events = connection.sql(_EVENTS, params=moments).to_arrow_table()
    connection.unregister("world")
    connection.begin()
    add_outcomes(connection, schema, outcomes)
    add_events(connection, schema, events)
    connection.execute(f"INSERT INTO {schema}.marks (facts, server) VALUES ('simulated', ?)", [identity])
    connection.commit()
