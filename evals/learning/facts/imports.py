"""Imported outcomes in the copy: kept as parts beside it, from which it can be made anew, and added once each.

A part is a Parquet file with a number, written whole before it is added. What it says of an outcome that is there
already takes the place of what was said before, from the moment of the import on; before that moment, the former holds.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.files import write_atomically
from evals.learning.facts.recording import OUTCOME_COLUMNS, add_events, add_outcomes
from evals.learning.facts.values import plain_moment

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from evals.learning.importing.rows import ImportedOutcome


@dataclass(frozen=True, slots=True)
class Added:
    """How many outcomes of an import were new, said something else than before, or nothing new."""

    added: int
    corrected: int
    unchanged: int


def keep_part(
    connection: DuckDBPyConnection,
    schema: str,
    folder: Path,
    outcomes: Sequence[ImportedOutcome],
    source: str,
    now: datetime,
) -> Added:
    """Keep what is new of these as the next part in `folder`, and add it."""
    add_parts(connection, schema, folder)
    known = dict(connection.execute(f"SELECT outcome_id::VARCHAR, fingerprint FROM {schema}.imports").fetchall())
    marked = [(outcome, outcome.fingerprint) for outcome in outcomes]
    changed = [(outcome, mark) for outcome, mark in marked if known.get(outcome.outcome_id) != mark]
    if changed:
        number = max(_parts(folder), default=0) + 1
        write_atomically(folder / f"{number:06d}.parquet", _written(changed, source, now))
        add_parts(connection, schema, folder)
    corrected = sum(outcome.outcome_id in known for outcome, _ in changed)
    return Added(len(changed) - corrected, corrected, len(outcomes) - len(changed))


def add_parts(connection: DuckDBPyConnection, schema: str, folder: Path) -> None:
    """Add the parts that are kept in `folder` and not yet in the copy, each in one transaction."""
    from pyarrow import parquet

    parts = _parts(folder)
    if not parts:
        return
    done = {part for (part,) in connection.execute(f"SELECT part FROM {schema}.imported").fetchall()}
    for number in sorted(parts.keys() - done):
        _add(connection, schema, parquet.read_table(parts[number]), number)


def _parts(folder: Path) -> dict[int, Path]:
    return {int(file.stem): file for file in folder.glob("*.parquet") if file.stem.isdigit()}


def _add(connection: DuckDBPyConnection, schema: str, part: Any, number: int) -> None:
    connection.register("part", part)
    outcomes = connection.sql(_OUTCOMES).to_arrow_table()
    events = connection.sql(_EVENTS).to_arrow_table()
    connection.begin()
    for statement in _REPLACE:
        connection.execute(statement.format(t=schema))
    connection.unregister("part")
    add_outcomes(connection, schema, outcomes)
    add_events(connection, schema, events)
    connection.execute(f"INSERT INTO {schema}.imported VALUES (?)", [number])
    connection.commit()


def _written(changed: Sequence[tuple[ImportedOutcome, str]], source: str, now: datetime) -> bytes:
    import pyarrow
    from pyarrow import parquet

    rows = [asdict(outcome) | {"fingerprint": mark} for outcome, mark in changed]
    types = {"datetime": pyarrow.timestamp("us"), "bool": pyarrow.bool_(), "float": pyarrow.float64()}
    types |= {"int": pyarrow.int64(), "str": pyarrow.string()}
    kinds = {field.name: types[str(field.type).split(" ")[0]] for field in fields(type(changed[0][0]))}
    columns = {name: pyarrow.array([_plain(row[name]) for row in rows], kind) for name, kind in kinds.items()}
    columns["fingerprint"] = pyarrow.array([row["fingerprint"] for row in rows], pyarrow.string())
    columns["source"] = pyarrow.array([source] * len(rows), pyarrow.string())
    columns["recorded_at"] = pyarrow.array([plain_moment(now)] * len(rows), pyarrow.timestamp("us"))
    sink = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), sink, compression="zstd")
    return sink.getvalue()


def _plain(value: Any) -> Any:
    return plain_moment(value) if isinstance(value, datetime) else value


_MADE = {
    "told_advanced": "stage_advanced AS told_advanced",
    "origin": "'import' AS origin",
    "choices": "NULL AS choices",
}
_OUTCOMES = f"SELECT {', '.join(_MADE.get(name, name) for name in OUTCOME_COLUMNS)} FROM part"
# Whoever imports a file says of every silent row in it whether its window was over at that moment.
_EVENTS = """
WITH event AS (
    SELECT outcome_id, happened AS kind, happened_at AS occurred_at, recorded_at,
           CASE WHEN happened = 'negative' THEN recorded_at END AS looked_before
      FROM part WHERE happened IS NOT NULL
    UNION ALL SELECT outcome_id, CASE WHEN sent THEN 'sent' ELSE 'not_sent' END, recommended_at, recorded_at, NULL
                FROM part WHERE sent IS NOT NULL
)
SELECT md5(outcome_id || kind || recorded_at::VARCHAR)::UUID AS event_id, outcome_id, kind, occurred_at, recorded_at,
       NULL AS supersedes, 'import' AS origin, looked_before
  FROM event
"""
_WHO = "outcome_id IN (SELECT outcome_id::UUID FROM part)"
_WHEN = "(SELECT max(recorded_at) FROM part)"
_REPLACE = (
    # An outcome may have been told under another conversation before: that one is another now, too.
    f"INSERT INTO {{t}}.stale SELECT DISTINCT conversation FROM {{t}}.outcomes WHERE {_WHO}",
    f"UPDATE {{t}}.outcomes SET superseded_at = {_WHEN} WHERE superseded_at IS NULL AND {_WHO}",
    f"UPDATE {{t}}.events SET superseded_at = {_WHEN} WHERE superseded_at IS NULL AND {_WHO}",
    f"DELETE FROM {{t}}.imports WHERE {_WHO}",
    "INSERT INTO {t}.imports SELECT outcome_id::UUID, fingerprint FROM part",
)
