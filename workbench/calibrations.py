"""Calibrations of this installation: fitted to the copy of outcomes, kept in QBS_HOME, published in Postgres."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from pydantic import ValidationError

from engine.errors import InputError, StaleStateError, UnknownError
from engine.model.outcome import OutcomeType
from engine.state.tenants import EVERYBODY, tenant_uuid
from workbench.services import Services
from workbench.text import UnknownNameError, clip, printable

if TYPE_CHECKING:
    from engine.calibration import CalibrationRepository, FittedCalibration, PublishedCalibration
    from engine.state.database import Database
    from evals.learning.calibration.making import Checked, Made
    from evals.learning.calibration.scores import Reading

ResultT = TypeVar("ResultT")
Work = Callable[["CalibrationRepository"], Awaitable[ResultT]]

_SHORT = 8  # digits that tell fits of one name apart
SECONDS = 30.0  # for reading and publishing: rows are few


@dataclass(frozen=True, slots=True)
class Standing:
    """What live engines use for a tenant, what it has published itself (the newest first), and the newest number."""

    in_use: PublishedCalibration | None = None
    history: tuple[PublishedCalibration, ...] = ()
    newest: int = 0


@dataclass(frozen=True, slots=True)
class Calibrations:
    """The calibrations of one tenant, by name or UUID. What is fitted stays here until somebody publishes it.

    Without `opened`, the database is opened and closed for everything that is asked of it.
    """

    services: Services
    tenant: UUID | str
    opened: Database | None = None

    @property
    def folder(self) -> Path:
        """Where fitted calibrations of this tenant are kept, each in a file under its name."""
        return self.services.settings.home / "calibrations" / str(tenant_uuid(self.tenant))

    def fit(
        self,
        outcome_type: OutcomeType = OutcomeType.EMAIL_ENGAGEMENT,
        *,
        as_of: datetime | None = None,
        since: datetime | None = None,
    ) -> Made:
        """Fit to what was known at `as_of` (now), and keep it. Raises InputError if there are no resolved outcomes."""
        from evals.files import write_atomically
        from evals.learning.calibration.making import make_calibration
        from evals.learning.calibration.outcomes import COLUMNS

        store = self.services.outcomes_of(self.tenant)
        facts = store.facts(self.tenant, outcome_type=outcome_type, as_of=as_of, columns=COLUMNS)
        made = make_calibration(facts, since=since)
        if not len(made.observations):
            raise InputError(
                f"the copy of outcomes holds no resolved {outcome_type} outcome of this tenant with a confidence: "
                "`qbs outcomes sync` copies them, `qbs outcomes import` brings them from elsewhere"
            )
        content = made.document.model_dump_json(indent=1).encode()
        write_atomically(self.folder / f"{made.document.calibration.name}-{_short(content)}.json", content)
        return made

    def kept(self) -> tuple[FittedCalibration, ...]:
        """What was fitted here, the latest `as_of` first. Raises InputError for a file that is not one of ours."""
        return tuple(self._kept().values())

    def named(self, name: str | None) -> FittedCalibration:
        """A kept one by its name, or the beginning of it; None is the latest. Raises UnknownNameError, InputError.

        Of fits that correct alike, and so have one name, it is the latest, unless `name` goes on as `alike` says.
        """
        kept = self._kept()
        if not kept:
            raise InputError("no calibration of this tenant was fitted here yet: begin with `qbs calibrate fit`")
        matching = [own for key, own in kept.items() if name is None or key.startswith(name)]
        if len({own.calibration.name for own in matching}) != 1 and name is not None:
            raise UnknownNameError("calibration", name, {own.calibration.name for own in kept.values()})
        return matching[0]

    def alike(self, fitted: FittedCalibration) -> dict[str, datetime]:
        """The other fits that correct exactly alike, learned from something else: the moment that each is as of, by
        what names it and no other.
        """
        name = fitted.calibration.name
        others = {key: own for key, own in self._kept().items() if own.calibration.name == name and own != fitted}
        return {key: own.as_of for key, own in others.items()}

    def _kept(self) -> dict[str, FittedCalibration]:
        """By name and a few digits of all that the fit says, as the file is named: equal corrections may come of
        different outcomes, most of all those that correct nothing. In the order of `kept`.
        """
        files = sorted(self.folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        found = {f"{(own := _read(file)).calibration.name}-{_short(file.read_bytes())}": own for file in files}
        return dict(sorted(found.items(), key=lambda each: each[1].as_of, reverse=True))

    async def publish(
        self, fitted: FittedCalibration, *, by: str, note: str, since: int | None = None
    ) -> PublishedCalibration:
        """Put it to use. `since` is the number of the newest published one that was seen, 0 for none.

        Raises StaleStateError, which says who has published what since then; InputError for one of other outcomes than
        replies (the engine reports no other), for one that corrects nothing, and for one of a simulated world that is
        to hold for everybody.
        """
        if fitted.calibration.outcome_type is not OutcomeType.EMAIL_ENGAGEMENT:
            raise InputError(
                f"this calibration is about {fitted.calibration.outcome_type}; the engine reports the probability of "
                f"a reply, so only one of {OutcomeType.EMAIL_ENGAGEMENT} can be put to use"
            )
        if not fitted.calibration.cells:
            raise InputError(
                "this calibration corrects nothing, so there is nothing to publish; "
                "`qbs calibrate rollback --to 0` ends a correction"
            )
        if fitted.report.get("simulated") and tenant_uuid(self.tenant) == EVERYBODY:
            raise InputError(
                "this calibration was learned from a simulated world, and nothing simulated holds for everybody; "
                "fit one to outcomes of real customers"
            )
        return await self._after(since, lambda repository: repository.publish(fitted, by=by, note=note, since=since))

    async def roll_back(self, to: int | None, *, by: str, note: str, since: int | None = None) -> PublishedCalibration:
        """Use again what was in use before, or the `to`-th; see `CalibrationRepository.rollback`, and `publish`."""
        return await self._after(since, lambda repository: repository.rollback(to, by=by, note=note, since=since))

    async def history(self) -> tuple[PublishedCalibration, ...]:
        """What this tenant has published, the newest first."""
        return await self._work(lambda repository: repository.history())

    async def in_use(self) -> PublishedCalibration | None:
        """What is in use: the tenant's own, else everybody's; None if there is none."""
        own = await self._work(lambda repository: repository.newest())
        return own or await self._everybodys()

    async def standing(self) -> Standing:
        """All that a person sees before deciding. The number is read first: what comes in between is not missed."""

        async def look(repository: CalibrationRepository) -> tuple[int, tuple[PublishedCalibration, ...]]:
            return await repository.newest_number(), await repository.history()

        newest, history = await self._work(look)
        return Standing(history[0] if history else await self._everybodys(), history, newest)

    async def _everybodys(self) -> PublishedCalibration | None:
        if tenant_uuid(self.tenant) == EVERYBODY:
            return None
        return await Calibrations(self.services, EVERYBODY, self.opened)._work(lambda repository: repository.newest())

    async def _after(self, since: int | None, work: Work[ResultT]) -> ResultT:
        """Do `work`, which rests on the number `since`."""
        try:
            return await self._work(work)
        except StaleStateError:
            if since is None:
                raise
        newer = await self._newer(since)
        if not newer:
            raise UnknownError(f"no calibration {since} was published here: `qbs calibrate history` lists the numbers")
        raise StaleStateError(f"{' '.join(map(_told, newer))} Look again, and decide anew.")

    async def _newer(self, number: int) -> list[PublishedCalibration]:
        """What was published after `number`, of whatever outcomes, the oldest first."""

        async def look(repository: CalibrationRepository) -> list[PublishedCalibration]:
            return [own for kind in OutcomeType for own in await repository.history(kind) if own.number > number]

        return sorted(await self._work(look), key=lambda own: own.number)

    def check(self, published: PublishedCalibration, now: datetime | None = None) -> Checked:
        """Whether it has gone stale, by the copy of outcomes as it is."""
        from evals.learning.calibration.making import check_calibration
        from evals.learning.calibration.outcomes import COLUMNS

        outcome_type = published.calibration.outcome_type
        store = self.services.outcomes_of(self.tenant)
        facts = store.facts(self.tenant, outcome_type=outcome_type, columns=COLUMNS)
        return check_calibration(published, facts, now or datetime.now(UTC))

    def since(self, published: PublishedCalibration) -> tuple[Reading, Reading] | None:
        """How the engine's confidence and what it makes of it read in later outcomes than it was learned from.

        None where these are too few to be tested.
        """
        from evals.learning.calibration.drift import LEAST
        from evals.learning.calibration.outcomes import COLUMNS, observed
        from evals.learning.calibration.predicting import predicted, spoken_of
        from evals.learning.calibration.scores import read

        store = self.services.outcomes_of(self.tenant)
        facts = store.facts(self.tenant, outcome_type=published.calibration.outcome_type, columns=COLUMNS)
        later = spoken_of(published.calibration, observed(facts, after=published.fitted.data_until))
        if len(later) < LEAST:
            return None
        before, after = read(later), read(later.claiming(predicted(published.calibration, later)))
        return None if before is None or after is None else (before, after)

    async def _work(self, work: Work[ResultT]) -> ResultT:
        if self.opened is not None:
            return await self._asked(self.opened, work)
        database = await self.services.database()
        try:
            return await self._asked(database, work)
        finally:
            await database.aclose()

    async def _asked(self, database: Database, work: Work[ResultT]) -> ResultT:
        from engine.calibration import CalibrationRepository

        async with database.tenant(self.tenant).begin(timeout_s=SECONDS) as session:
            return await work(CalibrationRepository(session))


def _told(published: PublishedCalibration) -> str:
    """`Meanwhile ann published 3f9a as number 4, 2026-03-02 09:30 UTC ("too low for chat").`"""
    what = published.name if published.calibration.cells else "no correction"
    when = f"{published.published_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    by, note = printable(published.published_by), clip(printable(published.note), 200)
    return f'Meanwhile {by} published {what} as number {published.number}, {when} ("{note}").'


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_SHORT]


def _read(file: Path) -> FittedCalibration:
    from engine.calibration import FittedCalibration

    try:
        return FittedCalibration.model_validate_json(file.read_bytes())
    except ValidationError:
        raise InputError("is no calibration of this program's: remove it, and fit again", file=file) from None
