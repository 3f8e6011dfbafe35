"""Calibrations in Postgres, tenant by tenant, and what a running engine makes of the one in use."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from engine.calibration import Calibration, CalibrationRepository, FittedCalibration, PublishedCalibration
from engine.calibration.maps import Intercept, Map
from engine.calibration.repository import FITTED_VERSION, NONE_AT_ALL
from engine.errors import InputError, SchemaVersionError, StaleStateError, StateError
from engine.live import LiveEngine
from engine.live.calibrated import CalibrationsInUse
from engine.live.in_use import InUse
from engine.model.analysis import Analysis
from engine.outcomes import OutcomeType, list_outcomes
from engine.outcomes.sql import statement
from engine.state.database import Database, TenantSession
from engine.state.tenants import EVERYBODY
from tests.integration.live_turns import WHERE, said
from tests.integration.scripted_analyzer import ScriptedAnalyzer

REPLY, PROGRESS = OutcomeType.EMAIL_ENGAGEMENT, OutcomeType.DEAL_PROGRESSION
AS_OF = datetime(2026, 5, 1, tzinfo=UTC)
TRIPLED, HALVED = Intercept(shift=math.log(3)), Intercept(shift=-math.log(2))


def fitted(own: Map | None = TRIPLED, outcome_type: OutcomeType = REPLY, cell: str = "model") -> FittedCalibration:
    """A calibration of everything that models estimate; None corrects nothing."""
    return FittedCalibration(
        calibration=Calibration(outcome_type=outcome_type, cells={} if own is None else {cell: own}),
        as_of=AS_OF,
        data_from=AS_OF - timedelta(days=30),
        data_until=AS_OF - timedelta(days=2),
        report={"outcomes": 700, "gain": {"gain": 0.0301}},
    )


async def publish(
    database: Database, tenant: UUID, own: FittedCalibration, note: str = "why", since: int | None = None
) -> PublishedCalibration:
    async with database.tenant(tenant).begin() as session:
        return await CalibrationRepository(session).publish(own, by="ann", note=note, since=since)


async def roll_back(
    database: Database, tenant: UUID, to: int | None = None, since: int | None = None
) -> PublishedCalibration:
    async with database.tenant(tenant).begin() as session:
        return await CalibrationRepository(session).rollback(to, by="ann", note="back", since=since)


async def history(database: Database, tenant: UUID, outcome_type: OutcomeType = REPLY) -> list[PublishedCalibration]:
    async with database.tenant(tenant).begin() as session:
        return list(await CalibrationRepository(session).history(outcome_type))


async def test_what_is_published_is_read_back_as_it_was(database: Database, tenant: UUID) -> None:
    made = await publish(database, tenant, fitted())
    assert (made.number, made.published_by, made.note, made.for_everybody) == (1, "ann", "why", False)
    assert made.fitted == fitted()
    assert await history(database, tenant) == [made]
    async with database.tenant(tenant).begin() as session:
        assert await CalibrationRepository(session).newest() == made
        assert await CalibrationRepository(session).newest(PROGRESS) is None


async def test_tenants_see_their_own_and_number_their_own(database: Database, tenant: UUID) -> None:
    other = uuid4()
    await publish(database, tenant, fitted())
    await publish(database, other, fitted(HALVED))
    assert [own.name for own in await history(database, other)] == [fitted(HALVED).calibration.name]
    assert [(own.number, own.name) for own in await history(database, tenant)] == [(1, fitted().calibration.name)]


async def test_of_many_at_the_same_moment_each_gets_a_number(database: Database, tenant: UUID) -> None:
    made = await asyncio.gather(*(publish(database, tenant, fitted()) for _ in range(6)))
    assert sorted(own.number for own in made) == [1, 2, 3, 4, 5, 6]


async def test_going_back_brings_back_what_was_there_and_going_back_twice_goes_further(
    database: Database, tenant: UUID
) -> None:
    first, second, third = [
        await publish(database, tenant, fitted(Intercept(shift=shift))) for shift in (0.1, 0.2, 0.3)
    ]
    back = [await roll_back(database, tenant) for _ in range(3)]
    assert [own.name for own in back[:2]] == [second.name, first.name]
    assert [own.returns_to for own in back[:2]] == [2, 1]
    assert back[2].calibration.cells == {}
    with pytest.raises(InputError, match="no calibration is in use"):
        await roll_back(database, tenant)
    again = await roll_back(database, tenant, to=third.number)
    assert (again.name, again.number) == (third.name, 7)
    none = await roll_back(database, tenant, to=NONE_AT_ALL)
    assert none.calibration.cells == {}


async def test_what_cannot_be_done_is_refused_with_the_reason(database: Database, tenant: UUID) -> None:
    with pytest.raises(InputError, match="ever published"):
        await roll_back(database, tenant)
    with pytest.raises(InputError, match="with a note"):
        await publish(database, tenant, fitted(), note=" ")
    await publish(database, tenant, fitted())
    with pytest.raises(InputError, match=r"no calibration 7 .* there are: 1"):
        await roll_back(database, tenant, to=7)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (f"schema_version = {FITTED_VERSION + 1}", SchemaVersionError, "newer one"),
        (
            """fitted = '{"outcome_type": "email_engagement", "cells": {"model": {"kind": "magic"}}}'""",
            StateError,
            "cell",
        ),
    ],
)
async def test_a_row_that_this_program_cannot_read_says_so(
    database: Database, tenant: UUID, change: str, error: type[StateError], says: str
) -> None:
    async with database.tenant(tenant).begin() as session:
        await _add_row(session, change)
    with pytest.raises(error, match=says):
        await history(database, tenant)


async def _add_row(session: TenantSession, change: str) -> None:
    """A row as another program would have written it: rows are never changed, so it is added as it is."""
    made = await CalibrationRepository(session).publish(fitted(), by="ann", note="why")
    column, value = change.split(" = ", 1)
    columns = (
        "tenant_id", "calibration", "outcome_type", "as_of", "data_from", "data_until", "fitted", "report",
        "published_by", "note", "returns_to", "schema_version",
    )  # fmt: skip
    taken = ", ".join(value if name == column else name for name in columns)
    copy = statement(
        f"insert into qbs.calibrations (number, {', '.join(columns)}) select 2, {taken} "
        "from qbs.calibrations where tenant_id = :tenant_id and number = :number::int",
    )
    await session.send(copy(tenant_id=session.tenant_id, number=made.number))


async def test_whoever_decides_on_what_is_not_the_newest_any_more_is_told(database: Database, tenant: UUID) -> None:
    await publish(database, tenant, fitted(), since=0)
    await publish(database, tenant, fitted(HALVED), since=1)
    with pytest.raises(StaleStateError, match="look again"):
        await publish(database, tenant, fitted(), since=1)
    with pytest.raises(StaleStateError, match="look again"):
        await roll_back(database, tenant, since=1)
    with pytest.raises(StaleStateError, match="look again"):
        await roll_back(database, tenant, NONE_AT_ALL, since=1)
    assert [own.number for own in await history(database, tenant)] == [2, 1]
    assert (await roll_back(database, tenant, since=2)).returns_to == 1


async def test_of_those_who_have_seen_the_same_only_one_publishes(database: Database, tenant: UUID) -> None:
    told = await asyncio.gather(
        *(publish(database, tenant, fitted(), since=0) for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(own).__name__ for own in told) == ["PublishedCalibration"] + ["StaleStateError"] * 3


class Clock:
    """A clock that tests set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def in_use(database: Database) -> AsyncIterator[CalibrationsInUse]:
    calibrations = CalibrationsInUse(database, wait_s=30)
    yield calibrations
    await calibrations.aclose()


