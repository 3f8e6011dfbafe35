"""The conversations behind a cell, newest first, a row for each outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evals.learning.facts import Facts
from workbench.presenters.outcomes_words import STATUSES, shown

MOST_LISTED = 500
COLUMNS = (
    "conversation", "account", "contact", "recommended_at", "question_type", "target", "delivery", "persona", "stage",
    "status", "happened_at", "origin",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListedOutcome:
    """One outcome of a conversation; in Postgres the Live page can open it."""

    account: str
    contact: str
    shown: dict[str, Any]
    in_postgres: bool


def listed(facts: Facts) -> tuple[ListedOutcome, ...]:
    """The newest MOST_LISTED of `facts`, which have COLUMNS and come in the order of their recommendation."""
    newest = facts.where(np.arange(max(0, len(facts) - MOST_LISTED), len(facts)))
    return tuple(_listed(row) for row in reversed(list(newest.rows())))


def _listed(row: dict[str, Any]) -> ListedOutcome:
    plain = {
        "Contact": row["contact"] or "—",
        "Account": row["account"] or "—",
        "Conversation": row["conversation"],
        "Recommended (UTC)": _minute(row["recommended_at"]),
        "Question": shown("question_type", row["question_type"]),
        "Target": shown("target", row["target"]),
        "Delivery": shown("delivery", row["delivery"]),
        "Persona": shown("persona", row["persona"]),
        "Stage": shown("stage", row["stage"]),
        "Status": STATUSES[row["status"]].name,
        "Came (UTC)": _minute(row["happened_at"]) or "—",
        "From": row["origin"],
    }
    there = row["origin"] == "postgres" and bool(row["account"] and row["contact"])
    return ListedOutcome(row["account"] or "", row["contact"] or "", plain, there)


def _minute(moment: str | None) -> str:
    return "" if moment is None else moment[:16].replace("T", " ")
