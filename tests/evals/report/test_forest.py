"""The forest plot: scales, directions, and what has no place in it."""

from __future__ import annotations

import re

import pytest

from evals.report.forest import not_drawn, panels, svg
from tests.evals.report.rows import BETTER, TIED, WORSE, row


@pytest.mark.parametrize(
    ("name", "first", "second", "gain"),
    [
        ("extraction.f1", 0.5, 0.7, 20.0),
        ("extraction.brier", 0.3, 0.2, 10.0),  # lower is better
        ("question.pain_depth", 0.5, 0.4, -10.0),
        ("operations.tokens", 1_000.0, 1_500.0, -50.0),  # percent of the first
    ],
)
def test_better_is_to_the_right_whichever_way_a_metric_counts(name, first, second, gain):
    (panel,) = panels([row(name, first, second, BETTER)])
    (line,) = panel.lines
    assert line.gain == pytest.approx(gain)
    assert line.low is not None
    assert line.high is not None
    assert line.low < line.gain < line.high
    begin, end = panel.scale
    assert begin < 0 < end


def test_the_scale_has_room_for_every_interval_up_to_a_limit():
    (panel,) = panels([row("extraction.f1", 0.1, 0.9, BETTER), row("extraction.recall", 0.5, 0.3, WORSE)])
    begin, end = panel.scale
    assert begin < -22
    assert end > 82
    (far,) = panels([row("operations.tokens", 1.0, 1_000.0, WORSE)])
    assert far.scale[0] == -200


def test_what_is_alike_or_percent_of_nothing_is_named_beside_the_plot():
    rows = [row("extraction.verbatim", 1.0, 1.0, TIED), row("operations.tokens", 0.0, 900.0, WORSE)]
    assert panels(rows) == ()
    assert not_drawn(rows) == (
        "Counted alike on every turn: Evidence that is a verbatim quote.",
        "Not drawn, since the first run has none of it: Tokens, a conversation.",
    )


def test_the_drawing_says_each_verdict_by_shape_and_word():
    (panel,) = panels([row("extraction.f1", 0.5, 0.7, BETTER), row("question.type", 0.7, 0.5, WORSE)])
    drawn = svg(panel)
    assert "▲" in drawn
    assert "▼" in drawn
    assert re.search(r">\+20\.0 pts {2}better<", drawn)
    assert re.search(r">−20\.0 pts {2}worse<", drawn)
