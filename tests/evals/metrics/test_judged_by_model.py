"""Judged metrics by a table worked by hand; without judgements there is no figure."""

from __future__ import annotations

import pytest

from evals.metrics import find_metric, find_metrics
from evals.metrics.judged import View
from evals.scoring import score
from tests.evals.judged_runs import judgement
from tests.evals.metrics.turns import FALLBACK, analysis, judged, record, value_of
from tests.evals.values import conversation

NAMES = ("judged.naturalness", "judged.naturalness_good", "judged.value_first", "judged.value_first_good")


def turn(*ratings: tuple[int, int]):
    """A turn whose question was judged so: naturalness and value first, once for each repeat."""
    return judged(judgements=[judgement(*own, repeat=number) for number, own in enumerate(ratings)])


@pytest.mark.parametrize(
    ("turns", "wanted"),
    [
        ([turn((4, 1))], (4.0, 1.0, 1.0, 0.0)),
        ([turn((4, 1), (3, 2), (2, 3))], (3.0, 2 / 3, 2.0, 1 / 3)),
        ([turn((4, 1), (4, 1), (4, 1)), turn((1, 4))], (2.5, 0.5, 2.5, 0.5)),  # a turn counts once
        ([turn((4, 1)), turn()], (4.0, 1.0, 1.0, 0.0)),  # one that nobody judged does not count
        ([turn()], (None, None, None, None)),
        ([], (None, None, None, None)),
    ],
)
def test_a_turn_counts_with_the_mean_of_its_judgements(turns, wanted):
    found = tuple(value_of(find_metric(name), *turns) for name in NAMES)
    assert found == tuple(None if own is None else pytest.approx(own) for own in wanted)


ASKED = "What does that cost you?"
TALK = conversation()
RECORDS = [
    record(analysis(question=ASKED), 1, of=TALK),
    record(analysis(question=f"  {ASKED} "), 3, of=TALK),
    record(analysis(question=ASKED, source=FALLBACK), 5, of=TALK),
]


def scored(view: View = View.MODEL):
    judgements = [judgement(rated, of=("alpha", at, ASKED)) for at, rated in ((1, 4), (3, 2), (5, 1))]
    judgements.append(judgement(1, of=("alpha", 1, "Another question?")))
    found = score(RECORDS, {}, [TALK], find_metrics(NAMES), view, judgements=judgements)
    return found.estimates(resamples=50)["judged.naturalness"]


@pytest.mark.parametrize(("view", "value", "n"), [(View.MODEL, 3.0, 2), (View.ALL, 7 / 3, 3)])
def test_a_judgement_counts_for_the_turn_that_asked_this_question(view: View, value: float, n: int):
    assert (scored(view).value, scored(view).n) == (pytest.approx(value), n)


def test_a_rating_has_the_bounds_of_its_scale():
    assert {find_metric(name).bounds for name in NAMES[::2]} == {(1.0, 4.0)}
