"""Formulas over sums, against tables worked by hand and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from evals.metrics.formulas import accuracy, f1, macro_f1, precision, quadratic_kappa, ratio, recall
from evals.metrics.metric import Totals

HITS = {"tp": 0, "fp": 1, "fn": 2}


def hits(tp: float, fp: float, fn: float) -> Totals:
    return Totals(np.array([tp, fp, fn], dtype=np.float64), HITS)


def table(cells: list[list[float]]) -> Totals:
    counts = np.array(cells, dtype=np.float64).ravel()
    return Totals(counts, {str(number): number for number in range(len(counts))})


@pytest.mark.parametrize(
    ("counts", "wanted"),
    [
        ((3, 1, 2), (3 / 4, 3 / 5, 2 / 3)),
        ((0, 1, 2), (0, 0, 0)),
        ((2, 0, 0), (1, 1, 1)),
        ((0, 0, 2), (np.nan, 0, 0)),
        ((0, 2, 0), (0, np.nan, 0)),
        ((0, 0, 0), (np.nan, np.nan, np.nan)),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_precision_recall_and_f1_of_worked_examples(counts: tuple[int, int, int], wanted: tuple[float, ...]):
    found = [formula()(hits(*counts)) for formula in (precision, recall, f1)]
    np.testing.assert_allclose(found, wanted)


@pytest.mark.parametrize("seed", range(10))
def test_tables_give_what_scikit_learn_gives(seed: int):
    from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix, f1_score

    generator = np.random.default_rng(seed)
    labelled = generator.integers(0, 4, 60)
    claimed = np.where(generator.random(60) < 0.5, labelled, generator.integers(0, 4, 60))
    cells = table(confusion_matrix(labelled, claimed, labels=range(4)).tolist())
    assert accuracy(4)(cells) == pytest.approx(accuracy_score(labelled, claimed))
    assert macro_f1(4)(cells) == pytest.approx(f1_score(labelled, claimed, average="macro"))
    assert quadratic_kappa(4)(cells) == pytest.approx(cohen_kappa_score(labelled, claimed, weights="quadratic"))


def test_precision_recall_and_f1_give_what_scikit_learn_gives():
    from sklearn.metrics import precision_recall_fscore_support

    generator = np.random.default_rng(3)
    labelled, claimed = generator.integers(0, 2, 80), generator.integers(0, 2, 80)
    counts = hits(
        int(np.sum(labelled & claimed)), int(np.sum((1 - labelled) & claimed)), int(np.sum(labelled & (1 - claimed)))
    )
    wanted = precision_recall_fscore_support(labelled, claimed, average="binary")[:3]
    assert [formula()(counts) for formula in (precision, recall, f1)] == pytest.approx(list(wanted))


def test_a_class_neither_labelled_nor_claimed_is_left_out_of_the_mean():
    with np.errstate(invalid="ignore"):
        assert macro_f1(3)(table([[3, 1, 0], [0, 2, 0], [0, 0, 0]])) == pytest.approx((6 / 7 + 4 / 5) / 2)


@pytest.mark.parametrize("cells", [[[0, 0], [0, 0]], [[5, 0], [0, 0]]], ids=["nothing", "one rank only"])
def test_kappa_is_undefined_where_nothing_could_differ(cells: list[list[float]]):
    with np.errstate(invalid="ignore"):
        assert np.isnan(quadratic_kappa(2)(table(cells)))


def test_a_formula_takes_any_number_of_totals_at_once():
    counts = np.array([[1.0, 2.0], [3.0, 4.0]])
    totals = Totals(counts, {"yes": 0, "n": 1})
    np.testing.assert_allclose(ratio("yes", "n")(totals), [0.5, 0.75])
    stack = np.stack([np.eye(3).ravel(), np.ones(9)])
    positions = {str(number): number for number in range(9)}
    np.testing.assert_allclose(accuracy(3)(Totals(stack, positions)), [1, 1 / 3])
    np.testing.assert_allclose(quadratic_kappa(3)(Totals(stack, positions)), [1, 0])
