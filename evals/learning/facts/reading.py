"""What is asked of the copy: facts as columns, counts by crossing, by week, and by how long a reply took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.model.outcome import OutcomeType
from evals.errors import unknown
from evals.learning.facts.derivation import LOOKED, facts_as_of
from evals.learning.facts.filters import EVERYTHING, Filters, check_dimensions, condition
from evals.learning.facts.schema import MEASURES, STANDINGS
from evals.learning.facts.values import COLUMNS, PLACED, TIMES, UNKNOWN, WORDS, Cell, Coded, Column, Facts, plain_moment

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FIRST_WEEK = date(1970, 1, 5)  # the Monday that weeks are counted from
EXACT = 500_000  # outcomes up to which every conversation is looked at for an interval; of more, as many


@dataclass(frozen=True, slots=True)
class Week:
    """The outcomes recommended in the week that begins on `monday` (UTC)."""

    monday: date
    cell: Cell


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything counted: together, by each dimension, by one crossing, and by week."""

    whole: Cell
    margins: Mapping[str, tuple[Cell, ...]]
    crossed: tuple[Cell, ...]
    weeks: tuple[Week, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Waits:
    """How long replies took: at each of `seconds`, how many `answered` and how many were `ended` without an answer.

    Ended is the window, the question (a newer one took its place), or the time until now.
    """

    seconds: NDArray[np.int64]
    answered: NDArray[np.int64]
    ended: NDArray[np.int64]


def facts(
    connection: DuckDBPyConnection,
    schema: str,
    tenant: str,
    outcome_type: OutcomeType,
    filters: Filters = EVERYTHING,
    as_of: datetime | None = None,
    columns: Sequence[str] = COLUMNS,
) -> Facts:
    """The outcomes in the order of their recommendation."""
    for name in columns:
        if name not in COLUMNS:
            raise unknown("column", name, COLUMNS)
    where, values = condition(filters, outcome_type, schema)
    source, known = f"{schema}.outcome_facts", dict[str, Any]()
    if as_of is not None:
        source, known = f"({facts_as_of(schema)})", {"known": plain_moment(as_of), "now": plain_moment(as_of)}
    wanted = dict.fromkeys([*columns, "status", "closes_at"])
    listed = ", ".join(_SELECTED.get(name, name) for name in wanted)
    query = f"SELECT {listed}, settled FROM {source} WHERE {where} ORDER BY recommended_at, outcome_id"
    table: Any = connection.sql(query, params=values | known).to_arrow_table()
    found = {name: _column(name, table.column(number)) for number, name in enumerate(wanted)}
    for name in PLACED:
        if name in found:
            found[name] = _placed(connection, schema, name, np.asarray(found[name]))
    until = _looked(connection, schema, outcome_type, known)
    moment = as_of or derived_at(connection, schema) or datetime.fromtimestamp(0, UTC)
    looked_at = table.column("settled").to_numpy().astype(np.bool_)
    return Facts(tenant, outcome_type, moment, found, until, looked_at)


def cells(
    connection: DuckDBPyConnection,
    schema: str,
    by: Sequence[str],
    outcome_type: OutcomeType,
    filters: Filters = EVERYTHING,
    *,
    clustered: bool = True,
) -> list[Cell]:
    """The counts of each crossing that occurs, the largest first; one cell of everything if `by` is empty."""
    check_dimensions(by)
    where, values = condition(filters, outcome_type, schema)
    spread = _spread(connection, schema, by, where, values) if clustered else {}
    found = connection.execute(_count(schema, by, where, filters), values).fetchall()
    return list(_sorted(_cell(row[: len(by)], row[len(by) :], spread) for row in found))


def overview(
    connection: DuckDBPyConnection,
    schema: str,
    by: Sequence[str],
    crossed: Sequence[str],
    outcome_type: OutcomeType,
    filters: Filters = EVERYTHING,
) -> Overview:
    """The whole, each dimension by itself, a crossing, and the weeks."""
    check_dimensions(by)
    check_dimensions(crossed)
    where, values = condition(filters, outcome_type, schema)
    chosen = filters.in_cells and bool(filters.words)
    if chosen:  # once, and not again for each dimension
        connection.execute(f"CREATE TEMP TABLE shown AS SELECT * FROM {schema}.cells WHERE {where}", values)

    def counted(names: Sequence[str]) -> tuple[Cell, ...]:
        if not chosen:
            return tuple(cells(connection, schema, names, outcome_type, filters, clustered=False))
        listed = "".join(f"{name}::VARCHAR, " for name in names)
        found = connection.execute(f"SELECT {listed}{_ADDED} FROM shown{_grouped(names)}").fetchall()
        return _sorted(_cell(row[: len(names)], row[len(names) :], {}) for row in found)

    whole = counted(())
    return Overview(
        whole=whole[0] if whole else Cell((), 0, 0, 0),
        margins={name: counted((name,)) for name in by},
        crossed=counted(crossed) if crossed else (),
        weeks=tuple(weeks(connection, schema, outcome_type, filters)),
    )


def weeks(
    connection: DuckDBPyConnection, schema: str, outcome_type: OutcomeType, filters: Filters = EVERYTHING
) -> list[Week]:
    """The counts by the week of the recommendation, in order."""
    where, values = condition(filters, outcome_type, schema)
    query = f"SELECT week, {_COUNTED} FROM ({_alike(schema, ('week',), where)}) GROUP BY week ORDER BY week"
    return [
        Week(FIRST_WEEK + timedelta(weeks=week), Cell((), *counts))
        for week, *counts in connection.execute(query, values).fetchall()
    ]


def waits(
    connection: DuckDBPyConnection,
    schema: str,
    outcome_type: OutcomeType,
    filters: Filters = EVERYTHING,
    bin_s: int = 1,
) -> Waits:
    """How long replies took, to the beginning of bins of `bin_s` seconds. Questions that were not sent are left out."""
    where, values = condition(filters, outcome_type, schema)
    now = derived_at(connection, schema)
    values |= {"now": plain_moment(now) if now else None, "bin": bin_s}
    table: Any = connection.sql(_WAITS.format(t=schema, where=where), params=values).to_arrow_table()
    return Waits(*(column.to_numpy().astype(np.int64) for column in table.columns))


def derived_at(connection: DuckDBPyConnection, schema: str) -> datetime | None:
    """When it was last worked out where outcomes stand."""
    ((found,),) = connection.execute(f"SELECT max(at_) FROM {schema}.derived").fetchall()
    return found.replace(tzinfo=UTC) if found else None


def _looked(
    connection: DuckDBPyConnection, schema: str, outcome_type: OutcomeType, known: dict[str, Any]
) -> datetime | None:
    """The latest moment up to which windows were looked at, of any origin."""
    source = LOOKED.format(t=schema, chosen="true") if known else f"SELECT outcome_type, until FROM {schema}.looked"
    query = f"SELECT max(until) FROM ({source}) WHERE outcome_type = $type::main.outcome_type"
    ((found,),) = connection.execute(query, known | {"type": str(outcome_type)}).fetchall()
    return found.replace(tzinfo=UTC) if found else None


_SELECTED = {name: f"conversation AS {name}" for name in PLACED} | {
    "outcome_id": "coalesce(given_id, outcome_id::VARCHAR) AS outcome_id"
}
_WAITS = """
WITH waiting AS (
    SELECT status = 'positive' AS answered,
           CASE WHEN status = 'pending' THEN date_diff('second', recommended_at, least(closes_at, $now::TIMESTAMP))
                ELSE waited END AS seconds
      FROM {t}.outcome_facts WHERE {where} AND status <> 'not_sent'
)
SELECT seconds // $bin * $bin AS seconds, count(*) FILTER (answered) AS answered,
       count(*) FILTER (NOT answered) AS ended
  FROM waiting WHERE seconds >= 0 GROUP BY 1 ORDER BY 1
"""


def _count(schema: str, by: Sequence[str], where: str, filters: Filters) -> str:
    listed = "".join(f"{name}::VARCHAR, " for name in by)
    if filters.in_cells:
        return f"SELECT {listed}{_ADDED} FROM {schema}.cells WHERE {where}{_grouped(by)}"
    return f"SELECT {listed}{_COUNTED} FROM ({_alike(schema, by, where)}){_grouped(by)}"


def _grouped(by: Sequence[str]) -> str:
    return f" GROUP BY {', '.join(by)}" if by else ""


def _sorted(found: Iterable[Cell]) -> tuple[Cell, ...]:
    """Those that occur, the largest first."""
    return tuple(sorted((cell for cell in found if cell.outcomes), key=lambda cell: (-cell.outcomes, str(cell.key))))


def _alike(schema: str, by: Sequence[str], where: str) -> str:
    """How many outcomes are alike in `by` and in where they stand: a tenth of the time of measuring each."""
    listed = ", ".join((*by, "standing"))
    counted = f"SELECT {listed}, count(*) AS n FROM {schema}.outcome_facts WHERE {where} GROUP BY ALL"
    return f"SELECT * FROM ({counted}) JOIN ({STANDINGS}) USING (standing)"


_ADDED = ", ".join(f"coalesce(sum({name}), 0)::BIGINT" for name in MEASURES)
_COUNTED = ", ".join(f"coalesce(sum(n) FILTER ({measure}), 0)::BIGINT" for measure in MEASURES.values())


Sums = tuple[int, int, int, int, int, int]


def _spread(
    connection: DuckDBPyConnection, schema: str, by: Sequence[str], where: str, values: dict[str, Any]
) -> dict[tuple[str | None, ...], Sums]:
    """By crossing: conversations, their positive p and resolved r summed, and the sums of p², pr and r².

    Where there are many outcomes, of every so many conversations one.
    """
    ((total,),) = connection.execute(f"SELECT count(*) FROM {schema}.outcome_facts").fetchall()
    every = max(1, total // EXACT)
    listed = "".join(f"{name}, " for name in by)
    query = f"""
        SELECT {"".join(f"{name}::VARCHAR, " for name in by)}
               count(*), sum(p), sum(r), sum(p * p), sum(p * r), sum(r * r)
          FROM (SELECT {listed} conversation, count(*) AS r, count(*) FILTER (status = 'positive') AS p
                  FROM {schema}.outcome_facts
                 WHERE {where} AND {MEASURES["resolved"]} AND conversation % {every} = 0
                 GROUP BY {listed} conversation)
        {_grouped(by)}
    """
    return {tuple(row[: len(by)]): row[len(by) :] for row in connection.execute(query, values).fetchall()}


def _cell(key: Sequence[str | None], counts: Sequence[int], spread: dict[tuple[str | None, ...], Sums]) -> Cell:
    cell = Cell(tuple(key), *counts)
    conversations, p, r, pp, pr, rr = spread.get(cell.key, (0, 0, 0, 0, 0, 0))
    if not r:
        return cell
    rate, scale = p / r, cell.resolved / r
    squares = max(0.0, float(pp - 2 * rate * pr + rate * rate * rr))
    return replace(cell, conversations=round(conversations * scale), squares=squares * scale)


def _column(name: str, column: Any) -> Column:
    """An Arrow column as facts keep it."""
    import pyarrow

    if name in PLACED:
        return np.asarray(column.to_numpy(), np.int64)
    if name in WORDS:
        merged = column if pyarrow.types.is_dictionary(column.type) else column.dictionary_encode()
        whole = merged.unify_dictionaries().combine_chunks()
        if isinstance(whole, pyarrow.ChunkedArray):  # no rows, no chunks
            return Coded(np.zeros(0, np.int32), ())
        codes = whole.indices.cast(pyarrow.int32()).fill_null(UNKNOWN).to_numpy(zero_copy_only=False)
        return Coded(codes, tuple(whole.dictionary.to_pylist()))
    if name in TIMES:
        return np.asarray(column.to_numpy(), "datetime64[us]")
    return np.asarray(column.cast(pyarrow.float64()).to_numpy(), np.float64)


def _placed(connection: DuckDBPyConnection, schema: str, name: str, keys: NDArray[np.int64]) -> Coded:
    """The words of `name` for the keys of conversations."""
    import pyarrow

    distinct, positions = np.unique(keys, return_inverse=True)
    connection.register("wanted", pyarrow.table({"key": distinct}))
    query = f"SELECT {name} FROM {schema}.conversations JOIN wanted USING (key) ORDER BY key"
    words = [word for (word,) in connection.execute(query).fetchall()]
    connection.unregister("wanted")
    coded = Coded.of(words)
    return Coded(coded.codes[positions] if words else np.zeros(0, np.int32), coded.labels)
