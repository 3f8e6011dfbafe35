"""A file of outcomes imported: everything that is wrong is said with its line; the same file twice adds nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from engine.errors import InputError
from evals.jsonl import Problem
from evals.learning.facts.imports import Added
from evals.learning.facts.store import OutcomeStore
from evals.learning.importing.files import header_of, rows_of
from evals.learning.importing.mapping import Mapping
from evals.learning.importing.rows import ImportedOutcome, read_row


class ImportRefusedError(InputError):
    """Rows of the file cannot be used, and nothing was imported. `problems` are all of them, each with its line."""

    def __init__(self, problems: Sequence[Problem], file: Path) -> None:
        self.problems = tuple(problems)
        super().__init__(
            f"nothing was imported: {len(problems)} rows cannot be used, the first for line {problems[0].line}: "
            f"{problems[0].text}; mend them, or import the rest (--keep-going)",
            file=file,
        )


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changed. `unchanged` were there already as they are; `problems` are rows that were left out."""

    added: int
    corrected: int
    unchanged: int
    problems: tuple[Problem, ...] = ()


def import_outcomes(
    store: OutcomeStore,
    tenant: UUID | str,
    file: Path,
    mapping: Mapping | None = None,
    *,
    keep_going: bool = False,
    now: datetime | None = None,
) -> Imported:
    """Import a file into the copy. A row is known again by its id, or by what it says of whom, when and what; where it
    says something else than before, it corrects that.

    Raises ImportRefusedError if rows cannot be used, unless `keep_going` leaves those out, and InputError if the file
    as a whole cannot.
    """
    mapping, now = mapping or Mapping(), now or datetime.now(UTC)
    outcomes, problems = _read(file, mapping, now)
    if problems and not keep_going:
        raise ImportRefusedError(problems, file)
    if not outcomes and not problems:
        raise InputError("holds no outcomes", file=file)
    added: Added = store.add_import(tenant, outcomes, source=file.name, now=now)
    return Imported(added.added, added.corrected, added.unchanged, tuple(problems))


def _read(file: Path, mapping: Mapping, now: datetime) -> tuple[list[ImportedOutcome], list[Problem]]:
    columns = mapping.found(header_of(file), file)
    zone = ZoneInfo(mapping.zone) if mapping.zone else None
    found: dict[str, tuple[int, ImportedOutcome]] = {}
    problems: list[Problem] = []
    for row in rows_of(file):
        if isinstance(row, Problem):
            problems.append(row)
            continue
        outcome = read_row(row, columns, file, zone, now)
        if not isinstance(outcome, ImportedOutcome):
            problems += outcome
            continue
        line, same = found.setdefault(outcome.outcome_id, (row.line, outcome))
        if same != outcome:
            problems.append(Problem(f"is the same outcome as line {line}, and says something else", file, row.line))
    return [outcome for _, outcome in found.values()], problems
