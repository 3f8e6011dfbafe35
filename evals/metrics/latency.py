"""How long a turn waits for its slowest call. Quantiles come from a histogram, so that they too are sums.

Bins grow by 5 % from 1 ms to about ten minutes, and a quantile is interpolated within its bin: what is shown is
within 5 % of the exact order statistic.
"""

from __future__ import annotations

import math

import numpy as np

from evals.inference.resampling import Array
from evals.metrics.formulas import ratio
from evals.metrics.judged import JudgedTurn
from evals.metrics.metric import A_TENTH, Counted, Metric, Tally, Totals
from evals.records import Failure

SHORTEST_MS = 1.0
GROWTH = 1.05
BINS = 274  # the last ends beyond ten minutes

_LN_GROWTH = math.log(GROWTH)
_PARTS = tuple(f"b{number:03}" for number in range(BINS))


def bin_of(latency_ms: float) -> int:
    """The number of its bin; what is shorter or longer than all of them is in the first or the last."""
    if latency_ms <= SHORTEST_MS:
        return 0
    return min(BINS - 1, int(math.log(latency_ms / SHORTEST_MS) / _LN_GROWTH))


def quantile(histogram: Array, share: float) -> Array:
    """The latency in ms that this share of turns does not exceed, from counts of shape (..., BINS); NaN if empty."""
    upto = histogram.cumsum(axis=-1)
    wanted = share * upto[..., -1:]
    found = np.argmax(upto >= np.maximum(wanted, 1e-9), axis=-1, keepdims=True)
    inside = np.take_along_axis(histogram, found, axis=-1)
    below = np.take_along_axis(upto, found, axis=-1) - inside
    bins = found + (wanted - below) / inside
    latency: Array = (SHORTEST_MS * GROWTH**bins)[..., 0]
    return latency


def _waits(turn: JudgedTurn) -> Counted | None:
    """Rules are not waited for: they take about a millisecond, and nobody measures it."""
    if isinstance(turn.record.result, Failure):
        return None
    sources = turn.used.sources.values()
    if all(source.kind in ("rules", "labels") and not source.is_fallback for source in sources):
        return {"seconds": 0.0, "n": 1.0}
    latency = turn.used.latency_ms
    return None if latency is None else {"seconds": latency / 1000, "n": 1.0}


def _histogram(turn: JudgedTurn) -> Counted | None:
    latency = None if isinstance(turn.record.result, Failure) else turn.used.latency_ms
    return None if latency is None else {_PARTS[bin_of(latency)]: 1.0}


WAITS = Tally(name="operations.waits", parts=("seconds", "n"), answer=None, observe=_waits)
HISTOGRAM = Tally(name="operations.latencies", parts=_PARTS, answer=None, observe=_histogram)


def _quantile_metric(percent: int, *, detail: bool) -> Metric:
    def value(totals: Totals) -> Array:
        return quantile(totals.all(), percent / 100)

    return Metric(
        name=f"operations.latency_p{percent}",
        title=f"Latency, {percent} % of turns within",
        direction="lower",
        unit="ms",
        formula=f"{percent} % quantile of the slowest call of each turn; a histogram with bins of {GROWTH - 1:.0%}",
        source="engine.model.analysis.Analysis.latency_ms, measured calls only",
        tally=HISTOGRAM,
        value=value,
        margin=A_TENTH,
        detail=detail,
    )


WAIT = Metric(
    name="operations.wait",
    title="Mean wait for models, a turn",
    direction="lower",
    unit="s",
    formula="mean of the slowest call of each turn; 0 where only rules were asked",
    source="engine.model.analysis.Analysis.latency_ms",
    tally=WAITS,
    value=ratio("seconds", "n"),
    margin=A_TENTH,
    detail=True,
)

METRICS = (
    _quantile_metric(50, detail=False),
    _quantile_metric(95, detail=False),
    _quantile_metric(99, detail=True),
    WAIT,
)
