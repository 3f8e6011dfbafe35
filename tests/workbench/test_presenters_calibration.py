"""What the Calibration page says: words of cells and alerts, figures, diagrams, curves, history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from engine.calibration import Calibration, FittedCalibration, PublishedCalibration
from engine.calibration.maps import Beta, Intercept, Isotonic, Sigmoid
from engine.model.outcome import OutcomeType
from evals.learning.calibration.drift import Alert, Stale
from evals.learning.calibration.making import Checked
from evals.learning.calibration.reliability import Bin
from workbench.presenters import calibration_cells, calibration_curve, calibration_diagram, calibration_figures
from workbench.presenters import calibration_use as uses
from workbench.presenters.calibration_cells import CellSeen
from workbench.presenters.calibration_table import Heading, Line, table
from workbench.presenters.calibration_words import alert_words, cell_name, map_words, p_value

MOMENT = datetime(2026, 7, 6, tzinfo=UTC)
MAPPED = Calibration(
    outcome_type=OutcomeType.EMAIL_ENGAGEMENT,
    cells={"model": Sigmoid(slope=0.5, shift=0.0), "model/qbs_impact": Intercept(shift=1.0)},
)


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("model", "Model"),
        ("nobody/qbs_pain_funnel", "Nobody · Pain funnel"),
        ("rules/qbs_impact/metrics/label", "Rules · Impact · Metrics · Label"),
        ("model/an *action*", "Model · an *action*"),
    ],
)
def test_cells_have_names_that_people_know(cell: str, name: str) -> None:
    assert cell_name(cell) == name


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (Intercept(shift=-0.25), "moves all logits by -0.25"),
        (Sigmoid(slope=0.6, shift=0.1), "logit = 0.60 × logit of the confidence +0.10"),
        (Beta(low=1, high=0.5, shift=0), "logit = 1.00 × ln c − 0.50 × ln (1 − c) +0.00"),
        (Isotonic(confidences=(0.1, 0.9), probabilities=(0.2, 0.8)), "straight lines between 2 knots"),
    ],
)
def test_maps_are_said_in_a_sentence(own: Any, words: str) -> None:
    assert map_words(own) == words


@pytest.mark.parametrize(
    ("alert", "words"),
    [
        (
            Alert(Stale.GAP, 0.17, 0.03, "60% were to answer, and 43% of 812 did", "model/qbs_impact", 0.002),
            "Model · Impact: 60% were to answer, and 43% of 812 did (0.17, where 0.03 is borne; p 0.002)",
        ),
        (Alert(Stale.TOO_OLD, 140, 90, "learned 140 days ago"), "Learned 140 days ago (140, where 90 is borne)"),
    ],
)
def test_alerts_come_with_their_figures(alert: Alert, words: str) -> None:
    assert alert_words(alert) == words


@pytest.mark.parametrize(("p", "shown"), [(None, ""), (0.0004, "< 0.001"), (0.04, "0.040")])
def test_p_values_are_never_nought(p: float | None, shown: str) -> None:
    assert p_value(p) == shown


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        ((0.1, 0.05, 0.15), "too sure by 10.0 points (5.0 to 15.0)"),
        ((-0.1, -0.15, -0.05), "not sure enough by 10.0 points (5.0 to 15.0)"),
        ((0.01, -0.02, 0.04), "neither too sure nor too unsure"),
        ((0.2, None, None), "neither too sure nor too unsure"),
    ],
)
def test_the_gap_is_said_only_as_far_as_it_is_known(gap: tuple[float | None, ...], said: str) -> None:
    assert said in calibration_figures.gap_sentence(reading(gap=gap), "answered")


@pytest.mark.parametrize(
    ("ece", "said"), [(0.114, "this is no chance (p 0.020)"), (0.015, "nothing says that it is miscalibrated")]
)
def test_a_calibration_error_is_held_against_what_chance_gives(ece: float, said: str) -> None:
    assert said in calibration_figures.chance_sentence(reading(ece=(ece, None, None)))


def test_figures_without_data_are_a_dash_and_intervals_stand_below() -> None:
    shown = calibration_figures.figures_table(reading(brier=(None, None, None)), None)
    assert "—" in shown
    assert "1.2 %" in shown
    assert "0.7 % to 1.8 %, p 0.020" in shown
    assert "Calibrated" not in shown
    assert "Calibrated" in calibration_figures.figures_table(reading(), reading())


def test_two_series_are_told_apart_by_shape_as_well_as_colour() -> None:
    spec = calibration_diagram.diagram({"raw": reading()["bins"], "new": reading()["bins"]})
    marks = spec["layer"][-1]["encoding"]
    for channel in ("color", "shape"):
        assert len(set(marks[channel]["scale"]["range"])) == 2
    assert "raw: said 30%, 20% of 100 answered" in calibration_diagram.described({"raw": reading()["bins"]})


def test_what_is_reported_goes_through_the_maps_from_coarse_to_fine() -> None:
    reported = calibration_curve.reported
    assert reported(MAPPED, "model", 0.5) == pytest.approx(0.5)
    assert reported(MAPPED, "model/qbs_impact", 0.5) == pytest.approx(0.731, abs=1e-3)
    assert reported(MAPPED, "rules", 0.5) == 0.5
    assert calibration_curve.corrected_cells(MAPPED, {"model/qbs_impact": 5}) == ("model/qbs_impact", "model")


def test_cells_stand_below_those_above_them_with_what_was_fitted() -> None:
    seen = [CellSeen("model/qbs_impact", 1, claims()), CellSeen("model", 0, claims())]
    fitted = [
        {"cell": "model", "method": "sigmoid", "gain": {"gain": 0.04}, "p": 0.001, "offered": True, "reason": "x"}
    ]
    shown = calibration_cells.cells_table(seen, fitted, "answered")
    assert shown.index(">Model<") < shown.index(">Model · Impact<")
    assert "✓ yes" in shown
    assert "no, too few" in shown
    assert "Method" not in calibration_cells.cells_table(seen, (), "answered")


@pytest.mark.parametrize(("outcomes", "said"), [(20, "only one shift"), (60, "sigmoid and beta"), (1_000, "isotonic")])
def test_the_methods_follow_the_amount_of_data(outcomes: int, said: str) -> None:
    assert said in calibration_cells.methods_tried(outcomes)


def test_why_nothing_is_offered_is_said() -> None:
    report = {"offered": False, "reason": "no cell is better", "gain": None}
    assert calibration_cells.verdict(report) == "Nothing is corrected: no cell is better."


def test_history_says_which_is_in_use_and_which_can_come_back() -> None:
    lines = uses.published_lines([published(3, {}), published(2, returns_to=1), published(1)])
    assert [(own.number, own.name == uses.NONE, own.current, own.can_return) for own in lines] == [
        (3, True, True, False),
        (2, False, False, False),
        (1, False, False, True),
    ]
    assert "Back to 1" in lines[1].note
    assert lines[2].window == "learned from 5 Jan 2026 to 4 Jul 2026, as known 6 Jul 2026, 00:00 UTC"


def test_what_is_in_use_says_whose_it_is() -> None:
    assert "reported as it is" in uses.in_use_sentence(None)
    assert "on purpose" in uses.in_use_sentence(published(2, {}))
    assert "this tenant's number 1" in uses.in_use_sentence(published(1))
    assert "everybody's" in uses.in_use_sentence(published(1).model_copy(update={"for_everybody": True}))


def test_a_check_says_what_it_rests_on() -> None:
    assert "too few to test" in uses.checked_sentence(Checked(3, (), ()))


def test_whatever_stands_in_a_table_is_escaped() -> None:
    shown = table([Heading("<i>", "<u>")], [Line(["<b>"], "<s>")])
    for mark in ("<i>", "<u>", "<b>", "<s>"):
        assert mark not in shown


def claims() -> Bin:
    return Bin(lowest=0.1, highest=0.9, n=100, conversations=40, confidence=0.3, share=0.2, low=0.1, high=0.3)


def reading(**changes: tuple[float | None, ...]) -> dict[str, Any]:
    """A reading as its JSON, of one bin; `changes` are value, low and high of figures."""
    names = ("brier", "reliability", "resolution", "uncertainty", "within_bins", "log_loss", "gap", "ece",
             "ece_debiased", "squared_error")  # fmt: skip
    figures: dict[str, tuple[float | None, ...]] = {**dict.fromkeys(names, (0.1, 0.05, 0.15)), **changes}
    bin_ = {"lowest": 0.1, "highest": 0.9, "n": 100, "conversations": 40, "confidence": 0.3, "share": 0.2,
            "low": 0.1, "high": 0.3}  # fmt: skip
    return {
        "n": 100,
        "chance": {"mean": 0.012, "low": 0.007, "high": 0.018, "p": 0.02},
        "bins": [bin_],
        **{name: dict(zip(("value", "low", "high"), own, strict=True)) for name, own in figures.items()},
    }


def published(number: int, cells: dict[str, Any] | None = None, returns_to: int | None = None) -> PublishedCalibration:
    maps = MAPPED.cells if cells is None else cells
    return PublishedCalibration(
        tenant_id=UUID(int=7),
        number=number,
        fitted=FittedCalibration(
            calibration=Calibration(outcome_type=OutcomeType.EMAIL_ENGAGEMENT, cells=maps),
            as_of=MOMENT,
            data_from=datetime(2026, 1, 5, tzinfo=UTC),
            data_until=datetime(2026, 7, 4, tzinfo=UTC),
            report={},
        ),
        published_at=MOMENT,
        published_by="ann",
        note="a note",
        returns_to=returns_to,
    )
