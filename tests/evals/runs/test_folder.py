"""The run folder: append-only, one writer, torn ends cut, never changed once finished."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from evals.errors import LockedError, RunDamagedError, RunError, RunFinishedError
from evals.records import RunStatus, RunTotals, TurnRecord
from evals.replay import replay
from evals.runs.folder import RunFolder, run_folders
from tests.evals.values import FakeAnalyzer, conversation, manifest


async def records(customer_turns: int = 3) -> list[TurnRecord]:
    talk = conversation(customer_turns=customer_turns)
    return [record async for record in replay(talk, FakeAnalyzer(), run_id="r")]


def fresh(runs: Path) -> RunFolder:
    return RunFolder.create(runs, manifest(conversation()))


async def test_what_is_written_is_read_back(tmp_path: Path):
    folder, wanted, safe = fresh(tmp_path), await records(), []
    with folder.writing(safe.extend) as writer:
        for record in wanted:
            writer.submit(record)
    assert safe == wanted
    assert list(RunFolder.open(folder.path).records()) == wanted
    places = [stored.place for stored in folder.stored()]
    assert [folder.record_at(place) for place in places] == wanted
    assert [stored.record for stored in folder.stored(places[0].end)] == wanted[1:]


async def test_the_status_goes_from_incomplete_over_running_to_complete(tmp_path: Path):
    folder = fresh(tmp_path)
    assert (folder.status, folder.totals) == (RunStatus.INCOMPLETE, None)
    with folder.writing() as writer:
        assert folder.status is RunStatus.RUNNING
        for record in await records():
            writer.submit(record)
        written = writer.finish(RunTotals(turns=3))
    assert folder.status is RunStatus.COMPLETE
    assert folder.totals == written
    assert written.size_bytes == folder.turns_file.stat().st_size


def test_a_finished_run_never_changes(tmp_path: Path):
    folder = fresh(tmp_path)
    with folder.writing() as writer:
        writer.finish(RunTotals())
    with pytest.raises(RunFinishedError, match="a complete run never changes"), folder.writing():
        pass


def test_a_second_writer_is_told_who_writes(tmp_path: Path):
    folder = fresh(tmp_path)
    second = RunFolder.open(folder.path).writing(timeout=0.05)
    with folder.writing(), pytest.raises(LockedError, match=r"the run toys-fake-.* is in use by process \d+;"), second:
        pass
    with folder.writing():
        pass


def test_asking_for_the_status_does_not_disturb_the_writer(tmp_path: Path):
    folder = fresh(tmp_path)
    assert folder.status is RunStatus.INCOMPLETE
    with folder.writing(timeout=0):
        assert folder.status is RunStatus.RUNNING


@pytest.mark.parametrize("cut", [1, 7, 400])
async def test_a_torn_last_line_is_cut_off_and_written_again(tmp_path: Path, cut: int):
    folder, wanted = fresh(tmp_path), await records()
    _write(folder, wanted)
    whole = folder.turns_file.read_bytes()
    folder.turns_file.write_bytes(whole[:-cut])
    assert list(folder.records()) == wanted[:2]
    _write(folder, wanted[2:])
    assert folder.turns_file.read_bytes() == whole


async def test_an_altered_line_stops_reading_and_writing(tmp_path: Path):
    folder = fresh(tmp_path)
    _write(folder, await records())
    content = folder.turns_file.read_bytes()
    folder.turns_file.write_bytes(content.replace(b"prospecting", b"negotiation", 1))
    with pytest.raises(RunDamagedError, match=r"turns\.jsonl, line 1"):
        list(folder.records())
    with pytest.raises(RunDamagedError), folder.writing():
        pass


@pytest.mark.parametrize("cut", [1, 400, 100_000])
async def test_a_finished_run_that_is_shorter_than_it_was_is_damaged(tmp_path: Path, cut: int):
    folder = fresh(tmp_path)
    with folder.writing() as writer:
        for record in await records():
            writer.submit(record)
        writer.finish(RunTotals(turns=3))
    folder.turns_file.write_bytes(folder.turns_file.read_bytes()[:-cut])
    with pytest.raises(RunDamagedError):
        list(folder.records())


def test_a_copy_under_another_name_is_no_run(tmp_path: Path):
    folder = fresh(tmp_path)
    shutil.copytree(folder.path, tmp_path / "copy")
    with pytest.raises(RunError, match=f"holds the run {folder.run_id}; a run's folder must have its id as its name"):
        RunFolder.open(tmp_path / "copy")


def test_creating_again_opens_what_is_there(tmp_path: Path):
    first = fresh(tmp_path)
    later = first.manifest.model_copy(update={"python": "4.0"})
    assert RunFolder.create(tmp_path, later).manifest == first.manifest


def test_another_spec_under_the_same_id_is_refused(tmp_path: Path):
    folder = fresh(tmp_path)
    other = folder.manifest.model_copy(update={"spec": folder.manifest.spec.model_copy(update={"samples": 9})})
    with pytest.raises(RunError, match="holds another run under this id"):
        RunFolder.create(tmp_path, other)


def test_a_folder_without_a_readable_manifest_is_no_run(tmp_path: Path):
    with pytest.raises(RunError, match=r"is not a run: it has no manifest\.json"):
        RunFolder.open(tmp_path)
    (tmp_path / "manifest.json").write_text('{"run_id": 7}')
    with pytest.raises(RunError, match=r"manifest\.json cannot be read: run_id"):
        RunFolder.open(tmp_path)


def test_run_folders_are_those_with_a_manifest(tmp_path: Path):
    assert list(run_folders(tmp_path / "missing")) == []
    (tmp_path / "not-a-run").mkdir()
    folder = fresh(tmp_path)
    assert list(run_folders(tmp_path)) == [folder.path]


def _write(folder: RunFolder, records: Sequence[TurnRecord]) -> None:
    with folder.writing() as writer:
        for record in records:
            writer.submit(record)
