"""The records of a run replay by replay: all of them, each as it was written, whatever stood between them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from evals.errors import RunDamagedError, RunError
from evals.records import Failure, TurnRecord
from evals.replay import replay
from evals.runs.folder import RunFolder
from evals.runs.lines import line_of
from evals.runs.replays import replayed_records
from tests.evals.values import FakeAnalyzer, conversation, manifest

TALKS = (conversation("alpha", 3), conversation("beta", 2))
TURNS = {"alpha": 3, "beta": 2}


async def records() -> dict[str, list[TurnRecord]]:
    return {talk.id: [own async for own in replay(talk, FakeAnalyzer(), run_id="r")] for talk in TALKS}


def written(runs: Path, *own: TurnRecord) -> RunFolder:
    folder = RunFolder.create(runs, manifest(*TALKS))
    folder.turns_file.write_bytes(b"".join(map(line_of, own)))
    return folder


def keys(found: Sequence[TurnRecord]) -> list[tuple[str, int, int]]:
    return [record.key for record in found]


async def test_records_that_were_written_in_turns_come_replay_by_replay(tmp_path: Path):
    (a1, a2, a3), (b1, b2) = (await records()).values()
    found = list(replayed_records(written(tmp_path, a1, b1, a2, b2, a3), TURNS))
    assert found == [b1, b2, a1, a2, a3]


async def test_samples_are_replays_of_their_own_and_what_is_not_complete_comes_last(tmp_path: Path):
    (a1, a2, _), (b1, b2) = (await records()).values()
    again = [record.model_copy(update={"sample": 1}) for record in (b1, b2)]
    found = list(replayed_records(written(tmp_path, a1, b1, again[0], a2, again[1], b2), TURNS))
    assert found == [*again, b1, b2, a1, a2]


async def test_a_state_that_follows_from_the_turn_before_is_read_once(tmp_path: Path):
    found = list(replayed_records(written(tmp_path, *(await records())["alpha"]), TURNS))
    assert [after.before is before.after for before, after in pairwise(found)] == [True, True]


async def test_a_state_that_does_not_is_what_was_written(tmp_path: Path):
    first, second, third = (await records())["alpha"]
    forced = second.model_copy(update={"before": second.before.model_copy(update={"interaction_count": 9})})
    assert list(replayed_records(written(tmp_path, first, forced, third), TURNS)) == [first, forced, third]


async def test_other_conversations_are_left_out(tmp_path: Path):
    own = [record for talk in (await records()).values() for record in talk]
    assert {id_ for id_, _, _ in keys(list(replayed_records(written(tmp_path, *own), {"beta": 2})))} == {"beta"}


async def test_failures_and_fields_named_like_the_parts_of_a_record_are_read_as_they_are(tmp_path: Path):
    first, second, third = (await records())["alpha"]
    nested = {"x": 0, "before": {"result": 1, "after": [2]}, "result": {}, "after": {"state_id": ',"after":{'}}
    odd = first.after.model_copy(update={"metadata": {**first.after.metadata, **nested}})
    own = [
        first.model_copy(update={"after": odd}),
        second.model_copy(update={"before": odd, "result": Failure(error="E", message=',"after":{}'), "after": odd}),
        third,
    ]
    assert list(replayed_records(written(tmp_path, *own), TURNS)) == own


async def test_a_record_that_was_altered_or_cannot_be_read_stops_it(tmp_path: Path):
    own = (await records())["alpha"]
    folder = written(tmp_path, *own)
    content = folder.turns_file.read_bytes()
    folder.turns_file.write_bytes(content.replace(b"two hours", b"ten hours", 1))
    with pytest.raises(RunDamagedError):
        list(replayed_records(folder, TURNS))
    unread = own[0].model_dump_json().replace('"deal_stage":"', '"deal_stage":"un').encode()
    folder.turns_file.write_bytes(b'{"check":"%08x","record":%b}\n' % (zlib.crc32(unread), unread))
    with pytest.raises(RunError, match="line 1: whole, but not a record"):
        list(replayed_records(folder, TURNS))
