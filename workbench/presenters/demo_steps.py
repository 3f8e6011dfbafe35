"""The guided demo as steps, in their order, and how long they take."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.demo import DemoFacts
from workbench.presenters.demo_learned import believed, otherwise, replies
from workbench.presenters.demo_runs import (
    Production,
    better,
    changed_prompt,
    evidence,
    in_use,
    live,
    promotion,
    replayed,
    worse,
)
from workbench.presenters.demo_values import Step
from workbench.text import count


def steps(facts: DemoFacts, production: Production) -> tuple[Step, ...]:
    """The path, in its order."""
    return (
        live(facts),
        replayed(facts),
        better(facts),
        worse(facts),
        changed_prompt(facts),
        evidence(facts),
        promotion(facts),
        in_use(facts, production),
        replies(facts),
        believed(facts),
        otherwise(facts),
    )


def minutes(found: Sequence[Step]) -> str:
    """How long all of it takes."""
    return count(round(sum(step.minutes for step in found)), "minute")


def duration(step: Step) -> str:
    """`1 min`, `½ min`, `1½ min`."""
    whole, half = divmod(step.minutes, 1)
    return f"{int(whole) or ''}{'½' if half else ''} min"
