from __future__ import annotations

import math

import pytest

from engine.calibration import Calibration, calibrated
from engine.calibration.cells import Estimator, cells_of, estimator_of
from engine.calibration.maps import Intercept, Sigmoid
from engine.model.outcome import OutcomeType

CELLS = ("model", "model/qbs_impact", "model/qbs_impact/need/label")
TRIPLED, SQUARED = Intercept(shift=math.log(3)), Sigmoid(slope=2.0, shift=0.0)


def calibration(**cells: Intercept | Sigmoid) -> Calibration:
    named = {name.replace("__", "/"): own for name, own in cells.items()}
    return Calibration(outcome_type=OutcomeType.EMAIL_ENGAGEMENT, cells=named)


@pytest.mark.parametrize(
    ("maps", "confidence", "expected"),
    [
        ({}, 0.5, None),
        ({"rules": TRIPLED}, 0.5, None),
        ({"model/qbs_solution": TRIPLED}, 0.5, None),
        ({"model": TRIPLED}, 0.5, 0.75),
        ({"model/qbs_impact": TRIPLED}, 0.5, 0.75),
        ({"model": TRIPLED, "model/qbs_impact": SQUARED}, 0.5, 0.9),  # odds of 1, of 3, of 9
        ({"model/qbs_impact/need/label": SQUARED, "model": TRIPLED}, 0.5, 0.9),
    ],
)
def test_a_confidence_goes_through_the_maps_of_its_cells_from_the_coarsest_to_the_finest(maps, confidence, expected):
    own = Calibration(outcome_type=OutcomeType.EMAIL_ENGAGEMENT, cells=maps)
    assert calibrated(own, CELLS, confidence) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("analyzer", "confidence", "reason", "estimator"),
    [
        ("llm", 0.7, None, Estimator.MODEL),
        ("recorded", 0.7, None, Estimator.MODEL),
        ("rules", 0.7, None, Estimator.RULES),
        ("rules", 0.7, "timeout", Estimator.NOBODY),
        ("llm", 0.5, None, Estimator.NOBODY),  # what a guardrail gives a question that it put in another's place
        ("rules", 0.5, None, Estimator.NOBODY),
    ],
)
def test_a_confidence_belongs_to_whoever_estimated_it(analyzer, confidence, reason, estimator):
    assert estimator_of(analyzer, confidence, reason) is estimator


def test_each_cell_lies_within_the_one_above_it():
    assert cells_of(Estimator.MODEL, "qbs_impact", "need", "label") == CELLS


def test_a_calibration_is_named_by_its_content():
    one, same = (
        calibration(model=TRIPLED, model__qbs_impact=SQUARED),
        calibration(model__qbs_impact=SQUARED, model=TRIPLED),
    )
    assert one.name == same.name
    others = [
        calibration(model=SQUARED, model__qbs_impact=SQUARED),
        calibration(model=TRIPLED),
        Calibration(outcome_type=OutcomeType.DEAL_PROGRESSION, cells=one.cells),
        one.model_copy(update={"cells": {}}),
    ]
    assert len({one.name, *(other.name for other in others)}) == 5


def test_a_calibration_read_back_is_the_same():
    one = calibration(model=TRIPLED, model__qbs_impact=SQUARED)
    again = Calibration.model_validate_json(one.model_dump_json())
    assert again == one
    assert again.name == one.name
