"""The index: what is in the folders, quickly; whatever happens to its file, it gives the same rows."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from engine.errors import InputError
from evals.errors import LockedError, RunDamagedError
from evals.locks import locked
from evals.records import RunStatus, TurnRecord
from evals.runner import run
from evals.runs.folder import RunFolder
from evals.runs.index import RunIndex
from evals.runs.rows import RunRow, TurnRow
from tests.evals.values import FakeAnalyzer, conversation, manifest

TALKS = [conversation("alpha", 4), conversation("beta", 3)]


@pytest.fixture
def index(tmp_path: Path) -> RunIndex:
    return RunIndex(tmp_path / "index.duckdb", tmp_path / "runs")


async def complete_run(runs: Path, attempt: int = 0, **fields: Any) -> RunFolder:
    folder = RunFolder.create(runs, manifest(*TALKS, attempt=attempt, **fields))
    await run(folder, TALKS, lambda _talk, _sample: FakeAnalyzer(falls_back=[3], raises={5: KeyError()}))
    return folder


async def grown_run(runs: Path, turns: int) -> RunFolder:
    """A run of which the first `turns` records are written; called again, it goes on."""
    folder = RunFolder.create(runs, manifest(*TALKS, attempt=99))
    present = len(list(folder.records()))
    source = await complete_run(runs.parent / "source")
    with folder.writing() as writer:
        for record in list(source.records())[present:turns]:
            writer.submit(record.model_copy(update={"run_id": folder.run_id}))
    return folder


def everything(index: RunIndex) -> tuple[Sequence[RunRow], dict[str, Sequence[TurnRow]]]:
    runs = index.runs()
    return runs, {row.run_id: index.turns(row.run_id) for row in runs}


async def test_a_run_is_listed_with_what_it_amounts_to(index: RunIndex, tmp_path: Path):
    folder = await complete_run(tmp_path / "runs")
    assert index.refresh().turns == 7
    (row,) = index.runs()
    assert row == index.run(folder.run_id)
    assert (row.run_id, row.status, row.dataset, row.variant) == (folder.run_id, RunStatus.COMPLETE, "toys", "fake")
    assert (row.turns, row.turns_expected, row.conversations) == (7, 7, 2)
    assert (row.failures, row.fallbacks) == (2, 2)
    assert row.created_at == datetime(2026, 3, 1, tzinfo=UTC)
    totals = folder.totals
    assert totals is not None
    assert (row.cost_usd, row.tokens_in, row.tokens_out) == (totals.cost_usd, totals.tokens_in, totals.tokens_out)


async def test_the_newest_run_comes_first(index: RunIndex, tmp_path: Path):
    for day in (3, 1, 2):
        made = manifest(*TALKS, attempt=day).model_copy(update={"created_at": datetime(2026, 3, day, tzinfo=UTC)})
        RunFolder.create(tmp_path / "runs", made)
    index.refresh()
    assert [row.created_at.day for row in index.runs()] == [3, 2, 1]


async def test_turns_are_listed_in_order_and_by_conversation(index: RunIndex, tmp_path: Path):
    run_id = (await complete_run(tmp_path / "runs")).run_id
    index.refresh()
    assert [(row.conversation_id, row.turn) for row in index.turns(run_id)] == [
        ("alpha", 1), ("alpha", 3), ("alpha", 5), ("alpha", 7), ("beta", 1), ("beta", 3), ("beta", 5),
    ]  # fmt: skip
    assert {row.conversation_id for row in index.turns(run_id, "beta")} == {"beta"}
    assert index.turns(run_id, sample=1) == ()
    assert index.turns("nothing") == ()


async def test_full_records_come_straight_from_the_folder(index: RunIndex, tmp_path: Path):
    folder = await complete_run(tmp_path / "runs")
    index.refresh()
    wanted = sorted((r for r in folder.records() if r.conversation_id == "beta"), key=lambda record: record.turn)
    found = index.turn_records(folder.run_id, "beta")
    assert list(found) == wanted
    assert all(isinstance(record, TurnRecord) for record in found)


async def test_a_record_that_was_altered_after_indexing_is_said(index: RunIndex, tmp_path: Path):
    folder = await complete_run(tmp_path / "runs")
    index.refresh()
    folder.turns_file.write_bytes(folder.turns_file.read_bytes().replace(b"Ada Byron", b"Eve Byron"))
    with pytest.raises(RunDamagedError):
        index.turn_records(folder.run_id, "beta")


def test_an_unknown_run_is_an_error_that_names_similar_ones(index: RunIndex, tmp_path: Path):
    run_id = RunFolder.create(tmp_path / "runs", manifest(*TALKS)).run_id
    index.refresh()
    with pytest.raises(InputError, match=f"did you mean {run_id}"):
        index.run(run_id[:-1] + "x")


def test_without_runs_there_is_nothing_and_no_error(index: RunIndex):
    assert index.runs() == ()
    assert index.refresh().runs == 0


async def test_refreshing_adds_what_is_new_and_only_that(index: RunIndex, tmp_path: Path):
    counts = []
    for turns in (0, 2, 2, 5, 7):
        folder = await grown_run(tmp_path / "runs", turns)
        refreshed = index.refresh()
        counts.append((refreshed.turns, len(index.turns(folder.run_id)), index.run(folder.run_id).turns))
    assert counts == [(0, 0, 0), (2, 2, 2), (0, 2, 2), (3, 5, 5), (2, 7, 7)]
    before = everything(index)
    index.rebuild()
    assert everything(index) == before


async def test_a_line_that_is_being_written_waits_for_the_next_refresh(index: RunIndex, tmp_path: Path):
    folder = await grown_run(tmp_path / "runs", 3)
    whole = folder.turns_file.read_bytes()
    folder.turns_file.write_bytes(whole[:-40])
    assert index.refresh().turns == 2
    folder.turns_file.write_bytes(whole)
    assert index.refresh().turns == 1
    assert len(index.turns(folder.run_id)) == 3


async def test_a_line_lost_with_the_machine_and_written_anew_replaces_the_indexed_one(index: RunIndex, tmp_path: Path):
    folder = await grown_run(tmp_path / "runs", 3)
    index.refresh()
    whole = folder.turns_file.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    folder.turns_file.write_bytes(whole.removesuffix(last))
    record = list((await complete_run(tmp_path / "source")).records())[5]
    with folder.writing() as writer:
        writer.submit(record.model_copy(update={"run_id": folder.run_id}))
        writer.submit(record.model_copy(update={"run_id": folder.run_id, "sample": 1}))
    index.refresh()
    rows = everything(index)
    index.rebuild()
    assert everything(index) == rows
    assert len(rows[1][folder.run_id]) == 4


async def test_a_removed_run_is_forgotten_and_one_made_again_is_indexed_anew(index: RunIndex, tmp_path: Path):
    folder = await complete_run(tmp_path / "runs")
    index.refresh()
    shutil.rmtree(folder.path)
    assert index.refresh().forgotten == 1
    assert everything(index) == ((), {})
    await complete_run(tmp_path / "runs")
    index.refresh()
    shutil.rmtree(folder.path)
    again = RunFolder.create(tmp_path / "runs", folder.manifest)
    index.refresh()
    assert (index.run(again.run_id).turns, index.turns(again.run_id)) == (0, ())


async def test_a_damaged_run_is_indexed_up_to_the_damage_and_hides_no_other(index: RunIndex, tmp_path: Path):
    damaged, sound = await complete_run(tmp_path / "runs"), await complete_run(tmp_path / "runs", attempt=1)
    content = damaged.turns_file.read_bytes()
    lines = content.splitlines(keepends=True)
    lines[2] = lines[2].replace(b"Ada", b"Eve")
    damaged.turns_file.write_bytes(b"".join(lines))
    index.refresh()
    row = index.run(damaged.run_id)
    assert row.turns == 2
    assert "line 3: does not match its checksum" in (row.problem or "")
    assert index.run(sound.run_id).problem is None
    damaged.turns_file.write_bytes(content)
    index.refresh()
    assert (index.run(damaged.run_id).turns, index.run(damaged.run_id).problem) == (7, None)


async def test_a_folder_whose_manifest_cannot_be_read_is_named(index: RunIndex, tmp_path: Path):
    folder = await complete_run(tmp_path / "runs")
    index.refresh()
    (folder.path / "manifest.json").write_text("{}")
    refreshed = index.refresh()
    assert (refreshed.unreadable, refreshed.forgotten, index.runs()) == ((folder.run_id,), 1, ())


async def test_the_status_is_that_of_this_moment(index: RunIndex, tmp_path: Path):
    folder = await grown_run(tmp_path / "runs", 2)
    index.refresh()
    assert index.run(folder.run_id).status is RunStatus.INCOMPLETE
    with folder.writing():
        assert index.run(folder.run_id).status is RunStatus.RUNNING


def _flip(position: float) -> Callable[[Path], None]:
    def flip(file: Path) -> None:
        content = bytearray(file.read_bytes())
        content[int(position * (len(content) - 1))] ^= 0x10
        file.write_bytes(content)

    return flip


def _truncate(share: float) -> Callable[[Path], None]:
    return lambda file: file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])


def _wal(content: bytes) -> Callable[[Path], Any]:
    return lambda file: file.with_name(file.name + ".wal").write_bytes(content)


def _older_tables(file: Path) -> None:
    import duckdb

    with duckdb.connect(file) as connection:
        connection.execute("UPDATE about SET version = '0:old'")
        connection.execute("ALTER TABLE turns DROP COLUMN stage")


def _dropped_table(file: Path) -> None:
    import duckdb

    with duckdb.connect(file) as connection:
        connection.execute("DROP TABLE turns")


DAMAGES: dict[str, Callable[[Path], Any]] = {
    **{f"a flipped bit at {position}": _flip(position) for position in (0.0005, 0.002, 0.01, 0.02, 0.3, 0.6, 0.9)},
    **{f"cut to {share}": _truncate(share) for share in (0.0, 0.001, 0.3, 0.9)},
    "no database at all": lambda file: file.write_bytes(b"not a database\n" * 1000),
    "zeros": lambda file: file.write_bytes(b"\0" * file.stat().st_size),
    "a zeroed log": _wal(b"\0" * 4096),
    "a log of something else": _wal(b"not a log\n" * 1000),
    "a missing file": Path.unlink,
    "tables of an older version": _older_tables,
    "a dropped table": _dropped_table,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_whatever_happens_to_the_file_the_rows_are_the_same_afterwards(
    index: RunIndex, tmp_path: Path, damage: Callable[[Path], Any]
):
    await complete_run(tmp_path / "runs")
    await grown_run(tmp_path / "runs", 3)
    index.refresh()
    wanted = everything(index)
    damage(tmp_path / "index.duckdb")
    index.refresh()
    assert everything(index) == wanted


@pytest.mark.parametrize("damage", ["cut to 0.3", "zeros", "a dropped table"])
async def test_damage_met_while_reading_is_repaired_too(index: RunIndex, tmp_path: Path, damage: str):
    folder = await complete_run(tmp_path / "runs")
    index.refresh()
    wanted = index.turns(folder.run_id)
    DAMAGES[damage](tmp_path / "index.duckdb")
    assert index.turns(folder.run_id) == wanted


async def test_a_rebuild_after_damage_is_said(index: RunIndex, tmp_path: Path):
    await complete_run(tmp_path / "runs")
    index.refresh()
    _truncate(0.3)(tmp_path / "index.duckdb")
    with structlog.testing.capture_logs() as logs:
        refreshed = index.refresh()
    assert (refreshed.rebuilt or "").startswith("damaged (")
    assert (refreshed.runs, refreshed.turns) == (1, 7)
    assert [(line["event"], line["log_level"]) for line in logs] == [("index_rebuilt", "warning")]


async def test_a_log_lost_to_a_kill_before_it_was_merged_is_made_up_for(index: RunIndex, tmp_path: Path):
    await complete_run(tmp_path / "runs")
    index.refresh()
    await complete_run(tmp_path / "runs", attempt=1)
    _refresh_and_die(tmp_path)
    log = tmp_path / "index.duckdb.wal"
    assert log.stat().st_size > 0
    log.write_bytes(b"\0" * log.stat().st_size)
    index.refresh()
    rows = everything(index)
    assert [len(turns) for turns in rows[1].values()] == [7, 7]
    index.rebuild()
    assert everything(index) == rows


def _refresh_and_die(folder: Path) -> None:
    """Refresh the index in a process that ends before it could close the database."""
    script = """
