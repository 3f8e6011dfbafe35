"""A comparison as flat rows for other programs: one for each metric, the same in JSON, CSV and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from evals.compare import Comparison, Row
from evals.files import write_atomically

_ARROW = {"str": "VARCHAR", "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN"}


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One metric of two runs. Figures are in the metric's unit (a share from 0 to 1); what is not known is None."""

    first: str
    second: str
    view: str
    metric: str
    title: str
    direction: str
    unit: str
    detail: bool  # the breakdown of another metric
    first_value: float | None
    first_low: float | None
    first_high: float | None
    second_value: float | None
    second_low: float | None
    second_high: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    p: float | None
    p_holm: float | None
    p_benjamini_hochberg: float | None
    test: str | None
    detectable: float | None
    margin: float
    verdict: str
    reason: str
    turns: int
    turns_only_in_first: int
    turns_only_in_second: int
    turns_differing: int
    conversations: int


def rows_of(comparison: Comparison) -> tuple[ComparisonRow, ...]:
    return tuple(_flat(comparison, row) for row in comparison.rows)


def facts(comparison: Comparison) -> dict[str, Any]:
    """The comparison as one object: what was compared, and its rows."""
    return {
        "first": comparison.first,
        "second": comparison.second,
        "view": comparison.view.value,
        "same_variant": comparison.same_variant,
        "turns": comparison.turns,
        "turns_only_in_first": comparison.left_out[0],
        "turns_only_in_second": comparison.left_out[1],
        "conversations": comparison.conversations,
        "adjusted_for_comparisons": comparison.together,
        "resamples": comparison.resamples,
        "seed": comparison.seed,
        "rows": [asdict(row) for row in rows_of(comparison)],
    }


def write_rows(comparisons: Iterable[Comparison], file: Path) -> None:
    """Write all rows to `file`, whole or not at all: Parquet if its name ends so, else CSV. Raises OSError."""
    rows = [asdict(row) for comparison in comparisons for row in rows_of(comparison)]
    write_atomically(file, _parquet(rows) if file.suffix.lower() == ".parquet" else _csv(rows))


def _flat(comparison: Comparison, row: Row) -> ComparisonRow:
    metric = row.metric
    return ComparisonRow(
        first=comparison.first,
        second=comparison.second,
        view=comparison.view.value,
        metric=metric.name,
        title=metric.title,
        direction=metric.direction,
        unit=metric.unit,
        detail=metric.detail,
        **dict(_estimates(row)),
        p=row.p,
        p_holm=row.holm,
        p_benjamini_hochberg=row.benjamini_hochberg,
        test=row.test,
        detectable=row.detectable,
        margin=row.margin,
        verdict=row.verdict.value,
        reason=row.reason,
        turns=row.turns,
        turns_only_in_first=row.left_out[0],
        turns_only_in_second=row.left_out[1],
        turns_differing=row.turns_differing,
        conversations=row.difference.n,
    )


def _estimates(row: Row) -> Iterator[tuple[str, float | None]]:
    for side, found in (("first", row.first), ("second", row.second)):
        yield from ((f"{side}_value", found.value), (f"{side}_low", found.low), (f"{side}_high", found.high))
    found = row.difference
    yield from (("difference", found.value), ("difference_low", found.low), ("difference_high", found.high))


def _csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [field.name for field in fields(ComparisonRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    from pyarrow import parquet

    from evals.runs.schema import arrow_table

    types = {field.name: _ARROW[str(field.type).removesuffix(" | None")] for field in fields(ComparisonRow)}
    written = io.BytesIO()
    parquet.write_table(arrow_table(rows, types), written)
    return written.getvalue()
