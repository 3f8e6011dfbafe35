"""Lines of a run's record: a torn end is left out, an altered line is said."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from engine.model.state import opening_state
from evals.errors import RunDamagedError, RunError
from evals.records import Failure, TurnRecord
from evals.replay import replay
from evals.runs import lines as lines_module
from evals.runs.lines import Place, StoredRecord, TurnLines, checksum_at, line_of, read_bodies, read_record, record_of
from tests.evals.values import FakeAnalyzer, conversation


def record(turn: int) -> TurnRecord:
    state = opening_state(conversation(title="Übergröße \u2028 \U0001f600"))
    failure = Failure(error="E", message="m" * turn)
    return TurnRecord(run_id="r", conversation_id="alpha", turn=turn, before=state, result=failure, after=state)


LINES = [line_of(record(turn)) for turn in (1, 3, 5)]


def test_records_come_back_as_they_were_with_their_places(tmp_path: Path):
    file = _file(tmp_path, b"".join(LINES))
    stored = list(read_records(file))
    assert [item.record for item in stored] == [record(1), record(3), record(5)]
    assert [read_record(file, item.place) for item in stored] == [record(1), record(3), record(5)]
    assert stored[-1].place.end == file.stat().st_size
    assert [item.record.turn for item in read_records(file, stored[0].place.end)] == [3, 5]
    assert LINES[1][10:18].decode() == checksum_at(file, stored[1].place.offset)


@pytest.mark.parametrize("cut", [1, 2, 10, 60, len(LINES[2]) - 1])
def test_a_line_that_is_still_being_written_is_left_out(tmp_path: Path, cut: int):
    file = _file(tmp_path, b"".join(LINES)[:-cut])
    assert [item.record.turn for item in read_records(file)] == [1, 3]


TORN = {
    "zeros after a loss of power": b"\0" * 500,
    "zeros and a line end": b"\0" * 500 + b"\n",
    "a line with a wrong checksum": LINES[2].replace(b'"check":"', b'"check":"f').replace(b'","rec', b'","re'),
    "a line and a half with wrong checksums": LINES[2].replace(b"m", b"n") + LINES[2].replace(b"m", b"n")[:50],
    "an empty line": b"\n",
}


@pytest.mark.parametrize("end", TORN.values(), ids=TORN)
def test_a_torn_end_is_left_out(tmp_path: Path, end: bytes):
    file = _file(tmp_path, LINES[0] + LINES[1] + end)
    assert [item.record.turn for item in read_records(file)] == [1, 3]


@pytest.mark.parametrize("position", range(0, len(LINES[1]) - 1, 97))
def test_a_line_that_was_altered_is_said_with_its_number(tmp_path: Path, position: int):
    altered = bytearray(LINES[1])
    altered[position] ^= 0x01
    file = _file(tmp_path, LINES[0] + bytes(altered) + LINES[2])
    with pytest.raises(RunDamagedError, match="line 2: does not match its checksum"):
        list(read_records(file))
    with pytest.raises(RunDamagedError, match="line 2"):
        read_record(file, Place(len(LINES[0]), len(LINES[1])))


async def test_a_line_is_the_same_whether_its_states_were_written_before_or_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lines_module, "_MAX_ENDED", 3)  # fewer than there are conversations: some are forgotten
    talks = [conversation(f"c{number}", customer_turns=4, stage_changes=[(3, "discovery")]) for number in range(5)]
    fails = FakeAnalyzer(raises={5: RuntimeError("no")})
    replays = [[record async for record in replay(talk, fails, run_id='r "1"')] for talk in talks]
    lines = TurnLines()
    for side_by_side in zip(*replays, strict=True):
        for record in side_by_side:
            assert lines.line_of(record) == line_of(record)
    for record in replays[0]:
        assert lines.line_of(record) == line_of(record)


def test_a_record_of_another_version_is_said(tmp_path: Path):
    body = b'{"run_id":"r","new_field":1}'
    line = b'{"check":"%08x","record":%s}\n' % (zlib.crc32(body), body)
    with pytest.raises(RunError, match="line 2: whole, but not a record that this version can read"):
        list(read_records(_file(tmp_path, LINES[0] + line)))


def read_records(file: Path, offset: int = 0) -> list[StoredRecord]:
    return [StoredRecord(record_of(body, file, place), place) for body, place in read_bodies(file, offset)]


def _file(folder: Path, content: bytes) -> Path:
    file = folder / "turns.jsonl"
    file.write_bytes(content)
    return file
