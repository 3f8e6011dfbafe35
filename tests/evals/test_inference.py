"""Inference: resampling, intervals, p-values, corrections and verdicts, by hand, against scipy, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evals.inference import resampling
from evals.inference.intervals import Spread, estimate, interval, p_value, spread
from evals.inference.multiplicity import benjamini_hochberg, holm
from evals.inference.power import smallest_detectable
from evals.inference.resampling import CLUSTERS, Array, clustered, enough, flipped_totals, resampled_totals
from evals.inference.significance import mcnemar_p, sign_flip_p
from evals.inference.verdict import Verdict, judge
from tests.benchmarks import simulated
from tests.benchmarks.statistics import Kind


def all_of(blocks: object) -> Array:
    return np.concatenate(list(blocks))  # type: ignore[call-overload]


def mean(totals: Array) -> Array:
    """Of totals (..., [sum, n])."""
    value: Array = totals[..., 0] / totals[..., 1]
    return value


def of_values(*values: float) -> Array:
    """One conversation for each value, as [sum, n]."""
    return np.array([[value, 1.0] for value in values])


# Resampling


def test_of_very_many_conversations_groups_are_resampled_with_the_same_result():
    many = np.random.default_rng(3).gamma(2.0, size=(3_000, 2))
    own = clustered(many)
    assert len(own) == CLUSTERS
    np.testing.assert_allclose(own.sum(axis=0), many.sum(axis=0))
    grouped = spread(mean(all_of(resampled_totals(many, resamples=4_000))), 3_000)
    relative = many / many.mean(axis=0)  # the ratio's error by linearisation
    expected = mean(many.sum(axis=0)) * np.sqrt(((relative[:, 0] - relative[:, 1]) ** 2).mean() / len(many))
    assert grouped.error == pytest.approx(float(expected), rel=0.08)
    assert grouped.degrees == CLUSTERS - 1


def test_up_to_so_many_conversations_each_is_resampled():
    few = np.ones((CLUSTERS, 1))
    assert clustered(few) is few


@pytest.mark.parametrize(
    ("conversations", "wanted"), [(1, 10_000), (200, 10_000), (500, 4_000), (1_000, 2_000), (9_999, 2_000)]
)
def test_the_more_conversations_the_fewer_resamples_are_enough(conversations: int, wanted: int):
    assert enough(conversations) == wanted


def test_sign_flips_of_very_many_conversations_turn_groups():
    differences = np.random.default_rng(5).normal(size=(2_500, 1))
    totals = all_of(flipped_totals(differences, flips=3_000))
    assert totals.std() == pytest.approx(np.sqrt((differences**2).sum()), rel=0.08)


def test_a_resample_draws_as_many_conversations_as_there_are():
    totals = all_of(resampled_totals(np.ones((7, 1)), resamples=50))
    assert totals.shape == (50, 1)
    assert set(totals.ravel()) == {7.0}


def test_equal_seeds_draw_equal_conversations_and_others_do_not():
    statistics = np.random.default_rng(0).normal(size=(20, 3))
    first, again, other = (all_of(resampled_totals(statistics, resamples=40, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_blocks_together_are_all_resamples(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resampling, "BLOCK_CELLS", 20)
    blocks = list(resampled_totals(np.ones((5, 2)), resamples=11))
    assert [len(block) for block in blocks] == [4, 4, 3]


def test_a_part_that_nobody_has_stays_0():
    totals = all_of(resampled_totals(np.array([[0.0, 1.0], [0.0, 2.0]]), resamples=30))
    assert not totals[:, 0].any()
    assert totals[:, 1].all()


def test_without_conversations_there_is_nothing_to_resample():
    with pytest.raises(ValueError, match="no conversations"):
        resampled_totals(np.zeros((0, 2)))


def test_the_spread_of_a_mean_is_the_textbooks_standard_error():
    values = np.random.default_rng(3).normal(10, 2, 60)
    draws = mean(all_of(resampled_totals(of_values(*values), resamples=20_000)))
    found = spread(draws, 60)
    assert found.degrees == 59
    assert found.error == pytest.approx(values.std(ddof=1) / math.sqrt(60), rel=0.02)


def test_few_conversations_have_their_signs_turned_in_all_ways():
    totals = all_of(flipped_totals(np.array([[1.0], [2.0], [4.0]])))
    assert sorted(totals.ravel()) == [-7, -5, -3, -1, 1, 3, 5, 7]
    assert totals[0, 0] == 7


# Intervals


def test_an_interval_ends_at_0_exactly_where_p_is_5_percent():
    around = Spread(error=0.1, degrees=17)
    low, _ = interval(0.0, around) or (0.0, 0.0)
    assert p_value(-low, around) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("draws", "conversations"),
    [([0.1, 0.2, 0.3], 1), ([0.1, math.nan, math.nan], 5), ([], 5)],
    ids=["one conversation", "mostly undefined", "nothing"],
)
def test_too_little_has_no_known_spread(draws: list[float], conversations: int):
    found = spread(np.array(draws), conversations)
    assert found.error is None
    assert interval(0.5, found) is None
    assert p_value(0.5, found) is None


def test_rounding_is_no_spread():
    assert spread(np.array([0.3, 0.1 + 0.2, 0.3, 0.3]), 4).error == 0.0


CERTAIN = np.full(10, 1.0)
ESTIMATES = {
    "no data": (math.nan, np.full(10, np.nan), 0, (None, None, None)),
    "a share that never varied": (1.0, CERTAIN, 10, (1.0, 0.025**0.1, 1.0)),
    "a share of none": (0.0, np.zeros(10), 10, (0.0, 0.0, 1 - 0.025**0.1)),
    "a share in between that never varied": (0.5, np.full(10, 0.5), 10, (0.5, None, None)),
    "one conversation": (0.5, np.array([0.4, 0.6]), 1, (0.5, None, None)),
}


@pytest.mark.parametrize(("value", "draws", "conversations", "wanted"), ESTIMATES.values(), ids=ESTIMATES)
def test_an_estimate_claims_no_more_than_is_known(
    value: float, draws: Array, conversations: int, wanted: tuple[float | None, ...]
):
    found = estimate(value, draws, n=10, conversations=conversations, bounds=(0.0, 1.0), is_share=True)
    assert (found.value, found.low, found.high) == pytest.approx(wanted)


def test_an_interval_stays_within_what_the_figure_can_be():
    draws = np.random.default_rng(0).normal(0.95, 0.05, 1_000)
    found = estimate(0.95, draws, n=10, conversations=10, bounds=(0.0, 1.0), is_share=True)
    assert found.high == 1.0
    assert found.low is not None
    assert found.low < 0.9


# Significance

FLIPS = {
    "all the same way": ([1, 1, 1], [0, 0, 0], 2 / 8),
    "no difference": ([1, 2, 3], [1, 2, 3], 1.0),
    "one conversation": ([1], [0], 1.0),
    "they cancel": ([1, 0], [0, 1], 1.0),
    "six the same way": ([1] * 6, [0] * 6, 2 / 64),
    # Of the sums of ±1 ±2 ±4, only 5 and 7 are as far from 0 as 1 - 2 - 4 = -5.
    "mixed": ([0, 2, 4], [1, 0, 0], 4 / 8),
}


@pytest.mark.parametrize(("first", "second", "wanted"), FLIPS.values(), ids=FLIPS)
def test_sign_flips_of_worked_examples(first: list[float], second: list[float], wanted: float):
    assert sign_flip_p(of_values(*first), of_values(*second), mean) == pytest.approx(wanted)


def test_sign_flips_give_what_scipy_gives():
    from scipy.stats import permutation_test

    generator = np.random.default_rng(8)
    first, second = generator.normal(size=10), generator.normal(0.8, 1, size=10)
    wanted = permutation_test(
        (first, second), lambda a, b, axis: (b - a).mean(axis=axis), permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flip_p(of_values(*first), of_values(*second), mean) == pytest.approx(wanted.pvalue)


def test_many_conversations_are_flipped_at_random_and_p_is_never_0():
    found = sign_flip_p(of_values(*[1.0] * 40), of_values(*[0.0] * 40), mean, flips=999)
    assert found == pytest.approx(1 / 1000)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_an_undefined_difference_has_no_p():
    assert sign_flip_p(np.zeros((3, 2)), np.zeros((3, 2)), mean) is None


@pytest.mark.parametrize(
    ("only_first", "only_second", "same", "wanted"),
    [(0, 0, 5, 1.0), (5, 0, 3, 2 / 32), (6, 1, 0, 0.125), (1, 6, 9, 0.125), (3, 3, 0, 1.0)],
)
def test_mcnemar_of_worked_examples(only_first: int, only_second: int, same: int, wanted: float):
    first = np.repeat([True, False, True], [only_first, only_second, same])
    second = np.repeat([False, True, True], [only_first, only_second, same])
    assert mcnemar_p(first, second) == pytest.approx(wanted)


def test_mcnemar_without_a_conversation_is_no_data():
    assert mcnemar_p(np.zeros(0, bool), np.zeros(0, bool)) is None


# Multiplicity and power


def test_holm_of_a_worked_example():
    assert holm([0.01, 0.04, None, 0.03, 0.005]) == pytest.approx([0.03, 0.06, None, 0.06, 0.02])


def test_benjamini_hochberg_gives_what_scipy_gives():
    from scipy.stats import false_discovery_control

    ps = np.random.default_rng(2).uniform(0, 0.2, 15)
    assert benjamini_hochberg(ps.tolist()) == pytest.approx(false_discovery_control(ps).tolist())


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_corrections_of_nothing_and_of_one(correct: object):
    assert correct([]) == []  # type: ignore[operator]
    assert correct([None]) == [None]  # type: ignore[operator]
    assert correct([0.3]) == [0.3]  # type: ignore[operator]
    assert correct([0.9, 0.8]) == [1.0, 1.0] if correct is holm else [0.9, 0.9]  # type: ignore[operator]


def test_the_smallest_detectable_difference_is_found_four_times_in_five():
    error, degrees = 0.05, 30
    detectable = smallest_detectable(Spread(error, degrees))
    assert detectable == pytest.approx(2.9 * error, rel=0.01)
    generator = np.random.default_rng(4)
    errors = error * np.sqrt(generator.chisquare(degrees, 4_000) / degrees)
    found = generator.normal(detectable, error, 4_000)
    ps = [p_value(float(value), Spread(float(own), degrees)) for value, own in zip(found, errors, strict=True)]
    assert np.mean([p is not None and p < 0.05 for p in ps]) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("around", [Spread(None, 5), Spread(0.0, 5)], ids=["unknown", "nothing varied"])
def test_without_a_spread_no_smallest_difference_is_claimed(around: Spread):
    assert smallest_detectable(around) is None


# Verdicts

VERDICTS = {
    "clearly up": (0.2, (0.1, 0.3), 0.001, {}, Verdict.BETTER),
    "clearly down": (-0.2, (-0.3, -0.1), 0.001, {}, Verdict.WORSE),
    "no turn differs": (0.0, (0.0, 0.0), None, {"same_answers": True}, Verdict.TIED),
    "no turn of a single conversation differs": (0.0, None, None, {"same_answers": True}, Verdict.TIED),
    "within the margin": (0.01, (-0.02, 0.04), 0.4, {}, Verdict.TIED),
    "no luck, but within the margin": (0.01, (0.005, 0.015), 0.001, {}, Verdict.TIED),
    "could be either": (0.02, (-0.08, 0.12), 0.6, {}, Verdict.NOT_ENOUGH_DATA),
    "not after the correction": (0.1, (0.01, 0.19), 0.3, {}, Verdict.NOT_ENOUGH_DATA),
    "one conversation": (0.2, None, None, {}, Verdict.NOT_ENOUGH_DATA),
    "one variant, could be either": (0.02, (-0.08, 0.12), 0.6, {"same_variant": True}, Verdict.TIED),
    "one variant, and yet": (0.2, (0.1, 0.3), 0.001, {"same_variant": True}, Verdict.BETTER),
}


@pytest.mark.parametrize(("gain", "found", "p", "facts", "wanted"), VERDICTS.values(), ids=VERDICTS)
def test_verdicts(gain: float, found: tuple[float, float] | None, p: float | None, facts: dict, wanted: Verdict):
    verdict, reason = judge(gain, found, p, margin=0.05, **{"same_answers": False, "same_variant": False, **facts})
    assert verdict is wanted
    assert reason


# Simulation; `make bench` has the large one


@pytest.mark.parametrize("metric", ["accuracy", "F1"])
def test_by_simulation_intervals_cover_and_false_positives_are_rare(metric: str):
    kind = Kind(24, metric)
    assert 2.5 <= kind.false_positives(count=400) <= 7.5
    assert 92.5 <= kind.coverage(0.5, count=400) <= 97.5


def test_by_simulation_taking_turns_for_independent_finds_differences_that_are_not_there():
    assert Kind(24, "F1").false_positives(simulated.naive, count=100) > 20


def test_by_simulation_sign_flips_of_few_conversations_are_cautious():
    assert Kind(8, "F1").false_positives(count=300) <= 6
