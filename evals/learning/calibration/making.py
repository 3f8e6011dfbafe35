"""From facts to a calibration that can be published, with its report; and whether one that was is still good."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from engine.calibration.values import FittedCalibration, PublishedCalibration
from evals.learning.calibration.drift import MAX_AGE, Alert, Tested, drift, drifted, too_old
from evals.learning.calibration.fitting import CellFit, Fitted, fit_calibration
from evals.learning.calibration.observations import Observations
from evals.learning.calibration.outcomes import is_simulated, observed, span
from evals.learning.calibration.population import population, population_moved
from evals.learning.calibration.predicting import predicted, spoken_of
from evals.learning.calibration.scores import Reading, read
from evals.learning.facts import Facts


@dataclass(frozen=True)
class Made:
    """A calibration with what it was made of. `before` reads the engine's confidence, `after` what it becomes out of
    fold; both are None without any outcome.
    """

    observations: Observations
    fitted: Fitted
    before: Reading | None
    after: Reading | None
    document: FittedCalibration


@dataclass(frozen=True)
class Checked:
    """How a published calibration does since: the outcomes `since` it was made, what was tested, and the alerts."""

    since: int
    tested: tuple[Tested, ...]
    alerts: tuple[Alert, ...]


def make_calibration(facts: Facts, *, since: datetime | None = None) -> Made:
    """Fit to what was known at `facts.as_of`, of recommendations from `since` on.

    The same facts give the same bits, in whatever order they come.
    """
    observations = observed(facts, since=since)
    fitted = fit_calibration(observations, facts.outcome_type)
    before = read(observations)
    after = read(observations.claiming(fitted.out_of_fold)) if fitted.offered else before
    made_from = span(facts, since=since)
    document = FittedCalibration(
        calibration=fitted.calibration,
        as_of=facts.as_of,
        data_from=made_from.first,
        data_until=made_from.last,
        report=_report(observations, fitted, before, after) | {"simulated": is_simulated(facts)},
    )
    return Made(observations, fitted, before, after, document)


def check_calibration(published: PublishedCalibration, facts: Facts, now: datetime) -> Checked:
    """Whether a calibration in use is stale: its age, its outcomes since, and what is asked by now.

    Only outcomes recommended after its own are looked at: of those it was learned from it would always be right.
    """
    document = published.fitted
    later = observed(facts, after=document.data_until)
    known = spoken_of(published.calibration, later)
    tested = drift(known, predicted(published.calibration, known))
    old = too_old(document.as_of, now, MAX_AGE) if published.calibration.cells else []
    moved = population_moved(document.report.get("population", {}), later)
    return Checked(len(later), tuple(tested), (*old, *drifted(tested), *moved))


def _report(
    observations: Observations, fitted: Fitted, before: Reading | None, after: Reading | None
) -> dict[str, Any]:
    """What a calibration does, as JSON: for whoever reads it where the outcomes are not."""
    return {
        "outcomes": len(observations),
        "positive": int(observations.positive.sum()),
        "conversations": len(observations.conversations.names),
        "offered": fitted.offered,
        "reason": fitted.reason,
        "gain": None if fitted.gain is None else _plain(asdict(fitted.gain)),
        "cells": [cell_facts(cell) for cell in fitted.cells if cell.gain is not None],
        "cells_with_too_little": sum(cell.gain is None for cell in fitted.cells),
        "before": None if before is None else reading_facts(before),
        "after": None if after is None else reading_facts(after),
        "population": population(observations) if len(observations) else {},
    }


def cell_facts(cell: CellFit) -> dict[str, Any]:
    """A cell as JSON."""
    found = asdict(cell) | {"own": None if cell.own is None else cell.own.model_dump(mode="json")}
    return dict(_plain(found))


def reading_facts(reading: Reading) -> dict[str, Any]:
    """A reading as JSON."""
    figures = {name: value.model_dump() for name, value in _estimates(reading).items()}
    rest = {name: value for name, value in asdict(reading).items() if name not in figures}
    return dict(_plain(rest | figures))


def _estimates(reading: Reading) -> dict[str, Any]:
    return {
        name: getattr(reading, name)
        for name in reading.__dataclass_fields__
        if hasattr(getattr(reading, name), "model_dump")
    }


def _plain(value: Any) -> Any:
    """Numbers of this machine's as JSON has them; the last bits are left off, so that no machine differs in them."""
    if isinstance(value, dict):
        return {name: _plain(own) for name, own in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(own) for own in value]
    if isinstance(value, (float, np.floating)):
        return round(float(value), 10) + 0.0
    return value
