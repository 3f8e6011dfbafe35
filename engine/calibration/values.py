"""A calibration: a map for each cell of recommendations whose confidence was found to be wrong."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from engine.calibration.maps import Map
from engine.model.outcome import OutcomeType
from engine.model.value import Value

NAME_DIGITS = 12


class Calibration(Value):
    """Maps by cell (`engine.calibration.cells`), applied in turn from the coarsest cell to the finest.

    Without maps it corrects nothing. Equal maps have the same `name`, wherever they were fitted.
    """

    outcome_type: OutcomeType
    cells: dict[str, Map] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The first digits of the SHA-256 of its content."""
        ordered = self.model_copy(update={"cells": dict(sorted(self.cells.items()))})
        return hashlib.sha256(ordered.model_dump_json().encode()).hexdigest()[:NAME_DIGITS]


class FittedCalibration(Value):
    """A calibration with where it comes from: what was known at `as_of` of what was recommended in a span of time.

    `data_from` and `data_until` are the first and the last recommendation that it was learned from, None if there was
    none. `report` says how it did on conversations that it had not seen, as JSON.
    """

    calibration: Calibration
    as_of: AwareDatetime
    data_from: AwareDatetime | None
    data_until: AwareDatetime | None
    report: dict[str, Any]


class PublishedCalibration(Value):
    """A calibration as it was put to use: the tenant's `number`-th. A rollback `returns_to` an earlier one.

    `for_everybody` says that it is no tenant's own: it holds for those who have published none.
    """

    tenant_id: UUID
    number: int
    fitted: FittedCalibration
    published_at: datetime
    published_by: str
    note: str
    returns_to: int | None = None
    for_everybody: bool = False

    @property
    def calibration(self) -> Calibration:
        return self.fitted.calibration

    @property
    def name(self) -> str:
        return self.fitted.calibration.name
