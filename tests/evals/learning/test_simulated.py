from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evals.learning.facts import OutcomeStore
from evals.learning.simulated import ACTIONS, Distortion, WorldSettings, simulate
from evals.learning.simulated_data import OUTCOMES, load_simulated, read_dataset, shipped_world, table_of

SHIPPED = Path(__file__).parents[3] / "datasets" / "simulated_outcomes"


def test_the_same_seed_gives_the_same_world_and_another_another():
    first, again, other = (list(simulate(seed, 20).facts.rows()) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_propensities_are_those_with_which_actions_are_taken():
    world = simulate(3, 4_000)
    truth = world.truth
    assert np.allclose(truth.propensities.sum(axis=1), 1)
    taken = np.bincount(truth.action, minlength=len(ACTIONS))
    expected, spread = truth.propensities.sum(axis=0), (truth.propensities * (1 - truth.propensities)).sum(axis=0)
    assert (np.abs(taken - expected) < 4.5 * np.sqrt(spread)).all()
    own = truth.propensities[np.arange(len(taken := truth.action)), taken]
    assert np.allclose(world.facts.array("propensity"), own)


def test_replies_come_with_the_true_probability():
    world = simulate(4, 4_000, WorldSettings(missing=0.1, reported_late=0.0))
    counted = world.facts.resolved
    p = world.truth.recorded[counted]
    off = world.facts.positive[counted].sum() - p.sum()
    assert abs(off) < 4 * np.sqrt((p * (1 - p)).sum())


def test_a_choice_that_was_not_random_has_no_propensity():
    facts = simulate(5, 200, WorldSettings(exploring=0.5)).facts
    known = ~np.isnan(facts.array("propensity"))
    assert 0.4 < known.mean() < 0.6


def test_undoing_the_distortion_gives_the_probability_back():
    p = np.linspace(0.01, 0.99, 50)
    for distortion in (Distortion(), Distortion(-0.4, 0.5)):
        assert np.allclose(distortion.undo(distortion.apply(p)), p)


@pytest.mark.parametrize("column", ["origin", "source"])
def test_every_outcome_says_that_it_is_simulated(column):
    assert set(simulate(6, 10).facts.words(column).words()) == {"simulated"}


def test_the_shipped_file_is_the_world_of_its_seed():
    shipped = read_dataset(SHIPPED)
    assert shipped.to_pydict() == table_of(shipped_world()).to_pydict()
    assert (SHIPPED / OUTCOMES).stat().st_size < 1_500_000


def test_the_shipped_world_in_the_copy_stands_as_the_world_itself_says(tmp_path: Path):
    store = OutcomeStore(tmp_path / "outcomes.duckdb")
    load_simulated(store, SHIPPED)
    load_simulated(store, SHIPPED)
    copied, own = store.facts("simulated"), shipped_world().facts
    assert copied.resolved_until == own.resolved_until
    assert copied.as_of == own.as_of
    assert _by_id(copied) == _by_id(own)
    assert set(copied.words("status").words()) == {
        "pending", "positive", "negative", "late", "superseded", "not_sent"
    }  # fmt: skip


def _by_id(facts) -> dict:
    return {row["outcome_id"]: row for row in facts.rows()}
