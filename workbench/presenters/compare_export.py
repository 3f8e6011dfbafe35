"""A comparison as a file for other programs: the scoreboard, or the turns that moved, as CSV, Parquet or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from evals.compare import Comparison
from evals.comparison_rows import ComparisonRow, facts, rows_of
from evals.metrics.metric import Metric
from evals.slices import stage_at
from evals.turn_changes import TurnChange
from workbench.presenters.compare_turns import Talks
from workbench.presenters.table_files import Format, json_file, written

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
        return json_file(facts(comparison))
    columns = {field.name: _TYPES[str(field.type).removesuffix(" | None")] for field in fields(ComparisonRow)}
    return written([asdict(row) for row in rows_of(comparison)], columns, format_)


def turns_file(
    comparison: Comparison, talks: Talks, metric: Metric, changes: Sequence[TurnChange], format_: Format
) -> bytes:
    """The turns that one metric counts differently, the largest gain first."""
    return written([_turn(comparison, talks, metric, change) for change in changes], _TURN_COLUMNS, format_)


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
