"""What the Calibration page reads beside the rest, each kept for as long as it cannot have changed.

Keys begin with the tenant: nobody is shown what is another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import numpy as np
import streamlit as st

from engine.calibration.values import FittedCalibration, PublishedCalibration
from engine.model.outcome import OutcomeType
from engine.state.tenants import tenant_uuid
from evals.learning.calibration.extraction import ExtractionReading
from evals.learning.calibration.making import Checked, reading_facts
from evals.learning.calibration.observations import Observations
from evals.learning.calibration.outcomes import COLUMNS, is_simulated, observed, span
from evals.learning.calibration.reliability import reliability
from evals.learning.calibration.scores import read
from evals.runs.rows import RunRow
from workbench.background import Job, Report, Work, background
from workbench.calibrations import Calibrations, Standing
from workbench.presenters.calibration_cells import CellSeen
from workbench.views import calibration_tenants, reading
from workbench.views.calibration_tenants import Stamp

SECONDS = 30.0  # that the page waits for the database
_OPENING_SECONDS = 120.0  # that a slow machine may take to set up Postgres
_FINER_LEAST = 50  # resolved outcomes from which a cell of the finest level is shown


@dataclass(frozen=True)
class Seen:
    """How the engine's confidence reads in the outcomes of a tenant, as they were known at `as_of`.

    `facts` are None without any resolved outcome with a confidence; `outcomes` counts these, `all` every outcome.
    """

    as_of: datetime
    all: int
    outcomes: int
    conversations: int
    first: datetime | None
    last: datetime | None
    simulated: bool
    facts: dict[str, Any] | None
    cells: tuple[CellSeen, ...]


def seen(tenant: str, outcome_type: OutcomeType, as_of: datetime | None) -> Seen:
    """Raises LockedError if another process works on the copy for long."""
    calibration_tenants.prepare(tenant)
    return _seen(tenant_uuid(tenant), outcome_type, as_of, calibration_tenants.store_stamp())


def kept(tenant: str, outcome_type: OutcomeType) -> tuple[FittedCalibration, ...]:
    """What was fitted here to outcomes of this type, the latest `as_of` first."""
    folder = Calibrations(reading.services(), tenant).folder
    files = sorted(folder.glob("*.json"))
    stamp = tuple((file.name, file.stat().st_mtime_ns) for file in files)
    return tuple(own for own in _kept(tenant_uuid(tenant), stamp) if own.calibration.outcome_type is outcome_type)


def calibrations(tenant: str) -> Calibrations:
    """Those of a tenant, over the database that the pages share. Raises StateError where it cannot be opened."""
    live = reading.live()
    if not live.is_open:
        with st.spinner("Opening the database.", show_time=True):
            background().call(live.open(), _OPENING_SECONDS)
    return Calibrations(reading.services(), tenant, live.database)


def standing(tenant: str) -> Standing:
    """What is in use for a tenant, its own or everybody's, and what it has published. Where no database was ever set
    up, nothing was.
    """
    return background().call(calibrations(tenant).standing(), SECONDS) if has_database() else Standing()


def has_database() -> bool:
    """Whether there is one already: looking alone sets none up."""
    server = reading.services().database_server
    return not server.embedded or server.folder.exists()


def checked(tenant: str, published: PublishedCalibration) -> Checked:
    """Whether it has gone stale by now."""
    key = (str(published.tenant_id), published.number)
    return _checked(tenant_uuid(tenant), key, calibration_tenants.store_stamp(), datetime.now(UTC).date(), published)


def since(tenant: str, published: PublishedCalibration) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """How the engine's confidence, and the calibrated one, read in later outcomes; None if these are too few."""
    key = (str(published.tenant_id), published.number)
    return _since(tenant_uuid(tenant), key, calibration_tenants.store_stamp(), published)


def extraction(row: RunRow) -> tuple[ExtractionReading, ...]:
    """What the labels say of everything that a run extracted. Raises InputError and RunError."""
    return _extraction(row.run_id, row.turns, reading.dataset_stamp(row.dataset))


