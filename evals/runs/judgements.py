"""`judgements.jsonl` beside a run's turns: what judges said of its questions, appended and never changed.

A finished run stays as it is; judgements are additions. Lines are like those of `turns.jsonl`, each with its checksum.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from engine.errors import InputError
from evals.errors import RunError
from evals.files import flush_folder
from evals.judgements import Judgement
from evals.library import Dataset
from evals.locks import locked
from evals.matching import matched
from evals.runs.folder import RunFolder, run_folders
from evals.runs.lines import line_number, line_of, read_bodies
from evals.runs.writer import GroupWriter

JUDGEMENTS = "judgements.jsonl"
LOCK = "judgements.lock"

OnDisk = Callable[[Sequence[Judgement]], None]
Submit = Callable[[Judgement], None]


def kept_judgements(run: Path) -> tuple[Judgement, ...]:
    """The judgements in the folder of a run, in the order in which they were given; none if nobody judged it.

    Raises RunDamagedError if one was altered, RunError if this version cannot read one.
    """
    file = run / JUDGEMENTS
    return without_repetitions(_read(file)) if file.exists() else ()


def judgements_hash(run: Path) -> str:
    """SHA-256 of what is kept there, empty if nothing is: changes whenever a judgement is added."""
    file = run / JUDGEMENTS
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def judgements_about(runs: Path, dataset: Dataset) -> tuple[Judgement, ...]:
    """All that was judged in any run below `runs` over conversations that the data set holds as they were.

    What a judge is worth is seen on every question that people rated, whichever run it is from.
    """
    found: list[Judgement] = []
    for path in run_folders(runs):
        if (path / JUDGEMENTS).exists():
            ids = _ids_as_they_were(RunFolder.open(path), dataset)
            found += [judgement for judgement in kept_judgements(path) if judgement.conversation_id in ids]
    return without_repetitions(found)


def without_repetitions(judgements: Iterator[Judgement] | Sequence[Judgement]) -> tuple[Judgement, ...]:
    """Each once: runs that recommend the same question after the same turn share what was said of it."""
    first: dict[object, Judgement] = {}
    for judgement in judgements:
        first.setdefault(judgement.key, judgement)
    return tuple(first.values())


@contextmanager
def writing_judgements(run: Path, on_disk: OnDisk, *, timeout: float = 1.0) -> Iterator[Submit]:
    """What appends to the judgements of a run, while the block runs; on leaving it everything submitted is on disk.

    `on_disk` is called from the writing thread with those that are safe. Raises LockedError if another process judges
    this run, RunDamagedError if the file was altered, OSError if it cannot be written.
    """
    file = run / JUDGEMENTS
    with locked(run / LOCK, what=f"judging the run {run.name}", timeout=timeout):
        _cut_torn_end(file)
        writer = GroupWriter[Judgement](file, line_of, on_disk)
        flush_folder(run)
        try:
            yield writer.submit
        finally:
            writer.close()


def _read(file: Path) -> Iterator[Judgement]:
    for body, place in read_bodies(file):
        try:
            yield Judgement.model_validate_json(body)
        except ValidationError:
            line = line_number(file, place.offset)
            raise RunError(f"{file}, line {line}: whole, but not a judgement that this version can read") from None


def _cut_torn_end(file: Path) -> None:
    """Cut off what a killed process left half written."""
    if file.exists():
        end = max((place.end for _, place in read_bodies(file)), default=0)
        if end < file.stat().st_size:
            os.truncate(file, end)


def _ids_as_they_were(folder: RunFolder, dataset: Dataset) -> frozenset[str]:
    if folder.manifest.spec.dataset != dataset.name:
        return frozenset()
    try:
        return frozenset(matched(folder.manifest, dataset).ids)
    except InputError:  # not one of its conversations is as it was
        return frozenset()
