"""How figures of metrics are written."""

from __future__ import annotations

import pytest

from evals.report import figures


@pytest.mark.parametrize(
    ("figure", "unit", "value", "difference"),
    [
        (0.5985, "share", "59.9 %", "+59.9 pts"),
        (-0.0412, "share", "−4.1 %", "−4.1 pts"),
        (0.0, "share", "0.0 %", "0.0 pts"),
        (-0.00001, "share", "0.0 %", "0.0 pts"),
        (0.834, "score", "0.83", "+0.83"),
        (812.4, "ms", "812 ms", "+812 ms"),
        (1_234.0, "ms", "1.23 s", "+1.23 s"),
        (0.5, "s", "0.50 s", "+0.50 s"),
        (20_743.4, "tokens", "20,743", "+20,743"),
        (0.0423, "USD", "$0.0423", "+$0.0423"),
        (1_234.5, "USD", "$1,234.50", "+$1,234.50"),
        (1.0, "count", "1.00", "+1.00"),
        (None, "share", "—", "—"),
    ],
)
def test_figures_carry_their_unit_and_differences_their_sign(figure, unit, value, difference):
    assert figures.value(figure, unit) == value
    assert figures.difference(figure, unit) == difference


@pytest.mark.parametrize(
    ("low", "high", "unit", "expected"),
    [
        (0.52, 0.66, "share", "[52.0, 66.0]"),
        (800.0, 900.0, "ms", "[800 ms, 900 ms]"),
        (None, 0.5, "share", ""),
        (-0.5, 0.5, "score", "[−0.50, 0.50]"),
    ],
)
def test_an_interval_leaves_out_the_unit_that_the_figure_has_said(low, high, unit, expected):
    assert figures.interval(low, high, unit) == expected


def test_the_interval_of_a_difference_has_signs():
    assert figures.difference_interval(-0.02, 0.05, "share") == "[−2.0, +5.0]"
    assert figures.size(-0.02, "share") == "2.0 pts"


@pytest.mark.parametrize(("p", "expected"), [(None, "—"), (0.0002, "<0.001"), (0.0123, "0.012"), (0.5, "0.50")])
def test_small_p_values_are_not_written_as_nothing(p, expected):
    assert figures.p_value(p) == expected