async def test_the_engine_reports_and_records_the_calibrated_confidence_beside_its_own(
    database: Database, tenant: UUID, in_use: CalibrationsInUse
) -> None:
    await publish(database, tenant, fitted())
    engine = LiveEngine(database, ScriptedAnalyzer(), calibrations=in_use)
    taken = await engine.take_turn(tenant, *WHERE, said(1))
    assert taken.analysis is not None
    own = taken.analysis.question.recommendation.confidence
    assert own == pytest.approx(0.4)  # it stays in the analysis
    assert taken.calibrated is not None
    assert taken.calibrated.confidence == pytest.approx(2 / 3)  # odds of 2 to 3, tripled
    assert taken.calibrated.calibration == fitted().calibration.name
    async with database.tenant(tenant).begin() as session:
        page = await list_outcomes(session)
    recorded = next(each.outcome for each in page.outcomes if each.outcome.outcome_id == taken.outcome_id)
    assert recorded.predicted_confidence == own  # it is what gets calibrated next time
    assert recorded.details.calibration == fitted().calibration.name
    assert recorded.details.calibrated_confidence == pytest.approx(2 / 3)


async def test_a_message_delivered_again_reports_what_was_recorded_first(
    database: Database, tenant: UUID, in_use: CalibrationsInUse
) -> None:
    await publish(database, tenant, fitted())
    engine = LiveEngine(database, ScriptedAnalyzer(), calibrations=in_use)
    first = await engine.take_turn(tenant, *WHERE, said(1))
    await publish(database, tenant, fitted(HALVED))
    await in_use.refresh()
    again = await engine.take_turn(tenant, *WHERE, said(1))
    assert again.duplicate
    assert again.calibrated == first.calibrated is not None
    later = await engine.take_turn(tenant, *WHERE, said(5))
    assert later.calibrated is not None
    assert later.calibrated.calibration == fitted(HALVED).calibration.name


