"""Recorded outcomes and events put into the copy, as they come: whole batches as Arrow tables, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.outcomes import bulk
from evals.learning.facts.schema import ENUMS, RECORDED, TABLES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The columns of a batch of outcomes: those of the table, but the conversation as text, with its account and contact.
OUTCOME_COLUMNS = (*RECORDED, "account", "contact")
EVENT_COLUMNS = tuple(name for name in TABLES["events"] if name != "superseded_at")

# Lines of Postgres' as `engine.outcomes.bulk` gives them, with other names here, and what follows from a column.
_NAMES = {
    "state_id": "conversation",
    "predicted_confidence": "confidence",
    "account_id": "account",
    "contact_id": "contact",
}


def _told(columns: Sequence[str]) -> str:
    return ", ".join(f"nullif(told[{n}], '') AS {_NAMES.get(name, name)}" for n, name in enumerate(columns, 1))


_OUTCOME_LINES = f"""
CREATE TEMP TABLE known AS
SELECT {_told(bulk.OUTCOME_COLUMNS)},
       CASE WHEN substr(action_type, 5) IN ({", ".join(map(repr, ENUMS["question_type"]))})
            THEN substr(action_type, 5) END AS question_type,
       NULL AS given_id, NULL AS told_advanced, 'postgres' AS origin, $source AS source
  FROM (SELECT string_split(line, chr(31)) AS told FROM lines)
"""
_EVENT_LINES = f"""
CREATE TEMP TABLE known AS
SELECT {_told(bulk.EVENT_COLUMNS)},
       'postgres' AS origin
  FROM (SELECT string_split(line, chr(31)) AS told FROM lines)
"""


def add_outcome_lines(connection: DuckDBPyConnection, schema: str, lines: Sequence[str], source: str) -> None:
    """Add outcomes as `engine.outcomes.bulk` gives them; `source` is what their server is called."""
    _read_lines(connection, _OUTCOME_LINES, lines, {"source": source})
    _add_outcomes(connection, schema, "known")
    connection.execute("DROP TABLE known")


def add_event_lines(connection: DuckDBPyConnection, schema: str, lines: Sequence[str]) -> None:
    """Add events as `engine.outcomes.bulk` gives them."""
    _read_lines(connection, _EVENT_LINES, lines, {})
    _add_events(connection, schema, "known")
    connection.execute("DROP TABLE known")


def _read_lines(connection: DuckDBPyConnection, query: str, lines: Sequence[str], values: dict[str, str]) -> None:
    import pyarrow

    connection.register("lines", pyarrow.table({"line": pyarrow.array(lines, pyarrow.string())}))
    connection.execute(query, values)
    connection.unregister("lines")


def add_outcomes(connection: DuckDBPyConnection, schema: str, outcomes: Any) -> None:
    """Add an Arrow table of OUTCOME_COLUMNS."""
    connection.register("batch", outcomes)
    _add_outcomes(connection, schema, "batch")
    connection.unregister("batch")


def add_events(connection: DuckDBPyConnection, schema: str, events: Any) -> None:
    """Add an Arrow table of EVENT_COLUMNS. Events may come before the outcome that they are about."""
    connection.register("batch", events)
    _add_events(connection, schema, "batch")
    connection.unregister("batch")


def _add_events(connection: DuckDBPyConnection, schema: str, batch: str) -> None:
    listed = ", ".join(_cast("batch", name, TABLES["events"][name]) for name in EVENT_COLUMNS)
    connection.execute(f"INSERT INTO {schema}.events ({', '.join(EVENT_COLUMNS)}) SELECT {listed} FROM {batch} batch")
    connection.execute(
        f"INSERT INTO {schema}.stale SELECT DISTINCT conversation FROM {schema}.outcomes "
        f"WHERE outcome_id IN (SELECT outcome_id::UUID FROM {batch})"
    )


def _add_outcomes(connection: DuckDBPyConnection, schema: str, batch: str) -> None:
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
