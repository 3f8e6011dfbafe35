"""SQL of this package as statements of `engine.state`: parameters by name, and rows read back as values."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import ValidationError

from engine.errors import SchemaVersionError, StateError
from engine.model.outcome import Outcome, OutcomeEvent
from engine.state.statements import Statement

DETAILS_VERSION = 1  # of the document `details` of an outcome
OUTCOME_COLUMNS = (
    "outcome_id", "state_id", "action_type", "outcome_type", "predicted_confidence", "recommended_at", "closes_at",
    "recorded_at", "details", "schema_version",
)  # fmt: skip
EVENT_COLUMNS = (
    "event_id", "outcome_id", "kind", "occurred_at", "recorded_at", "idempotency_key", "supersedes", "details",
)  # fmt: skip

_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


def statement(sql: str, columns: tuple[str, ...] = (), *, prepared: bool = True) -> Statement:
    """A statement from SQL with parameters written `:name`.

    Not prepared: planned anew each time, for what is about whole sets, whose sizes the plan has to know.
    """
    parameters = tuple(dict.fromkeys(_PARAMETER.findall(sql)))
    numbered = _PARAMETER.sub(lambda found: f"${parameters.index(found[1]) + 1}", sql)
    return Statement(numbered.encode(), parameters, columns, prepared=prepared)


def listed(columns: tuple[str, ...], table: str = "") -> str:
    """The columns as a statement names them."""
    return ", ".join(f"{table}.{column}" if table else column for column in columns)


def outcome_of(row: dict[str, Any]) -> Outcome:
    """An outcome from its columns; others are left aside.

    Raises SchemaVersionError for details of a newer program, StateError for a row that no program of ours wrote.
    """
    if row["schema_version"] > DETAILS_VERSION:
        raise SchemaVersionError(
            f"the details of an outcome are of version {row['schema_version']}, and this program reads up to "
            f"{DETAILS_VERSION}: use the program that wrote them, or a newer one"
        )
    fields = {column: row[column] for column in OUTCOME_COLUMNS if column != "schema_version"}
    try:
        return Outcome.model_validate(fields | {"details": json.loads(row["details"])})
    except ValidationError as error:
        wrong = sorted({".".join(map(str, problem["loc"])) for problem in error.errors()})
        raise StateError(f"outcome {row['outcome_id']} cannot be read: {', '.join(wrong)}") from None


def event_of(row: dict[str, Any]) -> OutcomeEvent:
    """An event from its columns; others are left aside."""
    fields = {column: row[column] for column in EVENT_COLUMNS}
    return OutcomeEvent.model_validate(fields | {"details": json.loads(row["details"])})
