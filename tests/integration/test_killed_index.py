"""The index refreshed by processes that are killed, or that refresh it at the same time."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from evals.records import TurnRecord
from evals.runner import run
from evals.runs.folder import RunFolder
from evals.runs.index import RunIndex
from evals.runs.rows import TurnRow, turn_row
from tests.evals.values import FakeAnalyzer, manifest
from tests.integration.children import Children, kills, talks

KILLS = kills(60, 20)
TURNS_PER_KILL = 5


@pytest.fixture
async def records(tmp_path: Path) -> list[TurnRecord]:
    conversations = talks(10, 30)
    folder = RunFolder.create(tmp_path / "source", manifest(*conversations))
    await run(folder, conversations, lambda _talk, _sample: FakeAnalyzer())
    return list(folder.records())


def test_kills_while_refreshing_leave_the_rows_of_the_folder(tmp_path: Path, records: list[TurnRecord]):
    index = RunIndex(tmp_path / "index.duckdb", tmp_path / "runs")
    folder = RunFolder.create(tmp_path / "runs", manifest(*talks(10, 30)))
    paths = {"index": str(tmp_path / "index.duckdb"), "runs": str(tmp_path / "runs")}
    choose, took = random.Random(60), 0.05
    with Children() as children:
        for kill in range(KILLS):
            _write(folder, records[kill * TURNS_PER_KILL : (kill + 1) * TURNS_PER_KILL])
            pid = children.start("refresh", times=1_000_000, **paths)
            time.sleep(choose.uniform(0, 2 * took))
            os.kill(pid, signal.SIGKILL)
            assert children.end()["signal"] == signal.SIGKILL
            began = time.monotonic()
            index.refresh()
            took = time.monotonic() - began  # kills fall before, into and after what a refresh takes here
            assert len(index.turns(folder.run_id)) == (kill + 1) * TURNS_PER_KILL
            if kill % 10 == 9:
                assert index.refresh().turns == 0
                assert _sorted(index.turns(folder.run_id)) == _rows(folder)
    assert len(_rows(folder)) == KILLS * TURNS_PER_KILL
    assert index.run(folder.run_id).turns == KILLS * TURNS_PER_KILL


def test_processes_refreshing_at_the_same_time_add_each_turn_once(tmp_path: Path, records: list[TurnRecord]):
    folder = RunFolder.create(tmp_path / "runs", manifest(*talks(10, 30)))
    paths = {"index": str(tmp_path / "index.duckdb"), "runs": str(tmp_path / "runs")}
    with Children() as first, Children() as second:
        for part in range(6):
            _write(folder, records[part * 50 : (part + 1) * 50])
            for children in (first, second):
                children.start("refresh", times=5, **paths)
            for children in (first, second):
                assert children.end()["signal"] == 0
    index = RunIndex(tmp_path / "index.duckdb", tmp_path / "runs")
    assert index.refresh().turns == 0
    assert _sorted(index.turns(folder.run_id)) == _rows(folder)
    assert index.run(folder.run_id).turns == 300


def _write(folder: RunFolder, records: list[TurnRecord]) -> None:
    with folder.writing() as writer:
        for record in records:
            writer.submit(record)


def _rows(folder: RunFolder) -> list[TurnRow]:
    return _sorted(turn_row(stored) for stored in folder.stored())


def _sorted(rows: object) -> list[TurnRow]:
    return sorted(rows, key=lambda row: row.byte_offset)
