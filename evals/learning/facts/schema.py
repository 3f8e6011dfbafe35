"""The tables of the analysts' copy: a schema for each tenant, so that no query can reach from one into another.

`outcomes` and `events` hold facts as they were recorded, `outcome_facts` what follows from them (a row per outcome with
where it stands), `cells` its counts by everything that outcomes are split by. The last two can always be made again
from the first two, and these from Postgres and from the imports that were kept.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING
from uuid import UUID

from engine.model.analysis import FallbackReason
from engine.model.conversation import Channel, DealStage, Persona
from engine.model.outcome import EventKind, OutcomeStatus, OutcomeType
from engine.model.qbs import EngagementSignal, PainDepthLevel, QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension
from evals.learning.facts.values import DIMENSIONS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEANING = 1  # to be raised when a column keeps its name and means something else
ORIGINS = ("postgres", "import", "simulated")

# The closed vocabularies, as types of DuckDB's: compared and grouped by number.
ENUMS: dict[str, tuple[str, ...]] = {
    "question_type": tuple(map(str, QBSQuestionType)),
    "target": tuple(map(str, Dimension)),
    "delivery": tuple(map(str, VossDelivery)),
    "engagement": tuple(map(str, EngagementSignal)),
    "pain_depth": tuple(map(str, PainDepthLevel)),
    "stage": tuple(map(str, DealStage)),
    "persona": tuple(map(str, Persona)),
    "channel": tuple(map(str, Channel)),
    "fallback_reason": tuple(map(str, FallbackReason)),
    "outcome_type": tuple(map(str, OutcomeType)),
    "kind": tuple(map(str, EventKind)),
    "status": tuple(map(str, OutcomeStatus)),
    "origin": ORIGINS,
}

# What an outcome says of itself, in the order of both tables.
DETAILS: dict[str, str] = {
    "question_type": "question_type",
    "target": "target",
    "delivery": "delivery",
    "engagement": "engagement",
    "pain_depth": "pain_depth",
    "stage": "stage",
    "persona": "persona",
    "channel": "channel",
    "interaction_count": "INTEGER",
    "turn": "INTEGER",
    "analyzer": "VARCHAR",
    "model": "VARCHAR",
    "prompt": "VARCHAR",
    "fallback_reason": "fallback_reason",
    "calibration": "VARCHAR",
    "calibrated_confidence": "DOUBLE",
    "propensity": "DOUBLE",
    "choices": "VARCHAR",  # JSON: what the question was chosen from, with probabilities
}
RECORDED: dict[str, str] = {
    "outcome_id": "UUID",
    "given_id": "VARCHAR",  # the name that an import gave it
    "conversation": "INTEGER",  # its key in `conversations`
    "action_type": "VARCHAR",
    "outcome_type": "outcome_type",
    "confidence": "DOUBLE",
    "recommended_at": "TIMESTAMP",
    "closes_at": "TIMESTAMP",
    "recorded_at": "TIMESTAMP",
    **DETAILS,
    "told_advanced": "BOOLEAN",  # whether the deal moved, where an import says so
    "origin": "origin",
    "source": "VARCHAR",
}
STANDING: dict[str, str] = {
    "status": "status",
    "settled": "BOOLEAN",  # whether its window is among those that were looked at
    "happened_at": "TIMESTAMP",
    "replaced_at": "TIMESTAMP",
    "sent": "BOOLEAN",
    "stage_advanced": "BOOLEAN",
    "standing": "UTINYINT",  # the code of status, settled, sent and stage_advanced together: STANDING_CODE
    "week": "SMALLINT",  # of the recommendation: Mondays since 1970
    "waited": "INTEGER",  # seconds to the reply in time, or to where the window or the question ended without one
}
# Everything that measures look at, as one number: outcomes are then counted by it in a third of the time.
STANDING_CODE = """
enum_code(status) + CASE WHEN settled THEN 8 ELSE 0 END + CASE WHEN sent THEN 32 WHEN NOT sent THEN 16 ELSE 0 END
+ CASE WHEN stage_advanced THEN 96 WHEN NOT stage_advanced THEN 48 ELSE 0 END
"""
STANDINGS = """
SELECT code::UTINYINT AS standing, enum_range(NULL::main.status)[1 + code % 8] AS status, code // 8 % 2 = 1 AS settled,
       [NULL, false, true][1 + code // 16 % 3] AS sent, [NULL, false, true][1 + code // 48] AS stage_advanced
  FROM range(144) codes(code)
"""
# What is added up in `cells`, from a row of `outcome_facts`.
MEASURES: dict[str, str] = {
    "outcomes": "true",
    "resolved": "settled AND status IN ('positive', 'negative', 'late')",
    "positive": "settled AND status = 'positive'",
    "late": "settled AND status = 'late'",
    "pending": "status = 'pending'",
    "early": "NOT settled AND status IN ('positive', 'negative', 'late')",
    "superseded": "status = 'superseded'",
    "not_sent": "status = 'not_sent'",
    "sent": "sent",
    "unsure_sent": "sent IS NULL",
    "advanced": "stage_advanced",
    "progress_known": "stage_advanced IS NOT NULL",
    "answered_advanced": "settled AND status = 'positive' AND stage_advanced",
    "answered_progress_known": "settled AND status = 'positive' AND stage_advanced IS NOT NULL",
}

_DIMENSION_TYPES = DETAILS | {"origin": "origin"}
TABLES: dict[str, dict[str, str]] = {
    "conversations": {"key": "INTEGER", "conversation": "VARCHAR", "account": "VARCHAR", "contact": "VARCHAR"},
    # `superseded_at`: when an import said otherwise. Corrections in Postgres are events that supersede others.
    "outcomes": RECORDED | {"superseded_at": "TIMESTAMP"},
    "events": {
        "event_id": "UUID",
        "outcome_id": "UUID",
        "kind": "kind",
        "occurred_at": "TIMESTAMP",
        "recorded_at": "TIMESTAMP",
        "supersedes": "UUID",
        "superseded_at": "TIMESTAMP",
        "origin": "origin",
        "looked_before": "TIMESTAMP",  # of a negative: windows that closed before were looked at; NULL: not known
    },
    "outcome_facts": RECORDED | STANDING,
    "cells": {"outcome_type": "outcome_type"}
    | {name: _DIMENSION_TYPES[name] for name in DIMENSIONS}
    | dict.fromkeys(MEASURES, "BIGINT"),
    "stale": {"conversation": "INTEGER"},  # whose rows of `outcome_facts` have to be made again
    "marks": {"facts": "VARCHAR", "server": "VARCHAR", "number": "BIGINT", "fact": "VARCHAR"},
    "looked": {"outcome_type": "outcome_type", "origin": "origin", "until": "TIMESTAMP"},  # LOOKED, as it is kept
    "derived": {"at_": "TIMESTAMP", "cells_": "BIGINT"},  # until when; rows of `cells` when last made anew
    "imported": {"part": "INTEGER"},  # which kept imports are in here
    "imports": {"outcome_id": "UUID", "fingerprint": "VARCHAR"},  # what was last imported of each outcome
}


def schema_of(tenant: UUID) -> str:
    """The name of a tenant's schema."""
    return f"t_{tenant.hex}"


def prepare(connection: DuckDBPyConnection) -> bool:
    """Make the vocabularies if they are not there; those of another version go, with all tenants.

    Whether what was there went: then everything has to be read again.
    """
    wanted = f"{MEANING}:{zlib.crc32(repr((TABLES, ENUMS, MEASURES)).encode()):08x}"
    found = _version(connection)
    if found == wanted:
        return False
    connection.begin()
    for schema in _schemas(connection):
        connection.execute(f"DROP SCHEMA {schema} CASCADE")
    for name, words in ENUMS.items():
        connection.execute(f"DROP TYPE IF EXISTS {name}")
        connection.execute(f"CREATE TYPE {name} AS ENUM ({', '.join(repr(word) for word in words)})")
    connection.execute("CREATE OR REPLACE TABLE about (version VARCHAR)")
    connection.execute("INSERT INTO about VALUES (?)", [wanted])
    connection.commit()
    connection.execute("CHECKPOINT")
    return found is not None


def prepare_tenant(connection: DuckDBPyConnection, schema: str) -> bool:
    """Make the tables of a tenant that has none yet; whether that was done."""
    if schema in _schemas(connection):
        return False
    connection.begin()
    connection.execute(f"CREATE SCHEMA {schema}")
    for name, types in TABLES.items():
        listed = ", ".join(f'"{column}" {_qualified(type_)}' for column, type_ in types.items())
        connection.execute(f"CREATE TABLE {schema}.{name} ({listed})")
    connection.commit()
    connection.execute("CHECKPOINT")
    return True


def tenants(connection: DuckDBPyConnection) -> tuple[UUID, ...]:
    """Whose facts there are."""
    return tuple(UUID(hex=schema.removeprefix("t_")) for schema in _schemas(connection))


def _schemas(connection: DuckDBPyConnection) -> list[str]:
    query = "SELECT schema_name FROM information_schema.schemata WHERE starts_with(schema_name, 't_') ORDER BY ALL"
    return [name for (name,) in connection.execute(query).fetchall()]


def _qualified(type_: str) -> str:
    return f"main.{type_}" if type_ in ENUMS else type_


def _version(connection: DuckDBPyConnection) -> str | None:
    """The version of the tables; None if there are none yet."""
    import duckdb

    try:
        found = connection.execute("SELECT version FROM main.about").fetchall()
    except duckdb.CatalogException:
        return None
    return str(found[0][0]) if found else None
