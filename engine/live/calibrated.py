"""The confidence that a running engine reports beside its own: corrected by the calibration in use for the tenant."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

import structlog

from engine.calibration.applying import calibrated, recommendation_cells
from engine.calibration.repository import CalibrationRepository
from engine.calibration.values import Calibration, PublishedCalibration
from engine.live.answering import kind_of
from engine.live.in_use import REFRESH_S, WAIT_S, Clock, InUse
from engine.model.outcome import OutcomeDetails
from engine.state.database import Database, TenantSession


@dataclass(frozen=True, slots=True)
class CalibratedConfidence:
    """The probability that a question is answered inside its window, and the calibration that says so."""

    confidence: float
    calibration: str


class CalibrationsInUse:
    """The calibrations in use, tenant by tenant, as `engine.live.in_use` keeps them. Belongs to one event loop."""

    def __init__(
        self,
        database: Database,
        *,
        refresh_s: float = REFRESH_S,
        wait_s: float = WAIT_S,
        clock: Clock = time.monotonic,
    ) -> None:
        self._in_use = InUse[PublishedCalibration](
            database, _newest, "calibration", refresh_s=refresh_s, wait_s=wait_s, clock=clock
        )

    async def of(self, tenant: UUID | str) -> Calibration | None:
        """The calibration of replies for a tenant; None if there is none. Never raises on account of Postgres."""
        published = await self._in_use.of(tenant)
        return None if published is None else published.calibration

    async def refresh(self) -> None:
        """Ask Postgres now for all that are known, and wait for it."""
        await self._in_use.refresh()

    async def aclose(self) -> None:
        """Give up what is being asked for."""
        await self._in_use.aclose()


def with_calibration(
    details: OutcomeDetails, calibration: Calibration | None, action_type: str, confidence: float
) -> OutcomeDetails:
    """The details with what the calibration makes of `confidence`; as they are where it says nothing of such a one.

    Never raises: a defect in a calibration costs the correction, never the message.
    """
    if calibration is None:
        return details
    try:
        corrected = calibrated(calibration, recommendation_cells(action_type, details, confidence), confidence)
    except Exception as defect:  # noqa: BLE001  # the engine's own confidence is there, and the message has to count
        not_calibrated(defect)
        return details
    if corrected is None:
        return details
    return details.model_copy(update={"calibration": calibration.name, "calibrated_confidence": corrected})


def not_calibrated(defect: Exception) -> None:
    """Log a defect that cost a correction."""
    structlog.get_logger(__name__).error("calibration failed; the engine's own stays", error=kind_of(defect))


def told(details: OutcomeDetails | None) -> CalibratedConfidence | None:
    """What was reported with a recommendation beside the engine's own confidence, if anything was."""
    if details is None or details.calibration is None or details.calibrated_confidence is None:
        return None
    return CalibratedConfidence(details.calibrated_confidence, details.calibration)


async def _newest(session: TenantSession) -> PublishedCalibration | None:
    return await CalibrationRepository(session).newest()
