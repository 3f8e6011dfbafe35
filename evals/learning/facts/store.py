"""The analysts' copy of outcomes in one DuckDB file: by tenant, quick to slice, and made anew from its sources.

Nobody holds the file open: a lock file, open, work, close. A damaged file is made anew from the imports that were kept
and, at the next synchronisation, from Postgres: nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from engine.errors import InputError
from engine.model.outcome import OutcomeType
from engine.state.tenants import tenant_uuid
from evals.errors import LockedError
from evals.files import remove_folder
from evals.learning.facts import reading
from evals.learning.facts.filters import EVERYTHING, Filters
from evals.learning.facts.imports import Added, add_parts, keep_part
from evals.learning.facts.reading import Overview, Waits, Week
from evals.learning.facts.refreshing import refresh
from evals.learning.facts.schema import prepare, prepare_tenant, schema_of, tenants
from evals.learning.facts.values import COLUMNS, SIMULATED, Cell, Facts
from evals.locks import locked

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from evals.learning.importing.rows import ImportedOutcome

ResultT = TypeVar("ResultT")
# What is said of a disk, and not of the file on it: throwing the copy away would mend nothing.
_OF_THE_DISK = ("No space left", "Permission denied", "Too many open files", "Disk quota exceeded", "Read-only file")
# What DuckDB says of a file that it cannot make sense of.
_OF_THE_FILE = ("not a valid DuckDB database", "Corrupt", "corrupt", "checksum", "Could not read enough bytes")
IMPORTS = "outcome_imports"
EMAIL = OutcomeType.EMAIL_ENGAGEMENT

# Nothing that is asked of it may read or write other files, or lift this.
_CONFINED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "lock_configuration": True,
    "memory_limit": "2GB",
}


class OutcomeStore:
    """The copy in the file `path`. Every method raises LockedError if another process works on it for longer than
    `lock_timeout` seconds, OSError if the disk refuses, and InputError for dimensions and words that there are none of.

    A tenant is named as everywhere, by a name or a UUID; each query sees one tenant's schema and nothing else.
    """

    def __init__(self, path: Path, *, lock_timeout: float = 30.0) -> None:
        self.path = path
        self.imports_folder = path.with_name(IMPORTS)
        self._lock_timeout = lock_timeout

    def tenants(self) -> tuple[UUID, ...]:
        """Whose facts there are."""
        return self._work(tenants)

    def facts(
        self,
        tenant: UUID | str,
        *,
        outcome_type: OutcomeType = EMAIL,
        filters: Filters = EVERYTHING,
        as_of: datetime | None = None,
        columns: Sequence[str] = COLUMNS,
    ) -> Facts:
        """The outcomes in the order of their recommendation, as they were known at `as_of` (None: as of the copy).

        The same `as_of` gives the same facts for ever, once all that was recorded by then has been copied. Ask only for
        the `columns` that are needed where there are millions.
        """
        return self.work(
            tenant,
            lambda connection, schema: reading.facts(
                connection, schema, str(tenant), outcome_type, filters, as_of, columns
            ),
        )

    def cells(
        self,
        tenant: UUID | str,
        by: Sequence[str] = (),
        *,
        outcome_type: OutcomeType = EMAIL,
        filters: Filters = EVERYTHING,
        clustered: bool = True,
    ) -> list[Cell]:
        """The counts of each crossing that occurs, the largest first; of everything as one cell if `by` is empty.

        With `clustered` (False is quicker), also what an interval needs that knows of conversations.
        """
        return self.work(
            tenant,
            lambda connection, schema: reading.cells(
                connection, schema, by, outcome_type, filters, clustered=clustered
            ),
        )

    def overview(
        self,
        tenant: UUID | str,
        by: Sequence[str],
        crossed: Sequence[str] = (),
        *,
        outcome_type: OutcomeType = EMAIL,
        filters: Filters = EVERYTHING,
    ) -> Overview:
        """What a page shows at once, from one opening of the file: the whole, each dimension of `by`, a crossing, and
        the weeks. Without counts by conversation, for which `cells` has to be asked.
        """
        return self.work(
            tenant,
            lambda connection, schema: reading.overview(connection, schema, by, crossed, outcome_type, filters),
        )

    def weeks(
        self, tenant: UUID | str, *, outcome_type: OutcomeType = EMAIL, filters: Filters = EVERYTHING
    ) -> list[Week]:
        """The counts by the week of the recommendation, in order; weeks without any are left out."""
        return self.work(tenant, lambda connection, schema: reading.weeks(connection, schema, outcome_type, filters))

    def waits(
        self,
        tenant: UUID | str,
        *,
        outcome_type: OutcomeType = EMAIL,
        filters: Filters = EVERYTHING,
        bin_s: int = 1,
    ) -> Waits:
        """How long replies took, to the beginning of bins of `bin_s` seconds."""
        return self.work(
            tenant, lambda connection, schema: reading.waits(connection, schema, outcome_type, filters, bin_s)
        )

    def derived_at(self, tenant: UUID | str) -> datetime | None:
        """When it was last worked out where outcomes stand; None if there is nothing of this tenant."""
        return self.work(tenant, reading.derived_at)

    def refresh(self, tenant: UUID | str, now: datetime | None = None) -> int:
        """Work out anew where outcomes stand of which something new is known; of how many conversations.

        In steps of limited size, between which others can read. Killed at any moment, it is done by the next one.
        """
        folder = self.imports_folder / str(tenant_uuid(tenant))
        self.work(tenant, lambda connection, schema: add_parts(connection, schema, folder))
        return refresh(lambda work: self.work(tenant, work), now)

    def work(self, tenant: UUID | str, work: Callable[[DuckDBPyConnection, str], ResultT]) -> ResultT:
        """Do `work` on the open database and the tenant's schema, which is made if need be."""
        who = tenant_uuid(tenant)
        schema = schema_of(who)

        def prepared(connection: DuckDBPyConnection) -> ResultT:
            if prepare_tenant(connection, schema):
                add_parts(connection, schema, self.imports_folder / str(who))
            return work(connection, schema)

        return self._work(prepared)

    def add_import(
        self, tenant: UUID | str, outcomes: Sequence[ImportedOutcome], *, source: str, now: datetime
    ) -> Added:
        """Keep what is new of imported outcomes, add it, and work out where they stand as of `now`.

        Raises InputError for the tenant of the simulated world.
        """
        folder = self.imports_folder / str(real_tenant(tenant))
        added = self.work(
            tenant, lambda connection, schema: keep_part(connection, schema, folder, outcomes, source, now)
        )
        self.refresh(tenant, now)
        return added

    def rebuild(self) -> None:
        """Throw the copy away, and make it anew from the imports that were kept; the rest comes with the next sync."""
        with self._locked():
            self._remove()
        for folder in sorted(self.imports_folder.glob("*-*-*-*-*")):
            self.refresh(folder.name)

    def copy_anew(self, tenant: UUID | str) -> None:
        """Throw away what was copied of a tenant. Kept imports are back at once, the rest with the next sync."""
        who = tenant_uuid(tenant)
        self._work(lambda connection: connection.execute(f"DROP SCHEMA IF EXISTS {schema_of(who)} CASCADE"))
        self.refresh(tenant)

    def forget(self, tenant: UUID | str) -> None:
        """Remove everything of a tenant from the copy, imports too."""
        who = tenant_uuid(tenant)

        def forgotten(connection: DuckDBPyConnection) -> None:
            remove_folder(self.imports_folder / str(who))  # while nobody can add to it
            connection.execute(f"DROP SCHEMA IF EXISTS {schema_of(who)} CASCADE")

        self._work(forgotten)

    def _work(self, work: Callable[[DuckDBPyConnection], ResultT]) -> ResultT:
        import duckdb

        refused = (duckdb.IOException, duckdb.SerializationException, duckdb.InternalException, duckdb.FatalException)
        opened = False

        def noting(connection: DuckDBPyConnection) -> ResultT:
            nonlocal opened
            opened = True
            return work(connection)

        with self._locked():
            try:
                return self._opened(noting)
            except refused as error:
                if "set lock on file" in str(error):
                    raise LockedError("the copy of outcomes", None) from error
                if words := next((words for words in _OF_THE_DISK if words in str(error)), None):
                    raise OSError(f"the copy of outcomes ({self.path.name}) cannot be used: {words}") from error
                if opened and not _says_damaged(error):
                    raise
                self._remove()
                log_rebuilt(type(error).__name__)
                return self._opened(work)

    def _remove(self) -> None:
        for file in (self.path, self.path.with_name(self.path.name + ".wal")):
            file.unlink(missing_ok=True)

    def _opened(self, work: Callable[[DuckDBPyConnection], ResultT]) -> ResultT:
        import duckdb

        with duckdb.connect(self.path, config=_CONFINED) as connection:
            prepare(connection)
            return work(connection)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = self.path.with_name(self.path.name + ".lock")
        with locked(lock, what="the copy of outcomes", timeout=self._lock_timeout):
            yield


def real_tenant(tenant: UUID | str) -> UUID:
    """The tenant, to whom real outcomes may be added. Raises InputError for the simulated world's."""
    who = tenant_uuid(tenant)
    if who == tenant_uuid(SIMULATED):
        raise InputError(f"the tenant {SIMULATED!r} is the simulated world's, to which nothing real is added")
    return who


def _says_damaged(error: Exception) -> bool:
    """Whether what came of a query is about the file: a query may also fail by a defect of its own, or of DuckDB's."""
    import duckdb

    return isinstance(error, duckdb.SerializationException) or any(words in str(error) for words in _OF_THE_FILE)


def log_rebuilt(reason: str) -> None:
    import structlog  # takes longer to import than the copy to answer

    structlog.get_logger(__name__).warning("outcomes_copy_damaged", reason=reason, remedy="qbs outcomes sync")