@pytest.mark.parametrize("own", [fitted(None), fitted(cell="rules")], ids=["corrects nothing", "about others"])
async def test_a_confidence_that_the_calibration_says_nothing_of_is_reported_as_it_is(
    database: Database, tenant: UUID, in_use: CalibrationsInUse, own: FittedCalibration
) -> None:
    await publish(database, tenant, own)
    engine = LiveEngine(database, ScriptedAnalyzer(), calibrations=in_use)
    taken = await engine.take_turn(tenant, *WHERE, said(1))
    assert taken.outcome_id is not None
    assert taken.calibrated is None


async def test_what_was_brought_back_twice_over_is_still_as_old_as_it_was(database: Database, tenant: UUID) -> None:
    for own in (fitted(), fitted(HALVED)):
        await publish(database, tenant, own)
    again = await roll_back(database, tenant, 1)
    twice = await roll_back(database, tenant, again.number)
    assert (twice.fitted, twice.returns_to) == (fitted(), 1)
    assert not (await roll_back(database, tenant)).calibration.cells  # nothing was in use before the first


class Defective:
    """A calibration of which no cell can be looked up, or whose lookup is broken: with words that nobody may see."""

    def __init__(self, *, lookup: bool) -> None:
        self._lookup = lookup

    @property
    def cells(self) -> dict[str, Map]:
        raise KeyError("the words of a customer")

    async def of(self, tenant: UUID) -> Defective:
        if self._lookup:
            raise KeyError("the words of a customer")
        return self


