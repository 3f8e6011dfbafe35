from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from evals.learning.calibration.drift import LEAST, MAX_AGE, MOVED, Stale, drift, drifted, moved, too_old
from evals.learning.calibration.observations import observe

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def claims(seed: int, n: int, truth, cell: str = "model"):
    """Probabilities between 0.2 and 0.8, of which each comes true with a chance of `truth`."""
    chance = np.random.default_rng(seed)
    said = np.round(chance.uniform(0.2, 0.8, n), 3)
    came = chance.random(n) < truth(said)
    own = observe(said, came, [f"c{number}" for number in range(n)], cells=([cell] * n,))
    return own, own.confidence


def kinds(own, probability) -> set[Stale]:
    return {alert.kind for alert in drifted(drift(own, probability))}


@pytest.mark.parametrize(
    ("truth", "expected"),
    [
        (lambda p: p, set()),
        (lambda p: p - 0.15, {Stale.GAP}),
        (lambda p: p + 0.15, {Stale.GAP}),
        (lambda p: 0.5 + 0.2 * (p - 0.5), {Stale.SLOPE}),
        (lambda p: np.clip(0.5 + 2.2 * (p - 0.5), 0.01, 0.99), {Stale.SLOPE}),
    ],
)
def test_an_alert_says_what_is_no_longer_right(truth, expected):
    assert kinds(*claims(1, 1_500, truth)) == expected


def test_alerts_are_told_with_their_figures():
    (alert,) = drifted(drift(*claims(1, 1_500, lambda p: p - 0.15)))
    assert alert.cell == "model"
    assert alert.figure == pytest.approx(0.15, abs=0.05)
    assert "of 1,500 did" in alert.words


def test_what_is_still_right_hardly_ever_gives_an_alert():
    found = [kinds(*claims(seed, 300, lambda p: p)) for seed in range(100)]
    assert sum(bool(own) for own in found) <= 4


@pytest.mark.parametrize("n", [0, LEAST - 1])
def test_too_few_outcomes_are_not_tested(n):
    own, probability = claims(1, n, lambda p: 0 * p)
    assert drift(own, probability) == []


def test_outcomes_of_few_conversations_are_not_tested():
    own = observe([0.9] * 200, [False] * 200, [f"c{number % 5}" for number in range(200)], cells=(["model"] * 200,))
    assert drift(own, own.confidence) == []


def test_conversations_that_are_alike_do_not_make_a_test_surer():
    """Twelve customers of whom five always answer: the share is far from 0.6 for claims, and not for customers."""
    came = [number % 12 < 5 for number in range(600)]
    own = observe([0.6] * 600, came, [f"c{number % 12}" for number in range(600)], cells=(["model"] * 600,))
    (tested,) = drift(own, own.confidence)
    assert tested.share == pytest.approx(5 / 12)
    assert tested.gap_p > 0.2
    assert tested.slope_p is None  # all said the same


@pytest.mark.parametrize(("days", "stale"), [(1, False), (90, False), (91, True)])
def test_a_calibration_is_too_old_after_its_limit(days, stale):
    found = too_old(NOW - timedelta(days=days), NOW, MAX_AGE)
    assert [alert.kind for alert in found] == [Stale.TOO_OLD] * stale


@pytest.mark.parametrize(
    ("before", "after", "stale"),
    [
        ({"a": 500, "b": 500}, {"a": 260, "b": 240}, False),  # luck
        ({"a": 500, "b": 500}, {"a": 420, "b": 80}, True),
        ({"a": 500, "b": 500}, {"a": 250, "b": 250, "c": 250}, True),  # something new
        ({"a": 500, "b": 500}, {"a": 500}, True),  # something gone
        ({"a": 500_000, "b": 500_000}, {"a": 510_000, "b": 490_000}, False),  # beyond luck, and nobody would mind
        ({"a": 30, "b": 10}, {"a": 5, "b": 35}, False),  # too few
        ({"a": 500}, {"a": 500}, False),
    ],
)
def test_a_population_has_moved_beyond_luck_and_by_enough_to_matter(before, after, stale):
    found = moved(before, after, "questions")
    assert [alert.kind for alert in found] == [Stale.POPULATION] * stale
    assert all(alert.figure > MOVED for alert in found)


def test_the_stability_index_is_that_of_a_table_worked_by_hand():
    (alert,) = moved({"a": 500, "b": 250, "c": 250}, {"a": 900, "b": 50, "c": 50}, "questions")
    assert alert.figure == pytest.approx(0.4 * np.log(0.9 / 0.5) - 2 * 0.2 * np.log(0.05 / 0.25), abs=0.01)
    assert alert.words == "questions have moved: a was 50% of them, and is 90% now"


def test_questions_that_come_in_the_same_conversations_have_to_move_further():
    before, after = {"a": 500, "b": 500}, {"a": 75, "b": 25}
    assert moved(before, after, "questions")
    assert not moved(before, after, "questions", alike=20)
