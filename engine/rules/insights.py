"""What in a turn is worth noticing beyond the dimensions: a reversal, a loss in money, a date that will not move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.model.qualification import AnySignal, Dimension
from engine.rules.heard import Heard

MOST_PER_TURN = 2
MOST_PER_CONVERSATION = 12
CLEAR = 0.8


def key_insights(heard: Heard, found: Mapping[Dimension, AnySignal]) -> tuple[str, ...]:
    """At most `MOST_PER_TURN` one-line insights; none once a conversation has `MOST_PER_CONVERSATION`."""
    if len(heard.state.qualification.key_insights) >= MOST_PER_CONVERSATION:
        return ()
    return tuple(_insights(heard, found))[:MOST_PER_TURN]


def _insights(heard: Heard, found: Mapping[Dimension, AnySignal]) -> Iterator[str]:
    budget = found.get(Dimension.BUDGET)
    if budget is not None and (budget.value or "").startswith("withdrawn:"):
        yield f"Budget {budget.value}"
    need = found.get(Dimension.NEED)
    if need is not None and (need.value or "").startswith("denied:"):
        yield f"Need {need.value}"
    for dimension, label in ((Dimension.TIMELINE, "Fixed date"), (Dimension.PAIN, "Consequence")):
        signal = found.get(dimension)
        known = heard.known[dimension]
        if signal is not None and signal.confidence >= CLEAR > known.confidence:
            yield f"{label}: {signal.value}"