@pytest.mark.parametrize("lookup", [True, False], ids=["looked up", "applied"])
@pytest.mark.parametrize("away", [True, False], ids=["without postgres", "with postgres"])
async def test_a_defect_in_a_calibration_never_loses_the_turn(
    database: Database, tenant: UUID, *, lookup: bool, away: bool
) -> None:
    used = Database("postgresql://qbs_app@/qbs?host=/nowhere") if away else database
    engine = LiveEngine(
        used,
        ScriptedAnalyzer(),
        database_s=0.2 if away else 30,
        calibrations=Defective(lookup=lookup),  # type: ignore[arg-type]
    )
    with capture_logs() as logs:
        taken = await engine.take_turn(tenant, *WHERE, said(1))
    assert taken.analysis is not None
    assert (taken.saved, taken.calibrated) == (not away, None)
    (told,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert told["error"].startswith("KeyError in test_calibrations.py:")
    assert "customer" not in str(logs)


async def test_the_calibration_is_looked_up_while_the_message_is_analysed(database: Database, tenant: UUID) -> None:
    looking, analysing = asyncio.Event(), asyncio.Event()

    class Calibrations:
        async def of(self, tenant: UUID) -> Calibration:
            looking.set()
            await analysing.wait()
            return fitted().calibration

    class Analyzer(ScriptedAnalyzer):
        async def analyze(self, *asked: Any) -> Analysis:
            analysing.set()
            await looking.wait()
            return await super().analyze(*asked)

    engine = LiveEngine(database, Analyzer(), calibrations=Calibrations())  # type: ignore[arg-type]
    async with asyncio.timeout(9):
        taken = await engine.take_turn(tenant, *WHERE, said(1))
    assert taken.calibrated is not None


async def test_one_for_everybody_holds_until_a_tenant_has_its_own(
    database: Database, tenant: UUID, in_use: CalibrationsInUse
) -> None:
    everybody = await publish(database, EVERYBODY, fitted(Intercept(shift=0.77)))
    assert everybody.for_everybody
    try:
        assert await in_use.of(tenant) == everybody.calibration
    finally:
        await roll_back(database, EVERYBODY, to=NONE_AT_ALL)
    await publish(database, tenant, fitted(None))
    await in_use.refresh()
    found = await in_use.of(tenant)
    assert found is not None
    assert found.cells == {}  # a tenant may also want none


async def test_what_is_published_arrives_without_a_restart_and_what_is_known_stays_while_postgres_is_away(
    database: Database, tenant: UUID
) -> None:
    clock, away = Clock(), False

    async def look(session: TenantSession) -> str | None:
        if away:
            raise StateError("away")
        newest = await CalibrationRepository(session).newest()
        return newest.name if newest and session.tenant_id == tenant else None

    in_use = InUse(database, look, "calibration", refresh_s=20, wait_s=30, clock=clock)
    assert await in_use.of(tenant) is None
    first = await publish(database, tenant, fitted())
    assert await in_use.of(tenant) is None  # known for less than 20 seconds
    clock.now += 41  # twice as old as it may be: waited for
    assert await in_use.of(tenant) == first.name
    away = True
    await publish(database, tenant, fitted(HALVED))
    clock.now += 500
    assert await in_use.of(tenant) == first.name
    away = False
    clock.now += 6  # it is asked again after 5 seconds
    assert await in_use.of(tenant) == fitted(HALVED).calibration.name
    await in_use.aclose()


async def test_a_turn_waits_for_a_calibration_no_longer_than_was_said(database: Database, tenant: UUID) -> None:
    asked = asyncio.Event()

    async def look(session: TenantSession) -> str | None:
        asked.set()
        await asyncio.sleep(60)
        return "too late"

    in_use = InUse(database, look, "calibration", wait_s=0.01)
    assert await in_use.of(tenant) is None
    await asyncio.wait_for(asked.wait(), 30)
    await in_use.aclose()


async def test_without_postgres_there_is_an_answer_without_a_calibration() -> None:
    away = Database("postgresql://qbs_app@/qbs?host=/nowhere")
    in_use = CalibrationsInUse(away)
    engine = LiveEngine(away, ScriptedAnalyzer(), database_s=0.2, calibrations=in_use)
    taken = await engine.take_turn("acme", *WHERE, said(1))
    assert not taken.saved
    assert taken.analysis is not None
    assert taken.calibrated is None
    await in_use.aclose()
