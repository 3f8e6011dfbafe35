"""A file of values that is only ever added to: one line each with its checksum, on disk before it counts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from engine.model.value import Value
from evals.errors import RunError
from evals.files import flush_folder
from evals.runs.lines import line_number, line_of, read_bodies

ValueT = TypeVar("ValueT", bound=Value)


def read_values(file: Path, kind: type[ValueT]) -> Iterator[ValueT]:
    """Every value in the order in which they were added; nothing if there is no file yet.

    Raises RunDamagedError if a line was altered, RunError if this version cannot read one.
    """
    if not file.exists():
        return
    for body, place in read_bodies(file):
        try:
            yield kind.model_validate_json(body)
        except ValidationError:
            line = line_number(file, place.offset)
            raise RunError(f"{file}, line {line}: whole, but not what this version can read") from None


def append_values(file: Path, values: Sequence[Value]) -> None:
    """Add values in one write. The caller holds the lock; what a killed process left half written is cut off."""
    if not values:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab+", buffering=0) as stream:
        end = max((place.end for _, place in read_bodies(file)), default=0)
        os.ftruncate(stream.fileno(), end)
        lines = b"".join(line_of(value) for value in values)
        if stream.write(lines) != len(lines):
            raise OSError(f"{file.name}: not everything could be written; is the disk full?")
        os.fsync(stream.fileno())
    flush_folder(file.parent)
