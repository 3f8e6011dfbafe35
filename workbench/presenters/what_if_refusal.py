"""Why the outcomes cannot tell, and what it would take, as sentences."""

from __future__ import annotations

from evals.learning.off_policy import Refusal, RefusalReason

_NEEDS_CHANCE = (RefusalReason.NO_PROPENSITIES, RefusalReason.DETERMINISTIC, RefusalReason.NOT_TOLD_APART)


def why(refusal: Refusal) -> str:
    return f"{refusal.why[:1].upper()}{refusal.why[1:]}."


def exploration(refusal: Refusal, share: float | None) -> tuple[str, str] | None:
    """What the setting does and the line that sets it; None where more chance would not help.

    `share` is what it is set to now.
    """
    if refusal.reason not in _NEEDS_CHANCE:
        return None
    now = f"It is {share:g} now" if share else "It is off now"
    words = (
        "QBS_EXPLORATION lets the live engine draw some questions at random, among those that the guardrails leave "
        "exactly as they are, and records how probable each was. With 0.1 one question in ten is drawn, the usual one "
        f"among them; early on and with customers who hold back only the delivery varies. {now}."
    )
    return words, "QBS_EXPLORATION=0.1"
