"""The rows of a CSV, Parquet or JSON lines file, one by one, each with the line that it begins on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InputError
from evals.jsonl import Problem, read_lines

MAX_FIELD = 100_000  # characters
SEPARATORS = (",", ";", "\t")  # the first one that divides the header


@dataclass(frozen=True, slots=True)
class Row:
    """A row and where it begins: the line of a text file, the row of a Parquet file, both counted from 1."""

    line: int
    fields: dict[str, Any]


def header_of(file: Path) -> list[str]:
    """The names of the columns; of JSON lines, those of any of its first 100 objects. Raises InputError."""
    match file.suffix.lower():
        case ".csv":
            with _opened(file) as stream:
                return _header(_reader(stream), file)
        case ".parquet":
            return list(_parquet(file).schema_arrow.names)
        case ".jsonl" | ".ndjson":
            names: dict[str, None] = {}
            for _, line in zip(range(100), read_lines(file), strict=False):
                if not isinstance(line, Problem):
                    names |= dict.fromkeys(line.fields)
            return list(names)
    raise InputError("is neither .csv nor .parquet nor .jsonl; export it as one of these", file=file)


def rows_of(file: Path) -> Iterator[Row | Problem]:
    """Every row that is not blank, or what is wrong with it. Raises InputError as `header_of`."""
    match file.suffix.lower():
        case ".csv":
            yield from _csv_rows(file)
        case ".parquet":
            yield from _parquet_rows(file)
        case _:
            for line in read_lines(file):
                yield line if isinstance(line, Problem) else Row(line.number, line.fields)


def _csv_rows(file: Path) -> Iterator[Row | Problem]:
    with _opened(file) as stream:
        reader = _reader(stream)
        header = _header(reader, file)
        before = reader.line_num
        while True:
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Problem(f"cannot be read from here on ({error}); quotes may not be closed", file, before + 1)
                return
            line, before = before + 1, reader.line_num
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(header):
                yield Problem(f"has {len(values)} values, and the header names {len(header)}", file, line)
            else:
                yield Row(line, dict(zip(header, values, strict=True)))


def _reader(stream: io.StringIO) -> Any:
    """A reader from the beginning on, by what divides the header: commas; without any semicolons, as spreadsheets write
    them where the comma is the decimal mark; or tabs. Outcomes take several columns, so that a header which commas
    leave whole cannot be meant to be divided by them.
    """
    line = stream.readline()
    stream.seek(0)
    separator = next((each for each in SEPARATORS if _divides(each, line)), SEPARATORS[0])
    return csv.reader(stream, strict=True, delimiter=separator)


def _divides(separator: str, line: str) -> bool:
    try:
        return len(next(csv.reader([line], strict=True, delimiter=separator), [])) > 1
    except csv.Error:
        return False


def _header(reader: Any, file: Path) -> list[str]:
    try:
        header = [name.strip() for name in next(reader)]
    except (StopIteration, csv.Error):
        raise InputError("is empty, or its first line is no header", file=file) from None
    if twice := {name for name in header if header.count(name) > 1}:
        raise InputError(f"the header names {', '.join(sorted(twice))} twice", file=file, line=1)
    return header


def _opened(file: Path) -> io.StringIO:
    """The text of a file. A spreadsheet's byte order mark is taken off."""
    csv.field_size_limit(MAX_FIELD)
    try:
        return io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=file) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError("is not UTF-8; save it as UTF-8", file=file, line=line) from None


def _parquet(file: Path) -> Any:
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(file)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or 'it is no Parquet file'}", file=file) from error
    except pyarrow.ArrowException as error:
        raise InputError(f"is no Parquet file ({type(error).__name__})", file=file) from None


def _parquet_rows(file: Path) -> Iterator[Row | Problem]:
    number = 0
    for batch in _parquet(file).iter_batches(batch_size=10_000):
        for fields in batch.to_pylist():
            number += 1
            yield Row(number, fields)
