"""What is new in the run folders, into the index: rows and the offset reached, in one transaction per batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.errors import RunError
from evals.progress import added
from evals.records import RunManifest, RunTotals
from evals.runs.folder import FINISHED, MANIFEST, TURNS, RunFolder, run_folders
from evals.runs.lines import checksum_at
from evals.runs.rows import TurnRow, turn_row
from evals.runs.schema import forget_scores, insert_turns, put_run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH = 10_000  # rows inserted at once, and held in memory
_COUNTED = ("turns", "failures", "fallbacks", "tokens_in", "tokens_out", "cost_usd")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did.

    `runs` were new or had grown by `turns` in all, `forgotten` had lost their folder, `unreadable` are folders whose
    manifest cannot be read. `rebuilt` says why the index was made anew; None if it was not.
    """

    runs: int = 0
    turns: int = 0
    forgotten: int = 0
    unreadable: tuple[str, ...] = ()
    rebuilt: str | None = None


@dataclass(frozen=True, slots=True)
class _Indexed:
    """How far a run is indexed.

    `identity` tells the folder from another that took its name. `last_offset` and `last_check` are those of the last
    line: what was not yet acknowledged when a machine lost its power may be gone, and another line in its place.
    """

    identity: str
    complete: bool = False
    indexed_bytes: int = 0
    last_offset: int = 0
    last_check: str = ""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows to insert at once, the run's totals with them, and why there are no more if something is wrong."""

    rows: list[TurnRow]
    totals: RunTotals
    problem: str | None = None


def import_new(connection: DuckDBPyConnection, runs: Path) -> Refreshed:
    """Index what the folders below `runs` hold and the tables do not; forget runs whose folder is gone."""
    known = _known(connection)
    touched, turns, unreadable = 0, 0, []
    paths = {path.name: path for path in run_folders(runs)}
    for run_id, path in paths.items():
        if run_id in known and _is_current(path, known[run_id]):
            continue
        try:
            folder = RunFolder.open(path)
        except RunError:
            unreadable.append(run_id)
            continue
        turns += _import_run(connection, folder, known.get(run_id))
        touched += 1
    gone = known.keys() - (paths.keys() - set(unreadable))
    for run_id in gone:
        _forget(connection, run_id)
    return Refreshed(touched, turns, len(gone), tuple(unreadable))


def _import_run(connection: DuckDBPyConnection, folder: RunFolder, before: _Indexed | None) -> int:
    """Index what is new in one folder; the number of turns added. A damaged one is indexed up to the damage."""
    complete = (folder.path / FINISHED).exists()  # asked first: a finished run gets no further lines
    if before is not None and _goes_on_from(folder.path, before):
        indexed, totals = replace(before, problem=None), _totals(connection, folder.run_id)
    else:
        _forget(connection, folder.run_id)
        indexed, totals = _Indexed(_identity(folder.path)), RunTotals()
    new = 0
    for batch in _batches(folder, indexed.indexed_bytes, totals):
        indexed = _reached(folder.path, indexed, batch.rows)
        indexed = replace(indexed, complete=complete and batch.problem is None, problem=batch.problem)
        connection.begin()
        if batch.rows:
            insert_turns(connection, batch.rows)
        put_run(connection, _values(folder.manifest, batch.totals, indexed))
        connection.commit()
        new += len(batch.rows)
    return new


def _batches(folder: RunFolder, offset: int, totals: RunTotals) -> Iterator[_Batch]:
    """The rows from `offset` on, with what the run amounts to by then; the last batch may be empty."""
    rows: list[TurnRow] = []
    try:
        for stored in folder.stored(offset):
            rows.append(turn_row(stored))
            totals = added(totals, stored.record)
            if len(rows) == BATCH:
                yield _Batch(rows, totals)
                rows = []
    except RunError as error:
        yield _Batch(rows, totals, str(error))
        return
    yield _Batch(rows, totals)


def _reached(path: Path, indexed: _Indexed, rows: list[TurnRow]) -> _Indexed:
    if not rows:
        return indexed
    offset, length = rows[-1].byte_offset, rows[-1].byte_length
    check = checksum_at(path / TURNS, offset)
    return replace(indexed, indexed_bytes=offset + length, last_offset=offset, last_check=check)


def _is_current(path: Path, indexed: _Indexed) -> bool:
    """Whether the folder holds nothing new, by what the file system says."""
    if indexed.identity != _identity(path) or indexed.problem is not None:
        return False
    return indexed.complete or (not (path / FINISHED).exists() and _size(path) == indexed.indexed_bytes)


def _goes_on_from(path: Path, indexed: _Indexed) -> bool:
    """Whether what is indexed is still the beginning of what the folder holds."""
    if indexed.identity != _identity(path) or _size(path) < indexed.indexed_bytes:
        return False
    return indexed.indexed_bytes == 0 or checksum_at(path / TURNS, indexed.last_offset) == indexed.last_check


def _known(connection: DuckDBPyConnection) -> dict[str, _Indexed]:
    names = ", ".join(field.name for field in fields(_Indexed))
    rows = connection.execute(f"SELECT run_id, {names} FROM runs").fetchall()  # noqa: S608
    return {run_id: _Indexed(*values) for run_id, *values in rows}


def _totals(connection: DuckDBPyConnection, run_id: str) -> RunTotals:
    query = f"SELECT {', '.join(_COUNTED)} FROM runs WHERE run_id = ?"  # noqa: S608
    row = connection.execute(query, [run_id]).fetchone()
    return RunTotals() if row is None else RunTotals(**dict(zip(_COUNTED, row, strict=True)))


def _forget(connection: DuckDBPyConnection, run_id: str) -> None:
    connection.begin()
    connection.execute("DELETE FROM turns WHERE run_id = ?", [run_id])
    connection.execute("DELETE FROM runs WHERE run_id = ?", [run_id])
    forget_scores(connection, run_id)
    connection.commit()


def _values(manifest: RunManifest, totals: RunTotals, indexed: _Indexed) -> dict[str, Any]:
    """The row of a run: what its manifest says, what was counted, how far it is indexed."""
    spec = manifest.spec
    return {
        "run_id": manifest.run_id,
        "dataset": spec.dataset,
        "dataset_hash": spec.dataset_hash,
        "variant": spec.variant.name,
        "reasoning_model": spec.variant.reasoning_model,
        "fast_model": spec.variant.fast_model,
        "state_mode": spec.state_mode.value,
        "samples": spec.samples,
        "conversations": len(spec.conversation_ids),
        "turns_expected": manifest.turns_expected,
        "created_at": manifest.created_at,
        "engine_hash": spec.engine_hash,
        "commit": manifest.commit,
        "dirty": manifest.dirty,
        **{name: getattr(totals, name) for name in _COUNTED},
        **{field.name: getattr(indexed, field.name) for field in fields(_Indexed)},
    }


def _identity(path: Path) -> str:
    """Which folder it is: a run that was removed and made again has the same name."""
    stat = (path / MANIFEST).stat()
    return f"{stat.st_ino}:{stat.st_mtime_ns}"


def _size(path: Path) -> int:
    file = path / TURNS
    return file.stat().st_size if file.exists() else 0
