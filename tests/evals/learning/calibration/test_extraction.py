from __future__ import annotations

import pytest

from engine.model.analysis import FallbackReason, Source
from engine.model.qualification import Dimension
from evals.learning.calibration.extraction import extraction_claims, read_extraction
from evals.metrics.judged import View
from tests.evals.metrics.turns import analysis, judged, said, signal


def turn(source: Source, *, budget: float, right: bool, pain: float | None = None, view: View = View.ALL):
    signals = {"budget": signal("q", confidence=budget)}
    signals |= {"pain": signal("q", confidence=pain)} if pain is not None else {}
    label = {"dimensions": [said("budget")] if right else [said("need")]}
    return judged(analysis(signals, source=source), label, view=view)


LLM, RULES = Source(kind="llm", model="m"), Source(kind="rules")
FALLBACK = Source(kind="rules", fallback_reason=FallbackReason.TIMEOUT)


def test_each_source_and_each_of_its_dimensions_is_read_by_itself():
    turns = [
        turn(LLM, budget=0.8, right=True),
        turn(LLM, budget=0.8, right=False, pain=0.4),
        turn(RULES, budget=0.6, right=True),
        turn(FALLBACK, budget=0.5, right=False),
    ]
    found = read_extraction(extraction_claims(turns))
    figures = {(own.source, own.dimension): (own.reading.n, own.reading.brier.value) for own in found}
    assert figures == {
        ("fallback", None): (1, pytest.approx(0.25)),
        ("fallback", Dimension.BUDGET): (1, pytest.approx(0.25)),
        ("llm", None): (3, pytest.approx((0.04 + 0.64 + 0.16) / 3)),
        ("llm", Dimension.BUDGET): (2, pytest.approx((0.04 + 0.64) / 2)),
        ("llm", Dimension.PAIN): (1, pytest.approx(0.16)),
        ("rules", None): (1, pytest.approx(0.16)),
        ("rules", Dimension.BUDGET): (1, pytest.approx(0.16)),
    }


def test_a_fallback_counts_only_where_it_is_asked_for():
    assert len(extraction_claims([turn(FALLBACK, budget=0.5, right=True, view=View.MODEL)])) == 0


def test_a_turn_that_nobody_labelled_says_nothing():
    unlabelled = judged(analysis({"budget": signal("q", confidence=0.8)}), None)
    assert read_extraction(extraction_claims([unlabelled])) == ()
