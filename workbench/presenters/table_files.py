"""Tables as files for other programs: CSV, Parquet or JSON, nothing rounded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from evals.runs.schema import arrow_table

Format = Literal["CSV", "Parquet", "JSON"]
FORMATS: Mapping[Format, tuple[str, str]] = {  # ending and media type
    "CSV": ("csv", "text/csv"),
    "Parquet": ("parquet", "application/vnd.apache.parquet"),
    "JSON": ("json", "application/json"),
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the beginning of a formula


def written(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], format_: Format) -> bytes:
    """The rows as a file. `columns` are types by name (VARCHAR, BIGINT, DOUBLE, BOOLEAN), said also where no row is."""
    match format_:
        case "CSV":
            return _csv(rows, columns)
        case "JSON":
            return json_file(rows)
        case "Parquet":
            from pyarrow import parquet

            content = io.BytesIO()
            parquet.write_table(arrow_table(rows, columns), content)
            return content.getvalue()


def json_file(value: Any) -> bytes:
    """`value` as a file to read, for people too. Raises ValueError for what JSON cannot say, such as NaN."""
    return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False, default=str).encode() + b"\n"


def _csv(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> bytes:
    """Words of prompts, contacts and the like are not ours: none is left for a spreadsheet to take for a formula."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