def fit_key(tenant: str, outcome_type: OutcomeType, as_of: datetime | None) -> str:
    """What tells one fit from another: asking for the same one twice is one job."""
    return f"calibrate {tenant_uuid(tenant)} {outcome_type} {as_of.isoformat() if as_of else 'now'}"


def fit_job(tenant: str, outcome_type: OutcomeType, as_of: datetime | None) -> Job | None:
    return background().job(fit_key(tenant, outcome_type, as_of))


def begin_fit(tenant: str, outcome_type: OutcomeType, as_of: datetime | None) -> None:
    """Fit in the background; what comes of it is kept with the others."""
    title = f"Fitting a calibration to the outcomes of {tenant}"
    background().submit(fit_key(tenant, outcome_type, as_of), title, _fitting(tenant, outcome_type, as_of))


def _fitting(tenant: str, outcome_type: OutcomeType, as_of: datetime | None) -> Work:
    async def work(report: Report, stop: Any) -> str:
        import asyncio

        own = Calibrations(reading.services(), tenant)
        made = await asyncio.to_thread(own.fit, outcome_type, as_of=as_of)
        name = made.document.calibration.name
        return f"Fitted {name}." if made.fitted.offered else "Fitted; nothing is offered."

    return work


@st.cache_resource(show_spinner="Reading the outcomes.", max_entries=30)
def _seen(tenant: UUID, outcome_type: OutcomeType, as_of: datetime | None, stamp: Stamp) -> Seen:
    store = reading.services().outcome_store()
    facts = store.facts(tenant, outcome_type=outcome_type, as_of=as_of, columns=COLUMNS)
    observations = observed(facts)
    found, made_from = read(observations), span(facts)
    return Seen(
        as_of=facts.as_of,
        all=len(facts),
        outcomes=len(observations),
        conversations=len(observations.conversations.names),
        first=made_from.first,
        last=made_from.last,
        simulated=is_simulated(facts),
        facts=None if found is None else reading_facts(found),
        cells=_cells(observations),
    )


def _cells(observations: Observations) -> tuple[CellSeen, ...]:
    """Every cell of the two coarser levels, and those of the finest with enough outcomes, each read as one bin."""
    found = []
    for level, cells in enumerate(observations.cells):
        sizes = np.bincount(cells.codes, minlength=len(cells.names))
        for name, size in zip(cells.names, sizes.tolist(), strict=True):
            if name and size >= (_FINER_LEAST if level == len(observations.cells) - 1 else 1):
                (claims,) = reliability(observations.of_cell(level, name), bins=1)
                found.append(CellSeen(name, level, claims))
    return tuple(found)


@st.cache_resource(show_spinner=False, max_entries=20)
def _kept(tenant: UUID, stamp: tuple[tuple[str, int], ...]) -> tuple[FittedCalibration, ...]:
    return Calibrations(reading.services(), tenant).kept()


@st.cache_resource(show_spinner="Checking the calibration in use.", max_entries=20)
def _checked(tenant: UUID, key: tuple[str, int], stamp: Stamp, day: date, _published: PublishedCalibration) -> Checked:
    return Calibrations(reading.services(), tenant).check(_published)


@st.cache_resource(show_spinner=False, max_entries=20)
def _since(
    tenant: UUID, key: tuple[str, int], stamp: Stamp, _published: PublishedCalibration
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    found = Calibrations(reading.services(), tenant).since(_published)
    return None if found is None else (reading_facts(found[0]), reading_facts(found[1]))


@st.cache_resource(show_spinner="Reading what was extracted.", max_entries=20)
def _extraction(run_id: str, turns: int, stamp: reading.Stamp) -> tuple[ExtractionReading, ...]:
    from evals.learning.calibration.extraction import claims_of_run, read_extraction
    from workbench.evaluations import evaluations

    (own,) = evaluations(reading.services(), [run_id])
    return read_extraction(claims_of_run(own))
