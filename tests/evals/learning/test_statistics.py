"""Pooling, trend, time to reply, funnel and association, against formulas by hand, scipy, and a known truth."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import CensoredData, ecdf

from engine.errors import InputError
from evals.learning.association import WARNING, association
from evals.learning.facts import Cell, Waits, Week
from evals.learning.funnel import funnel
from evals.learning.pooling import pooled
from evals.learning.simulated import WorldSettings, simulate
from evals.learning.survival import time_to_reply, waits_of
from evals.learning.trend import Promotion, trend
from tests.evals.learning.values import cell, cells_of


def test_small_cells_are_pulled_toward_the_whole_and_large_ones_hardly():
    small, large, other = pooled([cell(3, 3), cell(900, 2_000), cell(400, 1_000)])
    assert small.raw.value == 1.0
    assert 0.4 < small.value < 0.75
    assert small.weight < 0.3
    assert large.value == pytest.approx(0.45, abs=0.005)
    assert large.weight > 0.9
    assert small.high - small.low > other.high - other.low


def test_cells_that_differ_much_are_pulled_less_than_cells_that_are_alike():
    alike = pooled([cell(n, 40) for n in (19, 20, 21, 20, 19, 21)])
    apart = pooled([cell(n, 40) for n in (4, 36, 10, 30, 2, 38)])
    assert alike[0].weight < 0.4 < 0.8 < apart[0].weight


def test_a_cell_without_outcomes_gets_the_whole_and_no_cells_get_nothing():
    empty = pooled([Cell(("new",), 0, 0, 0), cell(30, 100), cell(31, 100)])[0]
    assert empty.weight == 0
    assert 0.2 < empty.value < 0.4
    assert empty.raw.value is None
    assert pooled([Cell(("new",), 4, 0, 0, pending=4)]) == []


def test_pooled_intervals_hold_the_true_rate():
    hits = total = 0
    for seed in range(20):
        world = simulate(seed, 40)
        counted = world.facts.resolved
        cells = list(cells_of(world.facts, "target"))  # the target changes nothing here: all have the same rate
        for found in pooled(cells):
            hits += found.low <= 0.495 <= found.high
            total += 1
        assert counted.sum() > 80
    assert hits / total > 0.92


def test_the_trend_has_a_point_for_each_period_with_the_promotions_in_it():
    weeks = [Week(date(2026, 1, 5) + timedelta(weeks=n), cell(n, 10)) for n in (0, 1, 2, 4, 6)]
    promotion = Promotion(datetime(2026, 1, 15, tzinfo=UTC), "second prompt")
    by_week = trend(weeks, [promotion])
    assert [point.rate.value for point in by_week] == [0.0, 0.1, 0.2, 0.4, 0.6]
    assert [bool(point.promotions) for point in by_week] == [False, True, False, False, False]
    by_month = trend(weeks, [promotion], by="month")
    assert [(point.begins, point.rate.cell.positive) for point in by_month] == [
        (date(2026, 1, 1), 3),
        (date(2026, 2, 1), 10),
    ]
    wide = trend(weeks, design_effect=2.0)[4].rate
    assert wide.high - wide.low > by_week[4].rate.high - by_week[4].rate.low
    with pytest.raises(InputError, match="zone"):
        trend(weeks, [Promotion(datetime(2026, 1, 15), "no zone")])  # noqa: DTZ001


def test_the_time_to_reply_is_kaplan_meier_as_scipy_has_it():
    chance = np.random.default_rng(1)
    answered, ended = chance.integers(1, 50, 60), chance.integers(1, 60, 80)
    seconds = np.unique(np.concatenate([answered, ended]))
    waits = Waits(seconds, *(np.array([(each == s).sum() for s in seconds]) for each in (answered, ended)))
    found = time_to_reply(waits)
    theirs = ecdf(CensoredData(uncensored=answered, right=ended)).sf
    interval = theirs.confidence_interval(method="log-log")
    at = np.isin(theirs.quantiles, found.seconds)
    assert found.replied == pytest.approx(1 - theirs.probabilities[at])
    known = theirs.probabilities[at] > 0
    assert found.low[known] == pytest.approx(1 - interval.high.probabilities[at][known])
    assert found.high[known] == pytest.approx(1 - interval.low.probabilities[at][known])
    assert found.n == 140
    assert found.answered == 60


def test_pending_questions_are_censored_and_not_counted_as_unanswered():
    by_hand = time_to_reply(Waits(np.array([1, 2, 3]), np.array([1, 0, 1]), np.array([0, 2, 0])))
    assert by_hand.replied.tolist() == pytest.approx([0.25, 1.0])  # 3 of 4 wait on; then 1 of 1 is answered
    assert by_hand.by(2.5) == pytest.approx(0.25)
    assert by_hand.quantile(0.5) == 3
    nobody = time_to_reply(Waits(*(np.array(each) for each in ([5], [0], [4]))))
    assert (len(nobody.seconds), nobody.by(10), nobody.quantile(0.1), nobody.n) == (0, 0.0, None, 4)


def test_the_share_that_replies_in_the_simulated_world_is_the_true_one():
    world = simulate(11, 2_000, WorldSettings(reported_late=0.0, impatient=0.3))
    found = time_to_reply(waits_of(world.facts))
    truth = world.truth.reply_probability.mean()
    assert found.low[-1] - 0.01 < truth < found.high[-1] + 0.01
    assert found.followed_s == 86_400


def test_the_funnel_counts_the_unknown_apart():
    steps = funnel(
        Cell(
            (),
            100,
            60,
            20,
            pending=15,
            early=2,
            superseded=13,
            not_sent=10,
            sent=70,
            unsure_sent=20,
            advanced=9,
            progress_known=50,
            answered_advanced=5,
            answered_progress_known=12,
        )
    )
    assert [(step.name, step.reached, step.stopped, step.unknown) for step in steps] == [
        ("recommended", 100, 0, 0),
        ("sent", 70, 10, 20),
        ("replied", 20, 40, 30),
        ("stage advanced", 5, 7, 8),
    ]
    assert steps[3].share == pytest.approx(5 / 12)
    assert funnel(Cell((), 3, 0, 0, pending=3))[2].share is None


def test_adjusting_for_persona_and_stage_finds_the_effect_that_was_put_in():
    found = association(simulate(21, 4_000).facts, choices=("prompt",), adjusted_for=("persona", "stage"))
    (effect,) = found.effects
    assert effect.odds_low < np.exp(0.25 * (1 if effect.level.endswith("96") else -1) * 0.87) < effect.odds_high
    assert found.warning == WARNING
    assert "not effect" in WARNING


def test_a_level_that_was_always_answered_has_a_finite_effect():
    facts = simulate(22, 300).facts
    always = facts.words("question_type").equals("impact") & ~facts.positive
    found = association(facts.where(~always), choices=("question_type",))
    impact = next(effect for effect in found.effects if "impact" in (effect.level, effect.reference))
    assert np.isfinite([impact.odds_ratio, impact.odds_low, impact.odds_high]).all()


def test_association_refuses_what_cannot_tell_choices_apart():
    facts = simulate(23, 12).facts
    with pytest.raises(InputError, match="do not tell choices apart"):
        association(facts)
    with pytest.raises(InputError, match="no dimension"):
        association(facts, choices=("colour",))


def test_clustered_errors_of_repeated_conversations_do_not_shrink():
    facts = simulate(24, 400).facts
    once = association(facts, choices=("delivery",))
    thrice = association(facts.where(np.tile(np.arange(len(facts)), 3)), choices=("delivery",))
    for one, three in zip(once.effects, thrice.effects, strict=True):
        assert three.odds_high / three.odds_low == pytest.approx(one.odds_high / one.odds_low, rel=0.02)
