"""A small simulated world as the outcomes of the tenant `acme`, in the copy below a QBS_HOME."""

from __future__ import annotations

from pathlib import Path

from evals.learning.facts.simulated import load
from evals.learning.facts.store import OutcomeStore
from evals.learning.simulated import START, WorldSettings, simulate
from evals.learning.simulated_data import table_of

TENANT = "acme"
CUSTOMERS = 180
SETTINGS = WorldSettings(weeks=12, promoted_in_week=6)


def load_world(home: Path, tenant: str = TENANT) -> None:
    """Outcomes with propensities and with confidence that is too sure."""
    world = simulate(3, CUSTOMERS, SETTINGS)
    load(OutcomeStore(home / "outcomes.duckdb"), tenant, table_of(world), START, world.facts.as_of, "world 3")
