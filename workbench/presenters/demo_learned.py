"""The steps of the guided demo over the simulated outcomes: replies, calibration, and what if."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evals.records import Estimate
from evals.report import figures
from workbench.demo import DemoFacts
from workbench.presenters.demo_values import SIMULATED, Address, Figure, Step, difference
from workbench.presenters.words import QUESTION_TYPES
from workbench.text import count

if TYPE_CHECKING:
    from evals.learning.pooling import Pooled


def replies(facts: DemoFacts) -> Step:
    title, address = "Which questions earn replies?", {"tenant": SIMULATED, "section": "rates", "by": "question_type"}
    if not facts.rates:
        return _unlearned("replies", "Outcomes", title, address)
    best, least = facts.rates[0], facts.rates[-1]
    return Step(
        "replies",
        "Outcomes",
        title,
        1,
        f"{_kind(best)} questions are answered most often, {_rate(best)} of {best.raw.n:,}; "
        f"{_kind(least).lower()} questions least, {_rate(least)} of {least.raw.n:,}.",
        address,
        tuple(Figure(f"Reply rate, {_kind(own).lower()}", _rate(own), count(own.raw.n, "resolved outcome"), SIMULATED)
              for own in facts.rates),
        simulated=True,
    )  # fmt: skip


def believed(facts: DemoFacts) -> Step:
    title, address = "Can the engine's confidence be believed?", {"tenant": SIMULATED}
    report = facts.calibration.report if facts.calibration is not None else {}
    if not report.get("before"):
        said = "It is being worked out; come back in a moment."
        return Step("believed", "Calibration", title, 0.5, said, address, simulated=True, ready=False)
    before, chance = _error(report["before"]), figures.value(report["before"]["chance"]["mean"], "share")
    after = _error(report["after"]) if report["offered"] else None
    corrected = ""
    if after is not None:
        corrected = (
            f"; corrected, on conversations that it never saw, it is off by {figures.value(after.value, 'share')}"
        )
    n = count(report["outcomes"], "outcome")
    told = {"Calibration error": before, "Corrected, out of fold": after}
    return Step(
        "believed",
        "Calibration",
        title,
        0.5,
        f"Its confidence is off by {figures.value(before.value, 'share')} on average, where chance alone makes "
        f"{chance}{corrected}.",
        address,
        (
            *(Figure(what, figures.estimate(found, "share"), n, SIMULATED) for what, found in told.items() if found),
            Figure("Calibration error of a perfect engine, by chance", chance, n, SIMULATED),
        ),
        simulated=True,
    )


def otherwise(facts: DemoFacts) -> Step:
    title = "What if we had asked otherwise?"
    address = {"tenant": SIMULATED, **({"policy": facts.policy} if facts.policy else {})}
    found = facts.what_if
    if found is None or facts.policy is None or not facts.rates:
        return _unlearned("otherwise", "What if", title, address)
    asked = f"{_kind(facts.rates[0]).lower()} questions only"
    if found.estimates is None:
        reason = found.refusal.why if found.refusal else ""
        return Step("otherwise", "What if", title, 0.5, f"With {asked}, nobody can tell: {reason}.", address,
                    simulated=True)  # fmt: skip
    estimates = found.estimates
    n = f"{count(found.outcomes, 'outcome')} of {count(found.conversations, 'conversation')}"
    told = "a difference that luck would hardly make" if _is_clear(estimates.difference) else "which may be luck"
    return Step(
        "otherwise",
        "What if",
        title,
        0.5,
        f"With {asked}, {figures.estimate(estimates.doubly_robust, 'share')} would have answered, against "
        f"{figures.value(estimates.logged.value, 'share')} as it was: "
        f"{difference(estimates.difference, 'share')}, {told}.",
        address,
        (
            Figure("Reply rate as it was", figures.estimate(estimates.logged, "share"), n, SIMULATED),
            Figure(f"Reply rate with {asked}", figures.estimate(estimates.doubly_robust, "share"), n, SIMULATED),
            Figure("Difference", difference(estimates.difference, "share"), n, SIMULATED),
        ),
        simulated=True,
    )


def _error(reading: Mapping[str, Any]) -> Estimate:
    """The expected calibration error, as the report of a calibration holds it."""
    return Estimate.model_validate(reading["ece"])


def _unlearned(key: str, page: str, title: str, address: Address) -> Step:
    said = "The simulated outcomes are not loaded: `qbs demo prepare` loads them."
    return Step(key, page, title, 1, said, address, simulated=True, ready=False)


def _rate(own: Pooled) -> str:
    """As counted."""
    return f"{figures.value(own.raw.value, 'share')} {figures.interval(own.raw.low, own.raw.high, 'share')}"


def _kind(own: Pooled) -> str:
    word = own.raw.cell.key[0]
    return next((name.name for kind, name in QUESTION_TYPES.items() if kind == word), str(word))


def _is_clear(found: Estimate) -> bool:
    return found.low is not None and found.high is not None and not found.low <= 0 <= found.high
