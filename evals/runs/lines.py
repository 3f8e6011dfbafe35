"""One line of `turns.jsonl`: a record with its checksum, so that a torn or altered line shows.

`{"check":"<8 hex>","record":{...}}`: CRC-32 of the record's JSON as it stands there.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import to_json

from engine.model.state import ConversationState
from engine.model.value import Value
from evals.errors import RunDamagedError, RunError
from evals.records import TurnRecord

_HEAD, _MIDDLE, _TAIL = b'{"check":"', b'","record":', b"}\n"
_MAX_ENDED = 500  # states of a few KB whose next turn may be to come: more than run side by side
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


class TurnLines:
    """The lines of turn records, each what `line_of` makes of it, with the JSON of a state made once.

    What one turn ends with is what the next turn of the conversation begins with, and states never change: the JSON of
    `after` is kept until a record begins with that very state.
    """

    def __init__(self) -> None:
        self._ended: dict[int, tuple[ConversationState, bytes]] = {}  # by id, which the state kept here keeps its own

    def line_of(self, record: TurnRecord) -> bytes:
        result = record.result.model_dump_json().encode()
        before = self._before(record.before)
        after = before if record.after is record.before else record.after.model_dump_json().encode()
        self._remember(record.after, after)
        head = b'{"run_id":%b,"conversation_id":%b,"turn":%d,"sample":%d,"before":' % (
            to_json(record.run_id),
            to_json(record.conversation_id),
            record.turn,
            record.sample,
        )
        return _framed(b"".join((head, before, b',"result":', result, b',"after":', after, b"}")))

    def _before(self, state: ConversationState) -> bytes:
        _, known = self._ended.pop(id(state), (state, None))
        return state.model_dump_json().encode() if known is None else known

    def _remember(self, state: ConversationState, written: bytes) -> None:
        self._ended[id(state)] = (state, written)
        if len(self._ended) > _MAX_ENDED:
            del self._ended[next(iter(self._ended))]


def line_of(record: Value) -> bytes:
    return _framed(record.model_dump_json().encode())


def _framed(body: bytes) -> bytes:
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
