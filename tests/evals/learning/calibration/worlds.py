"""Small worlds whose truth is known, for tests of calibration."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from engine.calibration import PublishedCalibration
from engine.calibration.values import FittedCalibration
from engine.state.tenants import tenant_uuid
from evals.learning.calibration.observations import Observations
from evals.learning.calibration.outcomes import observed
from evals.learning.facts import Facts
from evals.learning.simulated import Distortion, SimulatedWorld, WorldSettings, simulate

HONEST, EXAGGERATING = Distortion(intercept=0.0, slope=1.0), Distortion(intercept=0.5, slope=1.6)


def world(seed: int, customers: int, distortion: Distortion = EXAGGERATING) -> SimulatedWorld:
    return simulate(seed, customers, WorldSettings(distortion=distortion))


def first(own: Observations, n: int) -> Observations:
    """The first `n` of them."""
    return own.where(np.arange(len(own)) < n)


def outcomes(seed: int, n: int, distortion: Distortion = EXAGGERATING) -> Observations:
    """`n` resolved outcomes of such a world."""
    return first(observed(world(seed, n // 3 + 20, distortion).facts), n)


def later(facts: Facts, days: int) -> Facts:
    """The same, as if it had happened later."""
    columns = dict(facts.columns)
    for name in ("recommended_at", "closes_at"):
        columns[name] = facts.array(name) + np.timedelta64(days, "D")
    until = None if facts.resolved_until is None else facts.resolved_until + timedelta(days=days)
    return Facts(facts.tenant, facts.outcome_type, facts.as_of + timedelta(days=days), columns, until)


def published(fitted: FittedCalibration) -> PublishedCalibration:
    return PublishedCalibration(
        tenant_id=tenant_uuid("acme"),
        number=1,
        fitted=fitted,
        published_at=fitted.as_of,
        published_by="ann",
        note="first",
    )
