from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.model.analysis import FallbackReason, Source
from evals.compare import Comparison, compare
from evals.gates import Outcome
from evals.metrics import find_metrics
from evals.records import Failure, TurnRecord
from evals.scoring import score
from evals.tuning.promotion_file import Limits
from evals.tuning.promotion_limits import COST, FAILURES, FALLBACKS, LATENCY, OPERATIONS, check_limits
from tests.evals.runs_of import by_model, talks, with_sources

NO_LIMITS = Limits(None, None, None)


def answered(cost: float | None = 0.002, latency_ms: float = 800, reason: FallbackReason | None = None) -> Source:
    return Source(
        kind="rules" if reason else "llm",
        model="m",
        cost_usd=cost,
        latency_ms=latency_ms,
        attempts=1,
        fallback_reason=reason,
    )


def run_of(source: Source) -> Sequence[TurnRecord]:
    return [with_sources(record, extraction=source, question=source, expansion=source) for record in by_model()]


def compared(first: Sequence[TurnRecord], second: Sequence[TurnRecord]) -> Comparison:
    metrics = find_metrics(OPERATIONS)
    return compare(*(score(own, {}, talks(), metrics, name=name) for own, name in ((first, "A"), (second, "B"))))


NOW = run_of(answered())


@pytest.mark.parametrize(
    ("limits", "then", "about", "outcome", "blocks"),
    [
        (Limits(), answered(cost=0.0029), COST, Outcome.PASSED, False),
        (Limits(), answered(cost=0.0031), COST, Outcome.FAILED, True),
        (Limits(cost_growth=float("inf")), answered(cost=1.0), COST, Outcome.PASSED, False),
        (Limits(cost_usd=0.05), answered(cost=0.0029), COST, Outcome.FAILED, True),
        (Limits(), answered(cost=None), COST, Outcome.PASSED, False),
        (Limits(cost_usd=0.05), answered(cost=None), COST, Outcome.NOT_ENOUGH_DATA, True),
        (Limits(), answered(latency_ms=1100), LATENCY, Outcome.PASSED, False),
        (Limits(), answered(latency_ms=1300), LATENCY, Outcome.FAILED, True),
        (Limits(latency_p95_ms=900), answered(latency_ms=1000), LATENCY, Outcome.FAILED, True),
        (Limits(), answered(reason=FallbackReason.TIMEOUT), FALLBACKS, Outcome.FAILED, True),
        (Limits(fallbacks=1.0), answered(reason=FallbackReason.TIMEOUT), FALLBACKS, Outcome.PASSED, False),
    ],
)
def test_a_limit(limits: Limits, then: Source, about: str, outcome: Outcome, blocks: bool) -> None:
    findings = {own.about: own for own in check_limits(limits, compared(NOW, run_of(then)), "d")}
    assert (findings[about].outcome, findings[about].blocks) == (outcome, blocks)
    assert {name for name, own in findings.items() if own.blocks} == ({about} if blocks else set())


def test_growth_that_may_be_luck_stops_nothing() -> None:
    one = talks()[0].id
    dear, cheap = answered(cost=0.2), answered()
    then = [
        with_sources(record, extraction=own, question=own, expansion=own)
        for record in by_model()
        for own in [dear if record.conversation_id == one else cheap]
    ]
    comparison = compared(NOW, then)
    row = comparison.row(COST)
    assert row.second.value is not None
    assert row.first.value is not None
    assert row.second.value > 1.5 * row.first.value
    (finding,) = (own for own in check_limits(Limits(), comparison, "d") if own.about == COST)
    assert finding.outcome is Outcome.PASSED


def test_a_turn_that_failed_stops_whatever_the_limits_are() -> None:
    first, *rest = NOW
    failed = first.model_copy(
        update={"result": Failure(error="ValueError", message="somewhere"), "after": first.before}
    )
    findings = {own.about: own for own in check_limits(NO_LIMITS, compared(NOW, [failed, *rest]), "d")}
    assert findings[FAILURES].blocks
    assert FALLBACKS not in findings
