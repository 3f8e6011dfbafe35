"""What Postgres tells, put into the copy together with the marks of how far it has told: both or neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from engine.errors import StateError
from engine.outcomes import bulk
from engine.outcomes.bulk import FactLines
from engine.outcomes.feed import FactMark
from evals.learning.facts.recording import add_events_of, add_outcomes_of
from evals.learning.facts.schema import ENUMS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

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


@dataclass(frozen=True, slots=True)
class Marks:
    """How far the copy has followed a tenant's outcomes and events; None: not begun."""

    outcomes: FactMark | None = None
    events: FactMark | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Outcomes and events that were read after `after`, from the server that is called `source`."""

    after: Marks
    outcomes: FactLines
    events: FactLines
    source: str

    @property
    def marks(self) -> Marks:
        return Marks(self.outcomes.mark, self.events.mark)

    def __len__(self) -> int:
        return len(self.outcomes.lines) + len(self.events.lines)


def marks_of(connection: DuckDBPyConnection, schema: str) -> Marks:
    """How far the copy has followed."""
    query = f"SELECT facts, server, number, fact FROM {schema}.marks WHERE facts IN ('outcomes', 'events')"
    found = {
        facts: FactMark(server=server, number=number, fact=UUID(fact))
        for facts, server, number, fact in connection.execute(query).fetchall()
    }
    return Marks(found.get("outcomes"), found.get("events"))


def add_told(connection: DuckDBPyConnection, schema: str, told: Told) -> bool:
    """Add what was told with its marks, in one transaction. Whether it was added: not if somebody else has followed
    further meanwhile.

    If the server is another than before, or in another life (a failover, a restored backup), what the former one told
    is removed first: it may never have happened.
    """
    known = marks_of(connection, schema)
    if known != told.after:
        return False
    connection.begin()
    try:
        if is_another_server(told):
            _forget_former(connection, schema)
        if told.outcomes.lines:
            _add_outcome_lines(connection, schema, told.outcomes.lines, told.source)
        if told.events.lines:
            _add_event_lines(connection, schema, told.events.lines)
        _keep_marks(connection, schema, told.marks)
    except _not_understood() as error:
        connection.rollback()
        raise StateError(
            f"Postgres holds outcomes that this program does not understand ({type(error).__name__}): a newer one "
            "wrote them; use that"
        ) from None
    connection.commit()
    return True


def is_another_server(told: Told) -> bool:
    """Whether it was told by another server than what was told before."""
    before = told.after.outcomes or told.after.events
    return before is not None and before.server != told.outcomes.mark.server


def _forget_former(connection: DuckDBPyConnection, schema: str) -> None:
    for table in ("outcomes", "events"):
        connection.execute(f"DELETE FROM {schema}.{table} WHERE origin = 'postgres'")
    connection.execute(f"INSERT INTO {schema}.stale SELECT key FROM {schema}.conversations")
    connection.execute(f"DELETE FROM {schema}.looked")


def _keep_marks(connection: DuckDBPyConnection, schema: str, marks: Marks) -> None:
    connection.execute(f"DELETE FROM {schema}.marks WHERE facts IN ('outcomes', 'events')")
    for facts, mark in (("outcomes", marks.outcomes), ("events", marks.events)):
        if mark is not None:
            values = [facts, mark.server, mark.number, str(mark.fact)]
            connection.execute(f"INSERT INTO {schema}.marks VALUES (?, ?, ?, ?)", values)


def _not_understood() -> tuple[type[Exception], ...]:
    import duckdb

    return (duckdb.ConversionException, duckdb.InvalidInputException)


def _add_outcome_lines(connection: DuckDBPyConnection, schema: str, lines: Sequence[str], source: str) -> None:
    """Add outcomes as `engine.outcomes.bulk` gives them; `source` is what their server is called."""
    _read_lines(connection, _OUTCOME_LINES, lines, {"source": source})
    add_outcomes_of(connection, schema, "known")
    connection.execute("DROP TABLE known")


def _add_event_lines(connection: DuckDBPyConnection, schema: str, lines: Sequence[str]) -> None:
    """Add events as `engine.outcomes.bulk` gives them."""
    _read_lines(connection, _EVENT_LINES, lines, {})
    add_events_of(connection, schema, "known")
    connection.execute("DROP TABLE known")


def _read_lines(connection: DuckDBPyConnection, query: str, lines: Sequence[str], values: dict[str, str]) -> None:
    import pyarrow

    connection.register("lines", pyarrow.table({"line": pyarrow.array(lines, pyarrow.string())}))
    connection.execute(query, values)
    connection.unregister("lines")
