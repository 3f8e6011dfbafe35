"""Recorded outcomes and events put into the copy, whole batches at a time, in a transaction of the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.learning.facts.schema import ENUMS, RECORDED, TABLES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The columns of a batch of outcomes: those of the table, but the conversation as text, with its account and contact.
OUTCOME_COLUMNS = (*RECORDED, "account", "contact")
EVENT_COLUMNS = tuple(name for name in TABLES["events"] if name != "superseded_at")


def add_outcomes(connection: DuckDBPyConnection, schema: str, outcomes: Any) -> None:
    """Add an Arrow table of OUTCOME_COLUMNS."""
    connection.register("batch", outcomes)
    add_outcomes_of(connection, schema, "batch")
    connection.unregister("batch")


def add_events(connection: DuckDBPyConnection, schema: str, events: Any) -> None:
    """Add an Arrow table of EVENT_COLUMNS. Events may come before the outcome that they are about."""
    connection.register("batch", events)
    add_events_of(connection, schema, "batch")
    connection.unregister("batch")


def add_events_of(connection: DuckDBPyConnection, schema: str, batch: str) -> None:
    """Add the events of a table that the connection knows as `batch`, with EVENT_COLUMNS as text or typed."""
    listed = ", ".join(_cast("batch", name, TABLES["events"][name]) for name in EVENT_COLUMNS)
    connection.execute(f"INSERT INTO {schema}.events ({', '.join(EVENT_COLUMNS)}) SELECT {listed} FROM {batch} batch")
    connection.execute(
        f"INSERT INTO {schema}.stale SELECT DISTINCT conversation FROM {schema}.outcomes "
        f"WHERE outcome_id IN (SELECT outcome_id::UUID FROM {batch})"
    )


def add_outcomes_of(connection: DuckDBPyConnection, schema: str, batch: str) -> None:
    """Add the outcomes of a table that the connection knows as `batch`, with OUTCOME_COLUMNS as text or typed."""
    connection.execute(_NEW_CONVERSATIONS.format(t=schema, batch=batch))
    names = [name for name in RECORDED if name != "conversation"]
    listed = ", ".join(_cast("batch", name, RECORDED[name]) for name in names)
    connection.execute(
        f"INSERT INTO {schema}.outcomes ({', '.join(names)}, conversation) SELECT {listed}, place.key "
        f"FROM {batch} batch JOIN {schema}.conversations place ON place.conversation = batch.conversation"
    )
    connection.execute(
        f"INSERT INTO {schema}.stale SELECT DISTINCT place.key "
        f"FROM {batch} batch JOIN {schema}.conversations place ON place.conversation = batch.conversation"
    )


_NEW_CONVERSATIONS = """
INSERT INTO {t}.conversations
SELECT (SELECT coalesce(max(key), -1) FROM {t}.conversations) + row_number() OVER (ORDER BY conversation),
       conversation, account, contact
  FROM (SELECT conversation, any_value(account) AS account, any_value(contact) AS contact FROM {batch}
         GROUP BY conversation) batch
 WHERE conversation NOT IN (SELECT conversation FROM {t}.conversations)
"""


def _cast(table: str, name: str, type_: str) -> str:
    return f"{table}.{name}::{f'main.{type_}' if type_ in ENUMS else type_}"
