"""A run as one file for other programs: flat rows as CSV, Parquet or JSON, or the full records as JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from engine.merge import joined_evidence
from engine.model.analysis import Analysis
from engine.model.qualification import Dimension
from evals.files import replacing
from evals.runs.folder import RunFolder
from evals.runs.lines import StoredRecord
from evals.runs.rows import TurnRow, turn_row
from evals.runs.schema import arrow_table, columns


class ExportFormat(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"  # one array of flat rows
    JSONL = "jsonl"  # one full record a line


def export_run(folder: RunFolder, file: Path, format_: ExportFormat) -> None:
    """Write the run to `file`, whole or not at all. What the run lacks so far is left out.

    Raises RunDamagedError if a record was altered, OSError if the file cannot be written.
    """
    with replacing(file) as stream:
        write_export(folder, stream, format_)


def write_export(folder: RunFolder, stream: BinaryIO, format_: ExportFormat) -> None:
    """Write the run to `stream`, turns in the order in which they were answered."""
    if format_ is ExportFormat.JSONL:
        stream.writelines(body + b"\n" for body, _ in folder.bodies())
    else:
        stream.write(_FLAT[format_](map(flat_row, folder.stored())))


def flat_columns() -> dict[str, str]:
    """The columns of a flat export and their types: the index's, the question asked, and what is known by then."""
    indexed = {name: type_ for name, type_ in columns(TurnRow).items() if name not in _PLACE}
    known = {
        f"{dimension}{suffix}": type_
        for dimension in Dimension
        for suffix, type_ in (("", "VARCHAR"), ("_confidence", "DOUBLE"), ("_evidence", "VARCHAR"))
    }
    return indexed | {"question": "VARCHAR"} | known


def flat_row(stored: StoredRecord) -> dict[str, Any]:
    """One turn with a value for each of `flat_columns`; quotes joined as they are shown."""
    row = {name: _rounded(name, value) for name, value in asdict(turn_row(stored)).items() if name not in _PLACE}
    result, known = stored.record.result, stored.record.after.qualification
    row["question"] = result.question.recommendation.suggested_question if isinstance(result, Analysis) else None
    for dimension, signal in known.signals.items():
        row[dimension.value] = signal.value
        row[f"{dimension}_confidence"] = signal.confidence if signal.identified else None
        row[f"{dimension}_evidence"] = joined_evidence(signal.evidence) or None
    return row


def _rounded(name: str, value: Any) -> Any:
    """Milliseconds to one decimal: more is noise."""
    return round(value, 1) if name.endswith("_ms") and value is not None else value


_PLACE = ("byte_offset", "byte_length")  # of use to the index alone


def _csv(rows: Iterable[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(flat_columns()), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula begins with an apostrophe, as OWASP advises."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_BEGINS) else value


_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


def _json(rows: Iterable[dict[str, Any]]) -> bytes:
    return json.dumps(list(rows), indent=2, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def _parquet(rows: Iterable[dict[str, Any]]) -> bytes:
    from pyarrow import parquet

    written = io.BytesIO()
    parquet.write_table(arrow_table(list(rows), flat_columns()), written)
    return written.getvalue()


_FLAT = {ExportFormat.CSV: _csv, ExportFormat.JSON: _json, ExportFormat.PARQUET: _parquet}
