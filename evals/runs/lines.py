"""One line of `turns.jsonl`: a record with its checksum, so that a torn or altered line shows.

`{"check":"<8 hex>","record":{...}}`: CRC-32 of the record's JSON as it stands there.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from engine.model.value import Value
from evals.errors import RunDamagedError, RunError
from evals.records import TurnRecord

_HEAD, _MIDDLE, _TAIL = b'{"check":"', b'","record":', b"}\n"
_RECORD_STARTS = len(_HEAD) + 8 + len(_MIDDLE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands in its file, in bytes, its end included."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class StoredRecord:
    record: TurnRecord
    place: Place


def line_of(record: Value) -> bytes:
    body = record.model_dump_json().encode()
    return b"".join((_HEAD, _checksum(body), _MIDDLE, body, _TAIL))


def body_of(line: bytes) -> bytes | None:
    """The record's JSON in `line`; None if the line is not whole or does not match its checksum."""
    if not (line.startswith(_HEAD) and line.endswith(_TAIL)):
        return None
    body = line[_RECORD_STARTS : -len(_TAIL)]
    return body if line[len(_HEAD) : len(_HEAD) + 8] == _checksum(body) else None


def read_bodies(file: Path, offset: int = 0) -> Iterator[tuple[bytes, Place]]:
    """The JSON of every record from `offset` on, in order, with its place.

    The end of a write that is under way, or was torn by a kill, is left out: lines after which no whole line
    comes. Raises RunDamagedError for a bad line with a whole one after it.
    """
    bad: int | None = None
    with file.open("rb") as stream:
        stream.seek(offset)
        for line in stream:
            if not line.endswith(b"\n"):
                return
            body = body_of(line)
            if body is None:
                bad = offset if bad is None else bad
            elif bad is not None:
                raise RunDamagedError(file, line_number(file, bad))
            else:
                yield body, Place(offset, len(line))
            offset += len(line)


def read_record(file: Path, place: Place) -> TurnRecord:
    """The record at `place`. Raises RunDamagedError if it is not what was written there."""
    with file.open("rb") as stream:
        stream.seek(place.offset)
        body = body_of(stream.read(place.length))
    if body is None:
        raise RunDamagedError(file, line_number(file, place.offset))
    return record_of(body, file, place)


def record_of(body: bytes, file: Path, place: Place) -> TurnRecord:
    """The record in `body`, which stands at `place` of `file`. Raises RunError if this version cannot read it."""
    try:
        return TurnRecord.model_validate_json(body)
    except ValidationError:
        line = line_number(file, place.offset)
        raise RunError(f"{file}, line {line}: whole, but not a record that this version can read") from None


def checksum_at(file: Path, offset: int) -> str:
    """The checksum that the line at `offset` carries; whatever stands there if no line begins there."""
    with file.open("rb") as stream:
        stream.seek(offset + len(_HEAD))
        return stream.read(8).decode("ascii", "replace")


def _checksum(body: bytes) -> bytes:
    return b"%08x" % zlib.crc32(body)


def line_number(file: Path, offset: int) -> int:
    """The number, counted from 1, of the line that begins at byte `offset`."""
    with file.open("rb") as stream:
        return stream.read(offset).count(b"\n") + 1
