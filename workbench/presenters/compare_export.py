"""A comparison as a file for other programs: the scoreboard, or the turns that moved, as CSV, Parquet or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Literal

from evals.compare import Comparison
from evals.comparison_rows import ComparisonRow, facts, rows_of
from evals.metrics.metric import Metric
from evals.runs.schema import arrow_table
from evals.slices import stage_at
from evals.turn_changes import TurnChange
from workbench.presenters.compare_turns import Talks

Format = Literal["CSV", "Parquet", "JSON"]
FORMATS: Mapping[Format, tuple[str, str]] = {
    "CSV": ("csv", "text/csv"),
    "Parquet": ("parquet", "application/vnd.apache.parquet"),
    "JSON": ("json", "application/json"),
}
_TYPES = {"str": "VARCHAR", "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN"}
_TURN_COLUMNS = {
    **dict.fromkeys(("first_run", "second_run", "view", "metric", "conversation_id"), "VARCHAR"),
    "turn": "BIGINT",
    **dict.fromkeys(("gain", "first", "second"), "DOUBLE"),
    **dict.fromkeys(("persona", "channel", "stage", "engagement", "split"), "VARCHAR"),
}


def scoreboard_file(comparison: Comparison, format_: Format) -> bytes:
    """Every metric, breakdowns too, with all that is known of it; nothing is rounded. JSON says how it was computed."""
    if format_ == "JSON":
        return _json(facts(comparison))
    columns = {field.name: _TYPES[str(field.type).removesuffix(" | None")] for field in fields(ComparisonRow)}
    return _written([asdict(row) for row in rows_of(comparison)], columns, format_)


def turns_file(
    comparison: Comparison, talks: Talks, metric: Metric, changes: Sequence[TurnChange], format_: Format
) -> bytes:
    """The turns that one metric counts differently, the largest gain first."""
    return _written([_turn(comparison, talks, metric, change) for change in changes], _TURN_COLUMNS, format_)


def _turn(comparison: Comparison, talks: Talks, metric: Metric, change: TurnChange) -> dict[str, Any]:
    conversation = talks.by_id[change.conversation_id]
    label = talks.label(change.conversation_id, change.turn)
    return {
        **_runs(comparison),
        "metric": metric.name,
        "conversation_id": change.conversation_id,
        "turn": change.turn,
        "gain": change.gain,
        "first": change.first,
        "second": change.second,
        "persona": conversation.persona.value,
        "channel": conversation.channel.value,
        "stage": stage_at(conversation, change.turn).value,
        "engagement": label.engagement.value if label else None,
        "split": talks.split[change.conversation_id],
    }


def _runs(comparison: Comparison) -> dict[str, str]:
    return {"first_run": comparison.first, "second_run": comparison.second, "view": comparison.view.value}


def _written(rows: Sequence[dict[str, Any]], columns: Mapping[str, str], format_: Format) -> bytes:
    """Names and words in these rows are ours, so none can be taken for a formula by a spreadsheet."""
    match format_:
        case "CSV":
            text = io.StringIO(newline="")
            writer = csv.DictWriter(text, list(columns), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            return text.getvalue().encode()
        case "JSON":
            return _json(rows)
        case "Parquet":
            from pyarrow import parquet

            written = io.BytesIO()
            parquet.write_table(arrow_table(rows, columns), written)
            return written.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False).encode() + b"\n"
