"""The file of judgements beside a run: added to, never changed, and each judgement once."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.errors import RunDamagedError, RunError
from evals.library import load_dataset
from evals.runs.judgements import (
    JUDGEMENTS,
    judgements_about,
    judgements_hash,
    kept_judgements,
    writing_judgements,
)
from evals.runs.lines import line_of
from tests.evals.judged_runs import TALKS, finished_run, judgement
from tests.evals.values import conversation, write_lines

FOUR = [judgement(rating, of=("alpha", 1, f"Question {rating}?")) for rating in (1, 2, 3, 4)]


def keep(run: Path, *judgements) -> list:
    safe: list = []
    run.mkdir(parents=True, exist_ok=True)
    with writing_judgements(run, safe.extend) as submit:
        for own in judgements:
            submit(own)
    return safe


def test_what_is_written_is_read_back_and_added_to(tmp_path: Path):
    assert kept_judgements(tmp_path) == ()
    assert judgements_hash(tmp_path) == ""
    assert keep(tmp_path, *FOUR[:2]) == FOUR[:2]
    first = (tmp_path / JUDGEMENTS).read_bytes(), judgements_hash(tmp_path)
    keep(tmp_path, *FOUR[2:])
    assert kept_judgements(tmp_path) == tuple(FOUR)
    assert (tmp_path / JUDGEMENTS).read_bytes().startswith(first[0])
    assert judgements_hash(tmp_path) != first[1]


def test_of_a_judgement_that_is_there_twice_the_first_counts(tmp_path: Path):
    keep(tmp_path, judgement(4), judgement(1))
    assert [own.naturalness for own in kept_judgements(tmp_path)] == [4]


def test_an_altered_judgement_is_said_with_its_line_and_nothing_is_added_to_it(tmp_path: Path):
    keep(tmp_path, *FOUR)
    file = tmp_path / JUDGEMENTS
    file.write_bytes(file.read_bytes().replace(b'"naturalness":2', b'"naturalness":4'))
    with pytest.raises(RunDamagedError, match=r"judgements\.jsonl, line 2: does not match its checksum"):
        kept_judgements(tmp_path)
    with pytest.raises(RunDamagedError):
        keep(tmp_path, judgement())


def test_a_judgement_of_another_version_is_said(tmp_path: Path):
    keep(tmp_path, judgement())
    with (tmp_path / JUDGEMENTS).open("ab") as stream:
        stream.write(line_of(judgement().source))
    with pytest.raises(RunError, match="line 2: whole, but not a judgement that this version can read"):
        kept_judgements(tmp_path)


async def test_what_a_judge_is_worth_is_seen_in_every_run_of_the_data_set(tmp_path: Path):
    toys = tmp_path / "toys"
    write_lines(toys / "conversations.jsonl", *TALKS)
    dataset, runs = load_dataset(toys), tmp_path / "runs"
    fields = {"dataset_hash": dataset.hash_of(("alpha", "beta"))}
    first = await finished_run(runs, **fields)
    second = await finished_run(runs, attempt=1, **fields)
    changed = await finished_run(runs, conversation("alpha", 1), dataset_hash="0" * 64)
    other = await finished_run(runs, dataset="others", **fields)
    keep(first.path, FOUR[0], FOUR[1])
    keep(second.path, FOUR[1], FOUR[2])
    for folder in (changed, other):
        keep(folder.path, FOUR[3])
    found = judgements_about(runs, dataset)
    assert sorted(own.naturalness for own in found) == [1, 2, 3]
