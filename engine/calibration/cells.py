"""Which cells a recommendation belongs to: by who estimated its confidence, what it asks, what for, and how."""

from __future__ import annotations

from enum import StrEnum

from engine.guardrails.conduct import NO_CLAIM
from engine.model.analysis import FallbackReason

LEVELS = ("estimator", "action", "question")  # from the coarsest to the finest


class Estimator(StrEnum):
    """Whose confidence it is. They are scales of their own, and nothing learned of one is applied to another."""

    MODEL = "model"
    RULES = "rules"  # the rules were asked, not a model: their table of priors
    NOBODY = "nobody"  # a question that took another's place: its confidence claims nothing


def estimator_of(analyzer: str, confidence: float, fallback_reason: FallbackReason | str | None = None) -> Estimator:
    """Who estimated `confidence`.

    The fallback, a guardrail that puts another question in the place of the one proposed, and exploration say
    `NO_CLAIM`: exactly one half. Whoever else says exactly that claims as little.
    """
    if fallback_reason or confidence == NO_CLAIM:
        return Estimator.NOBODY
    return Estimator.RULES if analyzer == "rules" else Estimator.MODEL


def cells_of(estimator: Estimator, action_type: str, target: str, delivery: str) -> tuple[str, str, str]:
    """The names of the cells, one for each of `LEVELS`."""
    action = f"{estimator}/{action_type}"
    return str(estimator), action, f"{action}/{target}/{delivery}"