import os, sys
from pathlib import Path
from evals.runs.index import RunIndex
class Dying(RunIndex):
    def _import(self, connection):
        super()._import(connection)
        os._exit(0)
Dying(Path(sys.argv[1]), Path(sys.argv[2])).refresh()
"""
    subprocess.run([sys.executable, "-c", script, folder / "index.duckdb", folder / "runs"], check=True)


def test_a_database_that_another_program_holds_is_not_taken_for_damaged(index: RunIndex, tmp_path: Path):
    index.refresh()
    holder = "import duckdb, sys\nc = duckdb.connect(sys.argv[1])\nprint('held', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holder, tmp_path / "index.duckdb"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match="the index of runs is in use"):
            index.runs()
        process.kill()
    assert index.runs() == ()


def test_waiting_for_the_index_has_an_end(tmp_path: Path):
    impatient = RunIndex(tmp_path / "index.duckdb", tmp_path / "runs", lock_timeout=0.02)
    with locked(tmp_path / "index.duckdb.lock", what="it"), pytest.raises(LockedError, match="the index of runs"):
        impatient.runs()


async def test_many_threads_may_ask_at_once(index: RunIndex, tmp_path: Path):
    folder = await complete_run(tmp_path / "runs")
    asked = [index.refresh, index.runs, lambda: index.turns(folder.run_id)] * 6
    with ThreadPoolExecutor(8) as pool:
        for answer in [pool.submit(ask) for ask in asked]:
            answer.result()
    assert len(index.turns(folder.run_id)) == 7


def test_nothing_asked_of_the_index_reaches_other_files(index: RunIndex, tmp_path: Path):
    import duckdb

    (tmp_path / "secret.csv").write_text("a\n1\n")
    for query in (f"SELECT * FROM read_csv('{tmp_path}/secret.csv')", f"COPY runs TO '{tmp_path}/out.csv'"):
        with pytest.raises(duckdb.PermissionException):
            index._rows(query)
    with pytest.raises(duckdb.InvalidInputException, match="locked"):
        index._rows("SET enable_external_access = true")


async def test_flips_at_random_places_never_change_an_answer(index: RunIndex, tmp_path: Path):
    await complete_run(tmp_path / "runs")
    index.refresh()
    wanted, sound = everything(index), (tmp_path / "index.duckdb").read_bytes()
    choose = random.Random(7)
    for _ in range(8):
        spoilt = bytearray(sound)
        spoilt[choose.randrange(len(spoilt))] ^= 1 << choose.randrange(8)
        (tmp_path / "index.duckdb").write_bytes(spoilt)
        index.refresh()
        assert everything(index) == wanted
