"""The DuckDB index over the run folders: quick to list and slice, and made anew from the folders at any time.

Nobody holds the database open: a lock file, open, work, close. A damaged database costs a rebuild, never data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from evals.errors import LockedError, unknown
from evals.locks import locked
from evals.records import TurnRecord
from evals.runs.folder import RunFolder, status_of
from evals.runs.importer import Refreshed, import_new
from evals.runs.lines import Place
from evals.runs.rows import RunRow, TurnRow
from evals.runs.schema import columns, prepare

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ResultT = TypeVar("ResultT")

# Nothing that is asked of the index may read or write other files, or lift this.
_CONFINED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "lock_configuration": True,
}


class RunIndex:
    """The index in the file `path` over the runs below `runs_folder`.

    Every method raises LockedError if another process works on it for longer than `lock_timeout` seconds. `on_rebuilt`
    is told when the index was made anew; if not given, a log line says so.
    """

    def __init__(
        self,
        path: Path,
        runs_folder: Path,
        *,
        lock_timeout: float = 10.0,
        on_rebuilt: Callable[[Refreshed], None] | None = None,
    ) -> None:
        self._path = path
        self._runs_folder = runs_folder
        self._lock_timeout = lock_timeout
        self._on_rebuilt = on_rebuilt or log_rebuilt

    def refresh(self) -> Refreshed:
        """Index what the folders have and the index has not. Doing it twice changes nothing."""
        return self._work(self._import, lambda anew: anew)

    def rebuild(self) -> Refreshed:
        """Throw the index away and make it again from the folders."""
        with self._locked():
            return self._anew("as asked")

    def runs(self) -> tuple[RunRow, ...]:
        """All indexed runs, the newest first."""
        return self._run_rows(self._rows(_all_runs()))

    def runs_by_now(self) -> tuple[RunRow, ...]:
        """The same once what is missing was indexed, at one opening of the database."""

        def fetch(connection: DuckDBPyConnection) -> list[tuple[Any, ...]]:
            self._import(connection)
            return connection.execute(_all_runs()).fetchall()

        return self._run_rows(self.work(fetch))

    def run(self, run_id: str) -> RunRow:
        """Raises InputError, which names similar ids, if there is none of that id."""
        runs = {row.run_id: row for row in self.runs()}
        if run_id not in runs:
            raise unknown("run", run_id, runs)
        return runs[run_id]

    def turns(self, run_id: str, conversation_id: str | None = None, sample: int | None = None) -> tuple[TurnRow, ...]:
        """The turns of a run, of one conversation or sample of it if asked, in order."""
        query = f"""
            SELECT {_listed(columns(TurnRow))} FROM turns
            WHERE run_id = $run AND ($conversation IS NULL OR conversation_id = $conversation)
              AND ($sample IS NULL OR sample = $sample)
            ORDER BY conversation_id, sample, turn
        """  # noqa: S608
        rows = self._rows(query, {"run": run_id, "conversation": conversation_id, "sample": sample})
        return tuple(TurnRow(*row) for row in rows)

    def turn_records(self, run_id: str, conversation_id: str, sample: int = 0) -> tuple[TurnRecord, ...]:
        """The full records of one conversation, in order, straight from the run's folder.

        Raises RunError if the folder is gone, RunDamagedError if a record was altered.
        """
        rows = self.turns(run_id, conversation_id, sample)
        folder = RunFolder.open(self._runs_folder / run_id)
        return tuple(folder.record_at(Place(row.byte_offset, row.byte_length)) for row in rows)

    def work(self, work: Callable[[DuckDBPyConnection], ResultT]) -> ResultT:
        """Do `work` on the open database, once it was made anew if it is damaged. Then nothing is left of scores."""
        return self._work(work, lambda _anew: self._opened(work))

    def _run_rows(self, found: Sequence[tuple[Any, ...]]) -> tuple[RunRow, ...]:
        return tuple(self._run_row(dict(zip(columns(RunRow), row, strict=True))) for row in found)

    def _run_row(self, values: dict[str, Any]) -> RunRow:
        created: datetime = values["created_at"]
        status = status_of(self._runs_folder / values["run_id"])
        return RunRow(**values | {"created_at": created.replace(tzinfo=UTC), "status": status})

    def _rows(self, query: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        def fetch(connection: DuckDBPyConnection) -> list[tuple[Any, ...]]:
            return connection.execute(query, parameters).fetchall()

        return self.work(fetch)

    def _work(
        self, work: Callable[[DuckDBPyConnection], ResultT], after_damage: Callable[[Refreshed], ResultT]
    ) -> ResultT:
        """Do `work` on the index. If that is damaged, make it anew, and answer `after_damage`."""
        import duckdb

        with self._locked():
            try:
                return self._opened(work)
            except duckdb.Error as error:
                _refuse_if_held(error)
                return after_damage(self._anew(f"damaged ({type(error).__name__})"))

    def _anew(self, reason: str) -> Refreshed:
        for file in (self._path, self._wal):
            file.unlink(missing_ok=True)
        refreshed = replace(self._opened(self._import), rebuilt=reason)
        self._on_rebuilt(refreshed)
        return refreshed

    def _import(self, connection: DuckDBPyConnection) -> Refreshed:
        return import_new(connection, self._runs_folder)

    def _opened(self, work: Callable[[DuckDBPyConnection], ResultT]) -> ResultT:
        import duckdb

        with duckdb.connect(self._path, config=_CONFINED) as connection:
            prepare(connection)
            return work(connection)

    def _locked(self) -> AbstractContextManager[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = self._path.with_name(self._path.name + ".lock")
        return locked(lock, what="the index of runs", timeout=self._lock_timeout)

    @property
    def _wal(self) -> Path:
        return self._path.with_name(self._path.name + ".wal")


def log_rebuilt(refreshed: Refreshed) -> None:
    import structlog  # takes longer to import than the index to list its runs

    structlog.get_logger(__name__).warning(
        "index_rebuilt", reason=refreshed.rebuilt, runs=refreshed.runs, turns=refreshed.turns
    )


def _refuse_if_held(error: Exception) -> None:
    """A database that another program holds open is not damaged."""
    if "set lock on file" in str(error):
        raise LockedError("the index of runs", None) from error


def _all_runs() -> str:
    return f"SELECT {_listed(columns(RunRow))} FROM runs ORDER BY created_at DESC, run_id"  # noqa: S608


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
