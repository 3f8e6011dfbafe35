"""Logs of choices for tests: by hand, and from simulated worlds with some of their choices taken away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.model.outcome import OutcomeType
from evals.learning.facts.values import Coded, Facts
from evals.learning.off_policy.log import ChoiceLog, Shares, choice_log
from evals.learning.simulated import ACTIONS, SimulatedWorld
from evals.learning.simulated_choices import choices_of

CLOSED = datetime(2026, 3, 1, tzinfo=UTC)
TYPES = np.array([kind for kind, _ in ACTIONS])
DELIVERIES = np.array([delivery for _, delivery in ACTIONS])


class Row(NamedTuple):
    """One outcome. `offered` maps types to probabilities, None where nobody wrote them down."""

    conversation: str
    asked: str
    propensity: float | None
    status: str = "positive"
    offered: dict[str, float] | None = None
    engagement: str = "factual"
    early: bool = False


def facts_of(rows: Sequence[Row]) -> Facts:
    """Facts whose questions differ in their type alone."""
    same: dict[str, Any] = {
        "target": "need", "delivery": "label", "pain_depth": "surface", "stage": "discovery", "persona": "ic",
        "channel": "email", "origin": "import",
    }  # fmt: skip
    choices = [None if row.offered is None else offered_json(row.offered) for row in rows]
    columns: dict[str, Any] = {name: Coded.of([word] * len(rows)) for name, word in same.items()} | {
        "conversation": Coded.of([row.conversation for row in rows]),
        "question_type": Coded.of([row.asked for row in rows]),
        "engagement": Coded.of([row.engagement for row in rows]),
        "status": Coded.of([row.status for row in rows]),
        "choices": Coded.of(choices),
        "interaction_count": np.ones(len(rows)),
        "turn": np.arange(len(rows), dtype=np.float64),
        "propensity": np.array([np.nan if row.propensity is None else row.propensity for row in rows]),
        "closes_at": np.array(
            ["2026-04-01" if row.early else "2026-02-01" for row in rows], dtype="datetime64[us]"
        ),
    }  # fmt: skip
    return Facts("t", OutcomeType.EMAIL_ENGAGEMENT, CLOSED, columns, CLOSED)


def offered_json(offered: dict[str, float]) -> str:
    listed = [
        {"question_type": kind, "target": "need", "delivery": "label", "probability": share}
        for kind, share in offered.items()
    ]
    return json.dumps(listed)


def log_of(rows: Sequence[Row]) -> ChoiceLog:
    return choice_log(facts_of(rows))


def always(log: ChoiceLog, *action: str) -> Shares:
    code = log.actions.index(action)
    return Shares(np.arange(len(log)), np.full(len(log), code), np.ones(len(log)))


def without(world: SimulatedWorld, taken: NDArray[np.bool_]) -> Facts:
    """What a log would be that could never have made the choices `taken` (n x A) away: its rows without them, with the
    probabilities of the others brought back to 1.
    """
    rows = np.arange(len(world.facts))
    left = np.where(taken, 0.0, world.truth.propensities)
    left = left / left.sum(axis=1, keepdims=True)
    kept = ~taken[rows, world.truth.action]
    columns = dict(world.facts.columns) | {
        "propensity": left[rows, world.truth.action],
        "choices": choices_of(ACTIONS, left, np.ones(len(rows), np.bool_)),
    }
    facts = world.facts
    return Facts(facts.tenant, facts.outcome_type, facts.as_of, columns, facts.resolved_until).where(kept)


def changed(facts: Facts, **columns: Any) -> Facts:
    return Facts(
        facts.tenant, facts.outcome_type, facts.as_of, dict(facts.columns) | columns, facts.resolved_until
    )  # fmt: skip


def without_choices(facts: Facts) -> Facts:
    """The same where nobody wrote down what else could have been asked."""
    return changed(facts, choices=Coded(np.full(len(facts), -1, np.int32), ()))


def in_context(world: SimulatedWorld, name: str, *words: str) -> NDArray[np.bool_]:
    return world.facts.words(name).equals(*words)


def of_type(kind: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = kind == TYPES
    return found
