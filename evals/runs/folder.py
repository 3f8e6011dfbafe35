"""A run's folder, which is the record: manifest.json, turns.jsonl (append-only), and finished.json at the end.

One process at a time writes to it. A killed run is taken up again where it stopped: a line that was torn is cut
off, everything acknowledged is still there. A finished run never changes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from evals.errors import RunDamagedError, RunError, RunFinishedError
from evals.files import flush_folder, write_atomically
from evals.locks import is_locked, locked
from evals.records import RunManifest, RunStatus, RunTotals, TurnRecord
from evals.runs.lines import Place, StoredRecord, TurnLines, line_number, read_bodies, read_record, record_of
from evals.runs.spec import canonical
from evals.runs.writer import GroupWriter

MANIFEST = "manifest.json"
TURNS = "turns.jsonl"
FINISHED = "finished.json"
LOCK = "lock"

OnDisk = Callable[[Sequence[TurnRecord]], None]


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run on disk."""

    path: Path
    manifest: RunManifest

    @classmethod
    def create(cls, runs: Path, manifest: RunManifest) -> RunFolder:
        """The folder of this run below `runs`, made if it is not there; then the manifest is the one it was made with.

        Raises RunError if another spec is there under the same id.
        """
        path = runs / manifest.run_id
        if (path / MANIFEST).exists():
            present = cls.open(path)
            if canonical(present.manifest.spec) != canonical(manifest.spec):
                raise RunError(f"{path} holds another run under this id; move that folder away")
            return present
        write_atomically(path / MANIFEST, manifest.model_dump_json(indent=2).encode() + b"\n")
        flush_folder(runs)
        return cls(path, manifest)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The run in `path`. Raises RunError if there is none, or its manifest cannot be read or is another's."""
        try:
            manifest = RunManifest.model_validate_json((path / MANIFEST).read_bytes())
        except FileNotFoundError:
            raise RunError(f"{path} is not a run: it has no {MANIFEST}") from None
        except ValidationError as error:
            raise RunError(f"{path / MANIFEST} cannot be read: {_reasons(error)}") from None
        if manifest.run_id != path.resolve().name:
            raise RunError(f"{path} holds the run {manifest.run_id}; a run's folder must have its id as its name")
        return cls(path, manifest)

    @property
    def run_id(self) -> str:
        return self.manifest.run_id

    @property
    def turns_file(self) -> Path:
        return self.path / TURNS

    @property
    def totals(self) -> RunTotals | None:
        """What a complete run amounts to; None as long as it is not complete."""
        try:
            return RunTotals.model_validate_json((self.path / FINISHED).read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise RunError(f"{self.path / FINISHED} cannot be read: {_reasons(error)}") from None

    @property
    def status(self) -> RunStatus:
        return status_of(self.path)

    def bodies(self, offset: int = 0) -> Iterator[tuple[bytes, Place]]:
        """The JSON of every whole record from byte `offset` on, with its place.

        Raises RunDamagedError if one was altered, or if a finished run is shorter than it was.
        """
        end = offset
        if self.turns_file.exists():
            for body, place in read_bodies(self.turns_file, offset):
                yield body, place
                end = place.end
        totals = self.totals
        if totals is not None and end < totals.size_bytes:
            raise RunDamagedError(self.turns_file, line_number(self.turns_file, end))

    def stored(self, offset: int = 0) -> Iterator[StoredRecord]:
        """The records themselves; see `bodies`. Raises RunError if this version cannot read one."""
        for body, place in self.bodies(offset):
            yield StoredRecord(record_of(body, self.turns_file, place), place)

    def records(self) -> Iterator[TurnRecord]:
        return (stored.record for stored in self.stored())

    def record_at(self, place: Place) -> TurnRecord:
        """Raises RunDamagedError if it is not what was written there."""
        return read_record(self.turns_file, place)

    @contextmanager
    def writing(self, on_disk: OnDisk | None = None, *, timeout: float = 1.0) -> Iterator[RunWriter]:
        """The right to write to this run, while the block runs; on leaving it everything submitted is on disk.

        `on_disk` is called from the writing thread with the records that are safe. Raises RunFinishedError for a
        complete run, LockedError if another process is writing it, RunDamagedError if the record was altered.
        """
        with locked(self.path / LOCK, what=f"the run {self.run_id}", timeout=timeout):
            if self.status is RunStatus.COMPLETE:
                raise RunFinishedError(f"the run {self.run_id} is complete, and a complete run never changes")
            writer = RunWriter(self, on_disk or _nobody)
            try:
                yield writer
            finally:
                writer.close()


class RunWriter:
    """Writes one run, as `RunFolder.writing` hands it out."""

    def __init__(self, folder: RunFolder, on_disk: OnDisk) -> None:
        self._folder = folder
        self._size = _cut_torn_end(folder)
        self._lines = TurnLines()
        self._writer = GroupWriter[TurnRecord](folder.turns_file, self._line_of, on_disk)
        flush_folder(folder.path)

    def submit(self, record: TurnRecord) -> None:
        """Hand over a record; `on_disk` says when it is safe. Raises OSError if an earlier one could not be written."""
        self._writer.submit(record)

    def close(self) -> None:
        """Wait until everything submitted is on disk. Raises OSError if it could not be written."""
        self._writer.close()

    def finish(self, totals: RunTotals) -> RunTotals:
        """Close, and declare the run complete."""
        self.close()
        final = totals.model_copy(update={"size_bytes": self._size})
        write_atomically(self._folder.path / FINISHED, final.model_dump_json(indent=2).encode() + b"\n")
        return final

    def _line_of(self, record: TurnRecord) -> bytes:
        line = self._lines.line_of(record)
        self._size += len(line)
        return line


def status_of(path: Path) -> RunStatus:
    """The status of the run in `path`, from its files and its lock alone."""
    if (path / FINISHED).exists():
        return RunStatus.COMPLETE
    return RunStatus.RUNNING if is_locked(path / LOCK) else RunStatus.INCOMPLETE


def run_folders(runs: Path) -> Iterator[Path]:
    """The folders below `runs` that hold a run, by name."""
    return (file.parent for file in sorted(runs.glob(f"*/{MANIFEST}")))


def _cut_torn_end(folder: RunFolder) -> int:
    """Cut off what a killed process left half written; the length of what remains."""
    end = 0
    for _, place in folder.bodies():
        end = place.end
    if folder.turns_file.exists() and end < folder.turns_file.stat().st_size:
        os.truncate(folder.turns_file, end)
    return end


def _nobody(_records: Sequence[TurnRecord]) -> None:
    """Nobody wants to know."""


def _reasons(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, detail['loc'])) or 'the file'}: {detail['msg']}"
        for detail in error.errors(include_url=False, include_input=False)
    )
