"""A run as a file for other programs."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.model.analysis import Analysis
from engine.model.qualification import Dimension, Evidence, qualification_from
from evals.errors import RunDamagedError
from evals.records import TurnRecord
from evals.runner import run
from evals.runs.export import ExportFormat, _harmless, export_run, flat_columns, flat_row
from evals.runs.folder import RunFolder
from tests.evals.values import FakeAnalyzer, conversation, manifest


@pytest.fixture
async def folder(tmp_path: Path) -> RunFolder:
    talk = conversation(customer_turns=4)
    folder = RunFolder.create(tmp_path / "runs", manifest(talk))
    await run(folder, [talk], lambda _talk, _sample: FakeAnalyzer(falls_back=[3], raises={5: KeyError()}))
    return folder


def rows(folder: RunFolder) -> list[dict[str, object]]:
    return [flat_row(stored) for stored in folder.stored()]


def test_json_lines_are_the_full_records(folder: RunFolder, tmp_path: Path):
    export_run(folder, tmp_path / "out", ExportFormat.JSONL)
    lines = (tmp_path / "out").read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert [TurnRecord.model_validate_json(line) for line in lines] == list(folder.records())


def test_json_is_an_array_of_flat_rows(folder: RunFolder, tmp_path: Path):
    export_run(folder, tmp_path / "out", ExportFormat.JSON)
    assert json.loads((tmp_path / "out").read_bytes()) == rows(folder)


def test_csv_has_a_header_and_leaves_empty_what_is_not_known(folder: RunFolder, tmp_path: Path):
    export_run(folder, tmp_path / "out", ExportFormat.CSV)
    read = list(csv.DictReader(io.StringIO((tmp_path / "out").read_text())))
    assert [line["turn"] for line in read] == ["1", "3", "5", "7"]
    assert [line["error"] for line in read] == ["", "", "KeyError", ""]
    assert [line["question_reason"] for line in read] == ["", "timeout", "", ""]
    assert float(read[0]["cost_usd"]) == pytest.approx(0.03)


def test_parquet_keeps_types(folder: RunFolder, tmp_path: Path):
    from pyarrow import parquet

    export_run(folder, tmp_path / "out", ExportFormat.PARQUET)
    table = parquet.read_table(tmp_path / "out")
    assert table.to_pylist() == rows(folder)
    assert str(table.schema.field("back_off").type) == "bool"


@pytest.mark.parametrize("format_", ExportFormat)
def test_a_run_without_turns_can_be_exported(tmp_path: Path, format_: ExportFormat):
    empty = RunFolder.create(tmp_path / "runs", manifest(conversation()))
    export_run(empty, tmp_path / "out", format_)
    assert (tmp_path / "out").exists()


@pytest.mark.parametrize("format_", ExportFormat)
def test_an_export_of_a_damaged_run_leaves_no_file(folder: RunFolder, tmp_path: Path, format_: ExportFormat):
    folder.turns_file.write_bytes(folder.turns_file.read_bytes().replace(b"Ada", b"Eve", 1))
    with pytest.raises(RunDamagedError):
        export_run(folder, tmp_path / "out", format_)
    assert [item.name for item in tmp_path.iterdir()] == ["runs"]


def test_a_flat_row_says_the_question_and_what_is_known_with_its_quotes(folder: RunFolder):
    first = next(iter(folder.stored()))
    known = first.record.after.qualification.bant.budget
    evidence = (Evidence(quote="forty thousand", turn=1), Evidence(quote="at most", turn=3))
    budget = known.model_copy(update={"value": "40k", "confidence": 0.8, "evidence": evidence})
    after = first.record.after.model_copy(update={"qualification": qualification_from({Dimension.BUDGET: budget})})
    row = flat_row(replace(first, record=first.record.model_copy(update={"after": after})))
    assert set(row) == set(flat_columns())
    assert isinstance(row["question"], str)
    assert (row["budget"], row["budget_confidence"]) == ("40k", 0.8)
    assert row["budget_evidence"] == "forty thousand | at most"
    assert (row["need"], row["need_confidence"], row["need_evidence"]) == (None, None, None)


def test_milliseconds_have_one_decimal_in_a_flat_row_and_money_has_all(folder: RunFolder):
    first = next(iter(folder.stored()))
    analysis = first.record.result
    assert isinstance(analysis, Analysis)
    source = analysis.extraction.source.model_copy(update={"latency_ms": 123.456789, "cost_usd": 0.000123})
    result = analysis.model_copy(update={"extraction": analysis.extraction.model_copy(update={"source": source})})
    row = flat_row(replace(first, record=first.record.model_copy(update={"result": result})))
    assert row["extraction_ms"] == 123.5
    assert str(row["cost_usd"]).rstrip("0") != str(round(row["cost_usd"], 1))


@pytest.mark.parametrize("text", ["=1+1", "+49 30 1234", "-5 %", "@SUM(A1)"])
def test_no_cell_of_a_csv_is_a_formula(text: str):
    assert _harmless(text) == f"'{text}"
    assert _harmless(f"a{text}") == f"a{text}"
