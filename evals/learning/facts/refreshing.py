"""`outcome_facts` and `cells` brought up to date, conversation by conversation of which something new is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evals.learning.facts.derivation import LOOKED, facts_of
from evals.learning.facts.schema import MEASURES, RECORDED, STANDING
from evals.learning.facts.values import DIMENSIONS, plain_moment

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STEP = 400_000  # outcomes worked out in one transaction
GROWN = 100_000  # rows of `cells` beyond twice what they were, at which they are made anew

Work = Callable[["DuckDBPyConnection", str], Any]


def refresh(do: Callable[[Work], Any], now: datetime | None = None) -> int:
    """Bring up to date; `do` opens the file, does the work that it is given, and closes it. How many conversations."""
    moment = plain_moment(now or datetime.now(UTC))
    bounds: list[tuple[int, int]] = do(lambda connection, schema: _begin(connection, schema, moment))
    done = 0
    for first, last in bounds:
        done += do(_stepping(first, last, moment))
    do(lambda connection, schema: _finish(connection, schema, moment))
    return done


def _stepping(first: int, last: int, now: datetime) -> Work:
    return lambda connection, schema: _step(connection, schema, first, last, now)


def _begin(connection: DuckDBPyConnection, schema: str, now: datetime) -> list[tuple[int, int]]:
    """Note what else is stale; the ranges of conversations to go through, each of about STEP outcomes."""
    values = {"now": now, "known": None}
    connection.begin()
    connection.execute(_CLOSED_SINCE.format(t=schema), {"now": now})
    connection.execute(f"CREATE TEMP TABLE newly AS {LOOKED.format(t=schema, chosen=_STALE.format(t=schema))}", values)
    connection.execute(_SETTLED_SINCE.format(t=schema))
    connection.execute(_LOOKED_FURTHER.format(t=schema))
    connection.execute("DROP TABLE newly")
    connection.commit()
    return connection.execute(_RANGES.format(t=schema), {"step": STEP}).fetchall()


def _step(connection: DuckDBPyConnection, schema: str, first: int, last: int, now: datetime) -> int:
    """The stale conversations with keys from `first` to `last`, in one transaction."""
    connection.begin()
    connection.execute(
        f"CREATE TEMP TABLE chosen AS SELECT DISTINCT conversation FROM {schema}.stale "
        "WHERE conversation BETWEEN $first AND $last",
        {"first": first, "last": last},
    )
    ((count,),) = connection.execute("SELECT count(*) FROM chosen").fetchall()
    stale = "conversation IN (SELECT conversation FROM chosen)"
    connection.execute(f"CREATE TEMP TABLE fresh AS {facts_of(schema, stale)}", {"now": now, "known": None})
    for table, sign, condition in ((f"{schema}.outcome_facts", "-", stale), ("fresh", "+", "true")):
        connection.execute(counting(schema, table, sign, condition))
    connection.execute(f"DELETE FROM {schema}.outcome_facts WHERE {stale}")
    names = ", ".join([*RECORDED, *STANDING])
    connection.execute(
        f"INSERT INTO {schema}.outcome_facts ({names}) SELECT {names} FROM fresh ORDER BY recommended_at"
    )
    connection.execute(f"DELETE FROM {schema}.stale WHERE {stale}")
    connection.execute("DROP TABLE fresh")
    connection.execute("DROP TABLE chosen")
    connection.commit()
    return int(count)


def _finish(connection: DuckDBPyConnection, schema: str, now: datetime) -> None:
    """Say until when it was done, and make `cells` anew if changes have made them many."""
    connection.begin()
    ((rows,),) = connection.execute(f"SELECT count(*) FROM {schema}.cells").fetchall()
    ((before,),) = connection.execute(f"SELECT coalesce(max(cells_), 0) FROM {schema}.derived").fetchall()
    if rows > 2 * before + GROWN:
        connection.execute(_COMPACT.format(t=schema))
        ((before,),) = connection.execute(f"SELECT count(*) FROM {schema}.cells").fetchall()
    connection.execute(f"DELETE FROM {schema}.derived")
    connection.execute(f"INSERT INTO {schema}.derived VALUES ($now, $cells)", {"now": now, "cells": before})
    connection.commit()


def counting(schema: str, table: str, sign: str, condition: str) -> str:
    """The SQL that adds the outcomes of `table` to the counts (`sign` is +), or takes them off (-)."""
    names = ", ".join(("outcome_type", *DIMENSIONS))
    counts = ", ".join(f"{sign}count(*) FILTER ({measure})" for measure in MEASURES.values())
    listed = f"{names}, {', '.join(MEASURES)}"
    return f"INSERT INTO {schema}.cells ({listed}) SELECT {names}, {counts} FROM {table} WHERE {condition} GROUP BY ALL"


_STALE = "recorded.conversation IN (SELECT conversation FROM {t}.stale)"
# Found empty before it was over (an answer that was taken back): once the window is over it is negative.
_CLOSED_SINCE = """
INSERT INTO {t}.stale
SELECT DISTINCT fact.conversation FROM {t}.outcome_facts fact
 WHERE fact.closes_at > (SELECT coalesce(max(at_), '-infinity'::TIMESTAMP) FROM {t}.derived) - INTERVAL 1 MINUTE
   AND fact.closes_at <= $now AND fact.status IN ('pending', 'superseded')
   AND fact.outcome_id IN (SELECT outcome_id FROM {t}.events WHERE kind = 'negative')
"""
# Answered in windows that nobody had looked at, and now somebody has.
_SETTLED_SINCE = """
INSERT INTO {t}.stale
SELECT DISTINCT fact.conversation
  FROM {t}.outcome_facts fact JOIN newly USING (outcome_type, origin)
 WHERE NOT fact.settled AND fact.closes_at <= newly.until
"""
_LOOKED_FURTHER = """
CREATE TEMP TABLE further AS
SELECT outcome_type, origin, max(until) AS until
  FROM (SELECT * FROM {t}.looked UNION ALL SELECT * FROM newly) GROUP BY outcome_type, origin;
DELETE FROM {t}.looked;
INSERT INTO {t}.looked SELECT * FROM further;
DROP TABLE further
"""
_RANGES = """
WITH sized AS (
    SELECT stale.conversation, count(outcome.conversation) AS outcomes
      FROM (SELECT DISTINCT conversation FROM {t}.stale) stale
      LEFT JOIN {t}.outcomes outcome ON outcome.conversation = stale.conversation
     GROUP BY stale.conversation
), added AS (
    SELECT conversation, sum(outcomes) OVER (ORDER BY conversation) // $step AS range_ FROM sized
)
SELECT min(conversation), max(conversation) FROM added GROUP BY range_ ORDER BY 1
"""
_COMPACT = f"""
CREATE TEMP TABLE compact AS
SELECT outcome_type, {", ".join(DIMENSIONS)}, {", ".join(f"sum({name})::BIGINT AS {name}" for name in MEASURES)}
  FROM {{t}}.cells GROUP BY ALL HAVING sum(outcomes) <> 0;
DELETE FROM {{t}}.cells;
INSERT INTO {{t}}.cells SELECT * FROM compact;
DROP TABLE compact
"""
