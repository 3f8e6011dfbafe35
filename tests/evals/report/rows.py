"""Comparisons written down by hand, for what is said and drawn of them."""

from __future__ import annotations

from typing import Any

from evals.compare import Comparison, Row
from evals.inference.verdict import Verdict
from evals.metrics import find_metric
from evals.metrics.judged import View
from evals.records import Estimate

BETTER, WORSE, TIED, OPEN = Verdict.BETTER, Verdict.WORSE, Verdict.TIED, Verdict.NOT_ENOUGH_DATA


def row(name: str, first: float | None, second: float | None, verdict: Verdict = OPEN, **fields: Any) -> Row:
    """A row of the metric of this name; the interval of its difference reaches 0.02 to either side."""
    difference = None if first is None or second is None else second - first
    around = {} if difference is None else {"low": difference - 0.02, "high": difference + 0.02}
    values = {
        "metric": find_metric(name),
        "first": Estimate(value=first, n=40),
        "second": Estimate(value=second, n=40),
        "difference": Estimate(value=difference, n=12, **around),
        "test": "bootstrap over conversations",
        "p": 0.01,
        "holm": 0.02,
        "benjamini_hochberg": 0.02,
        "detectable": 0.03,
        "margin": 0.05,
        "verdict": verdict,
        "reason": "",
        "turns": 40,
        "left_out": (0, 0),
        "turns_differing": 0 if verdict is TIED else 9,
    }
    return Row(**{**values, **fields})


def comparison(*rows: Row, first: str = "first-run", second: str = "second-run") -> Comparison:
    return Comparison(
        first=first,
        second=second,
        view=View.MODEL,
        same_variant=False,
        rows=rows,
        turns=40,
        left_out=(1, 2),
        conversations=12,
        resamples=1_000,
        seed=7,
    )
