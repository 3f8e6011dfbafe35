from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest

from engine.calibration import Calibration, FittedCalibration
from engine.model.outcome import OutcomeStatus
from evals.learning.calibration.drift import Stale
from evals.learning.calibration.making import Made, check_calibration, make_calibration
from evals.learning.calibration.outcomes import cells_of_facts, observations_of, observed, span
from evals.learning.calibration.predicting import predicted, spoken_of
from evals.learning.facts import Facts
from evals.learning.simulated import Distortion
from tests.evals.learning.calibration.worlds import EXAGGERATING, later, published, world


@pytest.fixture(scope="module")
def facts() -> Facts:
    return world(1, 250).facts


@pytest.fixture(scope="module")
def made(facts: Facts) -> Made:
    return make_calibration(facts)


def test_only_what_is_resolved_is_learned_from_and_a_late_reply_counts_as_none(facts):
    own = observed(facts)
    statuses = facts.words("status").words()
    assert set(statuses) > {OutcomeStatus.POSITIVE, OutcomeStatus.NEGATIVE, OutcomeStatus.LATE}
    assert len(own) == int(facts.resolved.sum())
    late = facts.where(facts.resolved & facts.words("status").equals(OutcomeStatus.LATE))
    assert len(late) > 0
    assert observations_of(late).positive.sum() == 0


def test_an_outcome_without_a_confidence_teaches_nothing_of_it(facts):
    columns = dict(facts.columns) | {"confidence": np.full(len(facts), np.nan)}
    unknown = Facts(facts.tenant, facts.outcome_type, facts.as_of, columns, facts.resolved_until)
    taught = make_calibration(unknown)
    assert len(taught.observations) == 0
    assert (taught.before, taught.after, taught.document.data_from) == (None, None, None)
    assert taught.document.report["outcomes"] == 0


def test_each_outcome_is_in_the_cells_of_its_own_columns(facts):
    estimators, actions, questions = (
        [level.names[code] for code in level.codes.tolist()] for level in cells_of_facts(facts)
    )
    words = [facts.words(name).words() for name in ("action_type", "target", "delivery", "fallback_reason")]
    for row in range(0, len(facts), 97):
        action, target, delivery, reason = (column[row] for column in words)
        assert estimators[row] == ("nobody" if reason else "model")
        assert actions[row] == f"{estimators[row]}/{action}"
        assert questions[row] == f"{actions[row]}/{target}/{delivery}"


def test_the_same_facts_in_another_order_give_the_same_bits(facts, made):
    shuffled = facts.where(np.random.default_rng(3).permutation(len(facts)))
    again = make_calibration(shuffled)
    assert again.document.model_dump_json() == made.document.model_dump_json()


def test_its_report_is_json_and_says_that_the_world_was_simulated(made):
    report = json.loads(json.dumps(made.document.report))
    assert report["simulated"] is True
    assert report["outcomes"] == len(made.observations)
    assert report["offered"] is True
    assert sum(report["population"]["cells"].values()) == report["outcomes"]
    assert sum(report["population"]["confidence"].values()) == report["outcomes"]
    assert {cell["cell"] for cell in report["cells"] if cell["offered"]} == set(made.document.calibration.cells)
    assert report["after"]["log_loss"]["value"] < report["before"]["log_loss"]["value"]
    assert FittedCalibration.model_validate_json(made.document.model_dump_json()) == made.document


def test_it_can_be_fitted_to_later_recommendations_alone(facts, made):
    middle = facts.as_of - timedelta(weeks=8)
    recent = make_calibration(facts, since=middle)
    assert 0 < len(recent.observations) < len(made.observations)
    assert recent.document.data_from >= middle
    assert recent.document.data_until == made.document.data_until
    assert span(facts, since=facts.as_of).first is None


def test_a_calibration_in_use_is_not_stale_while_the_world_stays_as_it_is(made):
    since = later(world(2, 250).facts, 60)
    checked = check_calibration(published(made.document), since, made.document.as_of + timedelta(days=60))
    assert checked.since == len(observed(since, after=made.document.data_until))
    assert checked.tested
    assert checked.alerts == ()


@pytest.mark.parametrize(
    ("distortion", "days", "stale"),
    [
        (EXAGGERATING, 200, {Stale.TOO_OLD}),
        (Distortion(intercept=-0.3, slope=1.6), 190, {Stale.TOO_OLD, Stale.GAP, Stale.POPULATION}),
        (Distortion(intercept=0.5, slope=4.0), 60, {Stale.SLOPE, Stale.POPULATION}),
    ],
)
def test_a_calibration_in_use_is_stale_when_it_is_old_or_the_engine_says_something_else(made, distortion, days, stale):
    since = later(world(2, 250, distortion).facts, days)
    checked = check_calibration(published(made.document), since, made.document.as_of + timedelta(days=days))
    assert {alert.kind for alert in checked.alerts} >= stale
    assert all(alert.words and abs(alert.figure) > alert.limit for alert in checked.alerts)


def test_what_it_was_learned_from_says_nothing_about_whether_it_is_still_right(facts, made):
    checked = check_calibration(published(made.document), facts, made.document.as_of)
    assert (checked.since, checked.tested, checked.alerts) == (0, (), ())


def test_one_that_corrects_nothing_is_never_stale(facts, made):
    nothing = FittedCalibration(
        calibration=Calibration(outcome_type=facts.outcome_type),
        as_of=made.document.as_of,
        data_from=None,
        data_until=None,
        report={},
    )
    checked = check_calibration(published(nothing), facts, made.document.as_of + timedelta(days=500))
    assert (checked.tested, checked.alerts) == ((), ())
    assert len(spoken_of(nothing.calibration, made.observations)) == 0
    assert predicted(nothing.calibration, made.observations).tolist() == made.observations.confidence.tolist()
