"""CalibrationRepository: which calibration a tenant uses, and which it used before. Rows are added, none is changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from engine.calibration.values import Calibration, FittedCalibration, PublishedCalibration
from engine.errors import InputError, SchemaVersionError, StaleStateError, StateError, UnknownError
from engine.model.outcome import OutcomeType
from engine.outcomes.sql import listed, statement
from engine.state.database import TenantSession
from engine.state.inquiry import Inquiry
from engine.state.tenants import EVERYBODY

FITTED_VERSION = 1  # of the document `fitted`
ATTEMPTS = 50  # at a number that others take at the same moment; each time one of them has got it
NONE_AT_ALL = 0  # what was in use before the first: no correction

_COLUMNS = (
    "number", "calibration", "outcome_type", "as_of", "data_from", "data_until", "fitted", "report", "published_at",
    "published_by", "note", "returns_to", "schema_version",
)  # fmt: skip
_PUBLISH = statement(
    f"""
insert into qbs.calibrations (
    tenant_id, number, calibration, outcome_type, as_of, data_from, data_until, fitted, report,
    published_by, note, returns_to, schema_version
) select :tenant_id::uuid, coalesce(max(number), 0) + 1, :calibration, :outcome_type, :as_of::timestamptz,
         :data_from::timestamptz, :data_until::timestamptz, :fitted::jsonb, :report::jsonb, :by, :note,
         :returns_to::int, :version::int
    from qbs.calibrations where tenant_id = :tenant_id::uuid
  having :since::bigint is null or coalesce(max(number), 0) = :since::bigint
on conflict do nothing
returning {listed(_COLUMNS)}
""",  # noqa: S608  # made of names
    _COLUMNS,
)
_NEWEST_NUMBER = statement(
    "select coalesce(max(number), 0) as number from qbs.calibrations where tenant_id = :tenant_id::uuid", ("number",)
)
_HISTORY = statement(
    f"select {listed(_COLUMNS)} from qbs.calibrations "  # noqa: S608  # made of names
    "where tenant_id = :tenant_id and outcome_type = :outcome_type order by number desc limit :limit::int",
    _COLUMNS,
)


class CalibrationRepository:
    """The calibrations of the session's tenant. What holds for all tenants is kept under `EVERYBODY`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    async def publish(
        self,
        fitted: FittedCalibration,
        *,
        by: str,
        note: str,
        returns_to: int | None = None,
        since: int | None = None,
    ) -> PublishedCalibration:
        """Put a calibration to use from now on. `since` is the newest number that was seen (0: none), where what is
        decided rests on it; None where it does not.

        The live engine corrects the probability of a reply: only its calibrations change what is reported. Raises
        InputError without a name or a note, or one that cannot be kept; StaleStateError if there are newer ones than
        `since`.
        """
        if not by.strip() or not note.strip():
            raise InputError("a calibration is published by somebody and with a note: say who, and what it is for")
        call = _PUBLISH(
            tenant_id=self._session.tenant_id,
            calibration=fitted.calibration.name,
            outcome_type=fitted.calibration.outcome_type,
            as_of=fitted.as_of,
            data_from=fitted.data_from,
            data_until=fitted.data_until,
            fitted=fitted.calibration.model_dump_json().encode(),
            report=json.dumps(fitted.report).encode(),
            by=by,
            note=note,
            returns_to=returns_to,
            version=FITTED_VERSION,
            since=since,
        )
        for _ in range(ATTEMPTS):
            (rows,) = await self._session.send(call)
            if rows:
                return _published(rows[0], self._session.tenant_id)
            if since is not None:
                raise StaleStateError("somebody has published a calibration of this tenant in the meantime: look again")
        raise StateError("others kept publishing calibrations of this tenant at the same moment; try again")

    async def newest_number(self) -> int:
        """The number of the newest calibration of any outcomes; 0 if there is none."""
        (rows,) = await self._session.send(_NEWEST_NUMBER(tenant_id=self._session.tenant_id))
        return int(rows[0]["number"])

    async def newest(self, outcome_type: OutcomeType = OutcomeType.EMAIL_ENGAGEMENT) -> PublishedCalibration | None:
        """The one in use; None if this tenant has never published any. Raises as `history`."""
        return next(iter(await self.history(outcome_type, limit=1)), None)

    async def history(
        self, outcome_type: OutcomeType = OutcomeType.EMAIL_ENGAGEMENT, *, limit: int = 100
    ) -> tuple[PublishedCalibration, ...]:
        """The newest first. Raises SchemaVersionError for one of a newer program, StateError for one not of ours."""
        return await self._session.ask(self._history(outcome_type, limit))

    async def rollback(
        self,
        to: int | None = None,
        *,
        by: str,
        note: str,
        outcome_type: OutcomeType = OutcomeType.EMAIL_ENGAGEMENT,
        since: int | None = None,
    ) -> PublishedCalibration:
        """Use again what the `to`-th said, `NONE_AT_ALL` for no correction; None is the one before that in use.

        Going back twice goes back further. `since` is as in `publish`; without it, what this call itself has seen.
        Raises UnknownError if there is none with that number, InputError if there is nothing to go back from;
        StaleStateError if somebody published in the meantime.
        """
        since = await self.newest_number() if since is None else since
        history = await self.history(outcome_type, limit=10_000)
        if not history:
            problem = "no calibration was ever published here, so there is nothing to go back from"
            raise UnknownError(problem) if to else InputError(problem)
        if to is None and _is_nothing(history[0].fitted):
            raise InputError("no calibration is in use, so there is nothing to go back from; say to which one")
        wanted = _before(history) if to is None else to
        if wanted == NONE_AT_ALL:
            return await self.publish(_nothing(history[0].fitted), by=by, note=note, since=since)
        again = next((one for one in history if one.number == wanted), None)
        if again is None:
            numbers = ", ".join(str(one.number) for one in reversed(history))
            raise UnknownError(f"there is no calibration {wanted} of {outcome_type} here; there are: {numbers}")
        returns_to = again.returns_to or again.number
        return await self.publish(again.fitted, by=by, note=note, returns_to=returns_to, since=since)

    def _history(self, outcome_type: OutcomeType, limit: int) -> Inquiry[tuple[PublishedCalibration, ...]]:
        tenant_id = self._session.tenant_id
        call = _HISTORY(tenant_id=tenant_id, outcome_type=outcome_type, limit=limit)
        return Inquiry((call,), lambda answers: tuple(_published(row, tenant_id) for row in answers[0]))


