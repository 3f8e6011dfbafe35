"""The Pareto front."""

from __future__ import annotations

import pytest

from evals.tuning.pareto import front


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([], ()),
        ([(0.1, 0.9), (0.9, 0.1), (0.5, 0.5)], (0, 1, 2)),
        ([(0.1, 0.1), (0.2, 0.2)], (1,)),
        ([(0.2, 0.2), (0.2, 0.2), (0.2, 0.1)], (0,)),
        ([(0.2, 0.3), (0.2, 0.4), (0.3, 0.3)], (1, 2)),
    ],
)
def test_what_no_other_beats_in_everything_is_on_the_front(points, expected):
    assert front([{"a": a, "b": b} for a, b in points]) == expected
