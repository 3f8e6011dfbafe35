"""What the What if page says: the headline, the figures, the overlap, what was left out, and refusals."""

from __future__ import annotations

import pytest

from evals.learning.off_policy import Estimates, LeftOut, Overlap, Refusal, RefusalReason, WeightBin
from evals.records import Estimate
from workbench.presenters import what_if_estimates as estimates
from workbench.presenters import what_if_overlap as overlaps
from workbench.presenters import what_if_refusal as refusals


def figure(value: float | None, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(value=value, low=low, high=high, n=100)


def found(difference: Estimate) -> Estimates:
    one = figure(0.493, 0.473, 0.512)
    return Estimates(one, one, one, figure(0.486, 0.475, 0.497), difference)


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (figure(0.007, -0.01, 0.023), "0.7 points more (-1.0 to +2.3), which may be luck."),
        (figure(-0.05, -0.08, -0.02), "5.0 points fewer (-8.0 to -2.0), beyond luck."),
        (figure(0.02), "2.0 points more."),
    ],
)
def test_the_headline_says_whether_it_may_be_luck(difference: Estimate, said: str) -> None:
    shown = estimates.headline(found(difference))
    assert shown == f"49.3 % would have answered, where 48.6 % did: {said}"


def test_no_data_is_no_figure() -> None:
    nothing = figure(None)
    empty = Estimates(nothing, nothing, nothing, nothing, nothing)
    assert estimates.headline(empty) == "There is no figure."
    assert "0.0 %" not in estimates.figures_table(empty)
    assert not estimates.chart(empty)["layer"][1]["data"]["values"]


def test_every_figure_has_a_meaning() -> None:
    shown = estimates.figures_table(found(figure(0.007, -0.01, 0.023)))
    for word in (*estimates.FIGURES.values(), estimates.DIFFERENCE):
        assert word.name in shown
        assert word.meaning[:30] in shown


def test_the_overlap_says_what_the_weights_leave() -> None:
    shown = overlaps.overlap_table(overlap(outside=None))
    for figure_shown in ("250", "not known", "0.98 (0.95 to 1.02)"):
        assert figure_shown in shown
    assert "2.0 %" in overlaps.overlap_table(overlap(outside=0.02))


def test_weights_that_nobody_has_are_not_drawn_at_the_end() -> None:
    rows = overlaps.weights_chart(overlap())["data"]["values"]
    assert [row["Weight"] for row in rows] == ["0", "to 0.5", "to 1"]


def test_what_was_left_out_is_counted_by_reason() -> None:
    shown = overlaps.left_out_table(LeftOut(pending=43, early=2))
    for told in ("still pending", "43", "too new"):
        assert told in shown
    assert "never sent" not in shown
    assert overlaps.left_out_table(LeftOut()) == ""


@pytest.mark.parametrize(
    ("reason", "share", "said"),
    [
        (RefusalReason.NO_PROPENSITIES, 0.0, "It is off now."),
        (RefusalReason.DETERMINISTIC, 0.1, "It is 0.1 now."),
        (RefusalReason.THIN, 0.0, None),
    ],
)
def test_exploration_is_explained_where_it_would_help(reason: RefusalReason, share: float, said: str | None) -> None:
    told = refusals.exploration(Refusal(reason, "too few", "Wait."), share)
    assert (told is None) if said is None else (told is not None and said in told[0])


def test_a_refusal_is_a_sentence() -> None:
    assert refusals.why(Refusal(RefusalReason.THIN, "it asks so differently", "Wait.")) == "It asks so differently."


def overlap(outside: float | None = 0.0) -> Overlap:
    return Overlap(
        outcomes=1_000,
        conversations=300,
        used=400,
        effective=250.0,
        effective_conversations=120.0,
        mean_weight=0.98,
        mean_weight_low=0.95,
        mean_weight_high=1.02,
        max_weight=6.5,
        outside=outside,
        weights=(WeightBin(0.0, 0.0, 600), WeightBin(0.0, 0.5, 0), WeightBin(0.5, 1.0, 400), WeightBin(1.0, 2.0, 0)),
    )
