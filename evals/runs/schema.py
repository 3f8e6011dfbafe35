"""The index's tables, derived from the rows that they hold, and rows inserted in batches."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from evals.records import RunStatus
from evals.runs.rows import RunRow, TurnRow

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEANING = 1  # to be raised when a column keeps its name and means something else

# Beside the run's own columns: whether it is complete, which folder it was, and how far it is indexed.
BOOKKEEPING = {
    "complete": "BOOLEAN",
    "identity": "VARCHAR",
    "indexed_bytes": "BIGINT",
    "last_offset": "BIGINT",
    "last_check": "VARCHAR",
}
# What scored runs were counted as; see `evals.runs.counts`. A scoring is one run in one view.
SCORES = {
    "scorings": {
        "scoring": "INTEGER",
        "run_id": "VARCHAR",
        "view": "VARCHAR",
        "answers": "VARCHAR",
        "labels": "VARCHAR",
        "source": "VARCHAR",
        "variant": "VARCHAR",
    },
    "scored_turns": {
        "scoring": "INTEGER",
        "record": "INTEGER",
        "conversation": "INTEGER",
        "conversation_id": "VARCHAR",
        "turn": "INTEGER",
        "sample": "INTEGER",
    },
    "scored_counts": {
        "scoring": "INTEGER",
        "record": "INTEGER",
        "tally": "SMALLINT",
        "part": "SMALLINT",
        "amount": "DOUBLE",
    },
    "scored_sums": {
        "scoring": "INTEGER",
        "conversations": "INTEGER",
        "tally": "SMALLINT",
        "part": "SMALLINT",
        "amount": "DOUBLE",
    },
    "scored_metrics": {"scoring": "INTEGER", "metric": "SMALLINT", "records": "BIGINT", "conversations": "BIGINT"},
    "scored_fallbacks": {
        "scoring": "INTEGER",
        "conversation_id": "VARCHAR",
        "turn": "INTEGER",
        "sample": "INTEGER",
        "answer": "VARCHAR",
        "reason": "VARCHAR",
    },
}
_TYPES = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN", datetime: "TIMESTAMP"}


def columns(row: type[RunRow] | type[TurnRow]) -> dict[str, str]:
    """The column types of a row by name. The status of a run is not stored: it changes without a write."""
    hints = get_type_hints(row)
    stored = (field.name for field in fields(row) if hints[field.name] is not RunStatus)
    return {name: _TYPES[_plain(hints[name])] for name in stored}


def prepare(connection: DuckDBPyConnection) -> None:
    """Make the tables if they are not there, or are those of another version: then they are refilled."""
    tables = {
        "runs": columns(RunRow) | BOOKKEEPING,
        "turns": columns(TurnRow),
        "about": {"version": "VARCHAR"},
    } | SCORES
    wanted = f"{MEANING}:{zlib.crc32(repr(tables).encode()):08x}"
    if _version(connection) == wanted:
        return
    connection.begin()
    for name, types in tables.items():
        listed = ", ".join(f'"{column}" {type_}' for column, type_ in types.items())
        connection.execute(f'CREATE OR REPLACE TABLE "{name}" ({listed})')
    connection.execute("INSERT INTO about VALUES (?)", [wanted])
    connection.commit()
    connection.execute("CHECKPOINT")


def _version(connection: DuckDBPyConnection) -> str | None:
    """The version of the tables; None if there are none yet."""
    import duckdb

    try:
        row = connection.execute("SELECT version FROM about").fetchone()
    except duckdb.CatalogException:
        return None
    return None if row is None else str(row[0])


def insert_turns(connection: DuckDBPyConnection, rows: Sequence[TurnRow]) -> None:
    """Insert all rows at once. One by one it would take a thousand times as long."""
    connection.register("batch", arrow_table([asdict(row) for row in rows], columns(TurnRow)))
    connection.execute("INSERT INTO turns BY NAME SELECT * FROM batch")
    connection.unregister("batch")


def insert_columns(connection: DuckDBPyConnection, table: str, values: Mapping[str, Any]) -> None:
    """Insert whole columns by name: arrays, or one value for all rows."""
    import pyarrow

    length = max(
        len(column) for column in values.values() if hasattr(column, "__len__") and not isinstance(column, str)
    )
    columns = {
        name: column if hasattr(column, "__len__") and not isinstance(column, str) else pyarrow.repeat(column, length)
        for name, column in values.items()
    }
    connection.register("batch", pyarrow.table(columns))
    connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM batch")  # noqa: S608
    connection.unregister("batch")


def forget_scores(connection: DuckDBPyConnection, run_id: str, view: str | None = None) -> None:
    """Remove what a run was counted as, in one view or in all."""
    query = "SELECT scoring FROM scorings WHERE run_id = $run AND ($view IS NULL OR view = $view)"
    for (scoring,) in connection.execute(query, {"run": run_id, "view": view}).fetchall():
        for name in SCORES:
            connection.execute(f"DELETE FROM {name} WHERE scoring = ?", [scoring])  # noqa: S608


def put_run(connection: DuckDBPyConnection, values: dict[str, Any]) -> None:
    """Replace the row of a run. `values` has a value for each column."""
    stored = {name: _stored(value) for name, value in values.items()}
    connection.execute("DELETE FROM runs WHERE run_id = ?", [values["run_id"]])
    names, marks = ", ".join(f'"{name}"' for name in stored), ", ".join("?" for _ in stored)
    connection.execute(f"INSERT INTO runs ({names}) VALUES ({marks})", list(stored.values()))  # noqa: S608


def arrow_table(rows: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> Any:
    """The rows as an Arrow table with these columns, typed also where all values are missing."""
    import pyarrow

    kinds = (pyarrow.string(), pyarrow.int64(), pyarrow.float64(), pyarrow.bool_())
    arrow = dict(zip(("VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN"), kinds, strict=True))
    schema = pyarrow.schema([(name, arrow[type_]) for name, type_ in types.items()])
    return pyarrow.table({name: [row[name] for row in rows] for name in schema.names}, schema=schema)


def _plain(hint: Any) -> type:
    """`str` of `str | None`."""
    plain: type = next((kind for kind in get_args(hint) if kind is not type(None)), hint)
    return plain


def _stored(value: Any) -> Any:
    """Times are stored in UTC without a zone: a zone would need another package to read."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
