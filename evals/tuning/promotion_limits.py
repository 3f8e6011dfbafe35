"""What a prompt set may cost, how long it may take, and how often a fallback may stand in for it."""

from __future__ import annotations

from collections.abc import Iterator

from evals.compare import Comparison, Row
from evals.gates import Outcome
from evals.report import figures
from evals.tuning.decision import Finding
from evals.tuning.promotion_file import Limits

COST, LATENCY = "operations.cost", "operations.latency_p95"
FALLBACKS, FAILURES = "operations.fallbacks", "operations.failures"
OPERATIONS = (COST, LATENCY, FALLBACKS, FAILURES)


def check_limits(limits: Limits, comparison: Comparison, dataset: str) -> Iterator[Finding]:
    """Every limit with its figure; the second run of the comparison is the candidate's."""
    yield _within(comparison.row(COST), limits.cost_growth, limits.cost_usd, dataset)
    yield _within(comparison.row(LATENCY), limits.latency_growth, limits.latency_p95_ms, dataset)
    if limits.fallbacks is not None:
        yield _at_most(comparison.row(FALLBACKS), limits.fallbacks, dataset)
    yield _at_most(comparison.row(FAILURES), 0.0, dataset)


def _within(row: Row, growth: float | None, most: float | None, dataset: str) -> Finding:
    """A limit by itself, and one on growth, which only stops what is more than luck."""
    unit, now, then = row.metric.unit, row.first.value, row.second.value
    said = f"{row.metric.title}: {figures.value(now, unit)} now, {figures.value(then, unit)} then"
    if then is None:
        reason = f"{row.metric.title} is not known"
        if most is None:
            return _finding(row, Outcome.PASSED, f"{reason}, so that it is not limited", dataset)
        return _finding(row, Outcome.NOT_ENOUGH_DATA, f"{reason}, and there is a limit to it", dataset, blocks=True)
    if most is not None and then > most:
        reason = f"{said}, more than the limit of {figures.value(most, unit)}"
        return _finding(row, Outcome.FAILED, reason, dataset, blocks=True)
    if growth is not None and now is not None and then > now * (1 + growth) and _is_more(row):
        reason = f"{said}, more than {growth:.0%} above what it is now"
        return _finding(row, Outcome.FAILED, reason, dataset, blocks=True)
    return _finding(row, Outcome.PASSED, said, dataset)


def _is_more(row: Row) -> bool:
    """Whether the difference is more than luck, or nothing is known about that."""
    return row.difference.low is None or row.difference.low > 0


def _at_most(row: Row, share: float, dataset: str) -> Finding:
    unit, then = row.metric.unit, row.second.value
    said = f"{row.metric.title}: {figures.value(then, unit)}"
    if then is not None and then > share:
        reason = f"{said}, more than the limit of {figures.value(share, unit)}"
        return _finding(row, Outcome.FAILED, reason, dataset, blocks=True)
    return _finding(row, Outcome.PASSED, said, dataset)


def _finding(row: Row, outcome: Outcome, reason: str, dataset: str, *, blocks: bool = False) -> Finding:
    return Finding("limit", row.metric.name, outcome, reason, dataset, row.second, blocks)
