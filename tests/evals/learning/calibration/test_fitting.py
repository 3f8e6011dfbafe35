from __future__ import annotations

import numpy as np
import pytest

from evals.learning.calibration.fitting import LEAST, fit_calibration
from evals.learning.calibration.folds import FOLDS, GROUPS, folds, groups
from evals.learning.calibration.observations import Cells, Observations, observe
from evals.learning.calibration.predicting import predicted
from evals.learning.calibration.scores import log_losses
from evals.learning.simulated import Distortion
from tests.evals.learning.calibration.worlds import EXAGGERATING, HONEST, outcomes


def harm(fitted, fresh: Observations, distortion: Distortion) -> float:
    """How much worse than nothing it is on average, for outcomes that nobody has seen, whose chances are known."""
    truth = distortion.undo(fresh.confidence)

    def loss(said):
        return float((truth * log_losses(said, np.ones(len(said))) + (1 - truth) * log_losses(said, 0 * said)).mean())

    return loss(predicted(fitted.calibration, fresh)) - loss(fresh.confidence)


def removed(fitted, fresh: Observations, distortion: Distortion) -> float:
    """The share of the injected squared error of calibration that is gone."""
    truth = distortion.undo(fresh.confidence)
    after = ((predicted(fitted.calibration, fresh) - truth) ** 2).mean()
    return 1 - float(after / ((fresh.confidence - truth) ** 2).mean())


@pytest.mark.parametrize("distortion", [HONEST, EXAGGERATING], ids=["honest", "exaggerating"])
def test_with_100_outcomes_a_calibration_hardly_ever_does_harm(distortion):
    fresh = outcomes(10_000, 4_000, distortion)
    harmed = [harm(fit_calibration(outcomes(seed, 100, distortion)), fresh, distortion) > 0 for seed in range(15)]
    assert sum(harmed) <= 3


def test_with_2000_outcomes_most_of_the_miscalibration_is_removed():
    fresh = outcomes(10_000, 4_000)
    shares = [removed(fit_calibration(outcomes(seed, 2_000)), fresh, EXAGGERATING) for seed in range(3)]
    assert min(shares) > 0.8


def test_an_honest_engine_is_left_alone():
    fitted = fit_calibration(outcomes(3, 1_500, HONEST))
    assert not fitted.offered
    assert fitted.gain is None
    assert fitted.calibration.cells == {}
    assert "no cell" in fitted.reason


def test_what_is_offered_is_better_out_of_fold_and_the_rest_says_why_not():
    fitted = fit_calibration(outcomes(1, 1_200))
    assert fitted.gain is not None
    assert fitted.gain.gain > 0
    assert fitted.reason.endswith(
        "the gain is read on the outcomes that chose the cells, and so is somewhat optimistic"
    )
    for cell in fitted.cells:
        if cell.offered:
            assert cell.gain is not None
            assert cell.gain.gain > 0
            assert cell.cell in fitted.calibration.cells
        else:
            assert cell.reason
            assert cell.cell not in fitted.calibration.cells
    small = [cell for cell in fitted.cells if cell.level and cell.n < LEAST]
    assert small
    assert all(cell.method is None and "fewer than" in cell.reason for cell in small)


def test_a_cell_that_differs_from_its_parent_is_corrected_on_top_of_it():
    """Two actions, of which one is asked for far too much and the other is claimed as it is."""
    chance = np.random.default_rng(2)
    n = 1_600
    confidence = np.round(chance.uniform(0.3, 0.9, n), 3)
    loud = np.arange(n) % 2 == 0
    came = chance.random(n) < np.where(loud, confidence * 0.4, confidence)
    names = ["model/loud" if own else "model/quiet" for own in loud.tolist()]
    own = observe(confidence, came, [f"c{number}" for number in range(n)], cells=(["model"] * n, names))
    fitted = fit_calibration(own)
    assert {"model", "model/loud"} <= set(fitted.calibration.cells)
    said = predicted(fitted.calibration, own)
    is_loud = np.array([own.cells[1].names[code] == "model/loud" for code in own.cells[1].codes])
    for chosen, share in ((is_loud, 0.4), (~is_loud, 1.0)):
        assert said[chosen].mean() == pytest.approx((own.confidence[chosen] * share).mean(), abs=0.04)


@pytest.mark.parametrize(
    ("n", "conversations", "says"),
    [(0, 1, "no cell"), (6, 6, "no cell"), (200, 4, "no cell")],
)
def test_with_too_little_nothing_is_fitted(n, conversations, says):
    names = [f"c{number % conversations}" for number in range(n)]
    fitted = fit_calibration(observe([0.9] * n, [False] * n, names, cells=(["model"] * n,)))
    assert not fitted.offered
    assert says in fitted.reason
    assert all(cell.method is None for cell in fitted.cells)


def test_below_50_outcomes_one_shift_is_all_that_is_tried():
    own = observe([0.9] * 45, [False] * 45, [f"c{number}" for number in range(45)], cells=(["model"] * 45,))
    fitted = fit_calibration(own)
    assert [cell.method for cell in fitted.cells] == ["intercept"]
    assert fitted.offered


def test_the_order_of_rows_does_not_matter_to_a_single_bit():
    own = outcomes(4, 900)
    columns = [own.confidence, own.positive, np.array(_names(own)), *(_cells(level) for level in own.cells)]
    found = []
    for order in (np.arange(len(own)), np.random.default_rng(0).permutation(len(own))):
        confidence, positive, names, *cells = (column[order] for column in columns)
        found.append(fit_calibration(observe(confidence, positive, names, cells=cells)))
    first, second = found
    assert first.calibration.model_dump_json() == second.calibration.model_dump_json()
    assert (first.cells, first.gain) == (second.cells, second.gain)


def test_a_conversation_is_in_one_fold_and_in_the_same_one_whoever_else_is_there():
    own = outcomes(5, 600)
    some = own.where(np.arange(len(own)) % 3 == 0)
    fold_of = dict(zip(_names(own), folds(own).tolist(), strict=True))
    assert dict(zip(_names(some), folds(some).tolist(), strict=True)).items() <= fold_of.items()
    assert set(fold_of.values()) == set(range(FOLDS))


def test_many_conversations_are_resampled_in_groups_and_few_one_by_one():
    many = observe([0.5] * 5_000, [True] * 5_000, [f"c{number}" for number in range(5_000)])
    assert 1_700 < len(np.unique(groups(many))) <= GROUPS
    few = many.where(np.arange(5_000) < 100)
    assert len(np.unique(groups(few))) == 100


def _names(own: Observations) -> list[str]:
    return _cells(own.conversations).tolist()


def _cells(level: Cells):
    return np.array(level.names)[level.codes]
