"""The intervals of readings hold what is true: a small version of `tests/benchmarks/calibration.py`."""

from __future__ import annotations

from tests.benchmarks.calibration import EXAGGERATING, World, held


def test_95_percent_intervals_hold_the_truth_about_as_often_as_they_say():
    counts = held(World(EXAGGERATING), seeds=16)
    assert set(counts) > {"a bin's share", "Brier score", "squared error, debiased"}
    for name, found in counts.items():
        assert sum(found) / len(found) >= 0.75, name
    shares = counts["a bin's share"]
    assert 0.91 <= sum(shares) / len(shares) <= 0.99