def _before(history: Sequence[PublishedCalibration]) -> int:
    """The number of what was in use before what is; what rollbacks brought back counts as what it was."""
    in_use = history[0].returns_to or history[0].number
    earlier = (one.number for one in history if one.number < in_use and one.returns_to is None)
    return next(earlier, NONE_AT_ALL)


def _nothing(instead_of: FittedCalibration) -> FittedCalibration:
    """A calibration that corrects nothing, learned from nothing."""
    empty = Calibration(outcome_type=instead_of.calibration.outcome_type)
    return FittedCalibration(calibration=empty, as_of=instead_of.as_of, data_from=None, data_until=None, report={})


def _is_nothing(fitted: FittedCalibration) -> bool:
    return not fitted.calibration.cells and not fitted.report


def _published(row: dict[str, Any], tenant_id: UUID) -> PublishedCalibration:
    if row["schema_version"] > FITTED_VERSION:
        raise SchemaVersionError(
            f"calibration {row['number']} is of version {row['schema_version']}, and this program reads up to "
            f"{FITTED_VERSION}: use the program that wrote it, or a newer one"
        )
    try:
        calibration = Calibration.model_validate_json(row["fitted"])
    except ValidationError as error:
        wrong = sorted({".".join(map(str, problem["loc"])) for problem in error.errors()})
        raise StateError(f"calibration {row['number']} cannot be read: {', '.join(wrong)}") from None
    fitted = FittedCalibration(
        calibration=calibration,
        as_of=row["as_of"],
        data_from=row["data_from"],
        data_until=row["data_until"],
        report=json.loads(row["report"]),
    )
    return PublishedCalibration(
        tenant_id=tenant_id,
        number=row["number"],
        fitted=fitted,
        published_at=row["published_at"],
        published_by=row["published_by"],
        note=row["note"],
        returns_to=row["returns_to"],
        for_everybody=tenant_id == EVERYBODY,
    )
