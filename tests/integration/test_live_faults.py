"""Postgres away, cut off, slow; the model failing: every turn is answered, and counts once in the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from engine.analyzers import LLMAnalyzer
from engine.errors import DatabaseUnavailableError
from engine.live import LiveEngine, TurnTaken
from engine.llm.fake import FakeModel, FakeModelConfig, Fault
from engine.llm.service import ModelService
from engine.model.conversation import DealStage, Turn
from engine.outcomes import OutcomeStatus, OutcomeType
from engine.prompts import PromptLibrary
from engine.state.database import Database
from tests.integration.live_turns import WHERE, assert_all_counted_once, kept, outcomes_of, said
from tests.integration.postgres_servers import TcpServer
from tests.integration.scripted_analyzer import ScriptedAnalyzer
from tests.integration.wire import Wire

SOON_S, PATIENT_S = 0.5, 60.0
# What an answer may take when each limit is SOON_S, on a machine that is busy with other things.
AT_MOST_S = 20.0


@dataclass(frozen=True)
class Line:
    """A database at the end of a wire that can be slow, stalled, or cut."""

    wire: Wire
    database: Database

    async def work_again(self) -> None:
        self.wire.flow()
        self.wire.delay_s = 0.0


@pytest.fixture
async def line(tcp_postgres: TcpServer) -> AsyncIterator[Line]:
    url = urlsplit(tcp_postgres.urls.app)
    async with Wire(url.port or 0) as wire:
        database = Database(tcp_postgres.urls.app.replace(f":{url.port}/", f":{wire.port}/"), timeout_s=PATIENT_S)
        yield Line(wire, database)
        await database.aclose()


async def refuse(line: Line) -> None:
    line.wire.cut(and_refuse=True)


async def stall(line: Line) -> None:
    line.wire.stall()


async def crawl(line: Line) -> None:
    line.wire.delay_s = 3 * SOON_S


async def take(engine: LiveEngine, tenant: UUID, index: int) -> TurnTaken:
    """A turn, which takes no longer than it may."""
    started = time.monotonic()
    taken = await engine.take_turn(tenant, *WHERE, said(index))
    assert time.monotonic() - started < AT_MOST_S
    return taken


def assert_answered_only(taken: TurnTaken) -> None:
    """There is an analysis and a state with it, and a reason for people why they are not kept."""
    assert (taken.saved, taken.duplicate, taken.outcome_id, taken.version) == (False, False, None, None)
    assert taken.analysis is not None
    assert taken.analysis.question.recommendation.suggested_question
    assert taken.state.interaction_count > 0
    assert taken.not_saved
    assert "deliver the message again later" in taken.not_saved.lower()
    assert "password" not in taken.not_saved
    assert "://" not in taken.not_saved


AWAY: dict[str, Callable[[Line], Awaitable[None]]] = {
    "refusing connections": refuse,
    "silent": stall,
    "slower than can be waited for": crawl,
}


@pytest.mark.parametrize("go_away", AWAY.values(), ids=AWAY)
async def test_without_postgres_there_is_an_answer_and_the_message_counts_once_when_it_is_delivered_again(
    line: Line, tenant: UUID, go_away: Callable[[Line], Awaitable[None]]
) -> None:
    engine = LiveEngine(line.database, ScriptedAnalyzer(), database_s=SOON_S)
    await go_away(line)
    for _ in range(2):
        assert_answered_only(await take(engine, tenant, 1))
    with pytest.raises(DatabaseUnavailableError):
        await engine.state(tenant, *WHERE)
    with pytest.raises(DatabaseUnavailableError):
        await engine.change_stage(tenant, *WHERE, DealStage.DISCOVERY)
    await line.work_again()
    patient = LiveEngine(line.database, ScriptedAnalyzer(), database_s=PATIENT_S)
    taken = await patient.take_turn(tenant, *WHERE, said(1))
    assert taken.saved
    assert_all_counted_once(await kept(patient, tenant), ["m-1"])


@pytest.mark.parametrize("go_away", AWAY.values(), ids=AWAY)
async def test_when_postgres_goes_away_in_mid_turn_the_message_counts_once_when_it_is_delivered_again(
    line: Line, tenant: UUID, go_away: Callable[[Line], Awaitable[None]]
) -> None:
    patient = LiveEngine(line.database, ScriptedAnalyzer(), database_s=PATIENT_S)
    await patient.take_turn(tenant, *WHERE, said(1))

    async def lose_it(turn: Turn) -> None:
        await go_away(line)
        engine._database_s = SOON_S  # from here on

    engine = LiveEngine(line.database, ScriptedAnalyzer(lose_it), database_s=PATIENT_S)
    taken = await take(engine, tenant, 3)
    assert_answered_only(taken)
    assert taken.state.interaction_count == 2  # on top of what was known when it went away
    await line.work_again()
    again = await patient.take_turn(tenant, *WHERE, said(3))
    assert again.saved
    assert_all_counted_once(await kept(patient, tenant), ["m-1", "m-3"])
    found = await outcomes_of(line.database, tenant)
    assert found[OutcomeType.EMAIL_ENGAGEMENT, OutcomeStatus.POSITIVE] == 1
    assert found[OutcomeType.DEAL_PROGRESSION, OutcomeStatus.PENDING] == 2


async def test_connections_that_break_in_mid_turn_go_unnoticed_when_there_are_new_ones(
    line: Line, tenant: UUID
) -> None:
    async def lose_them(turn: Turn) -> None:
        line.wire.cut()

    engine = LiveEngine(line.database, ScriptedAnalyzer(lose_them), database_s=PATIENT_S)
    for index in (1, 3, 5):
        line.wire.cut()
        taken = await engine.take_turn(tenant, *WHERE, said(index))
        assert (taken.saved, taken.duplicate) == (True, False)
    assert_all_counted_once(await kept(engine, tenant), ["m-1", "m-3", "m-5"])


async def test_a_slow_postgres_is_waited_for(line: Line, tenant: UUID) -> None:
    line.wire.delay_s = 0.05
    engine = LiveEngine(line.database, ScriptedAnalyzer(), database_s=PATIENT_S)
    assert (await engine.take_turn(tenant, *WHERE, said(1))).saved


async def test_a_short_absence_is_waited_for(line: Line, tenant: UUID) -> None:
    async def lose_it_for_a_moment(turn: Turn) -> None:
        line.wire.cut(and_refuse=True)
        asyncio.get_running_loop().call_later(0.2, line.wire.flow)

    engine = LiveEngine(line.database, ScriptedAnalyzer(lose_it_for_a_moment), database_s=PATIENT_S)
    taken = await engine.take_turn(tenant, *WHERE, said(1))
    assert (taken.saved, taken.duplicate) == (True, False)
    assert_all_counted_once(await kept(engine, tenant), ["m-1"])


# --- the model ---

FAILING = (Fault.SERVER_ERROR, Fault.RESET, Fault.BAD_JSON, Fault.REFUSAL, Fault.LENGTH, Fault.BAD_REQUEST)


async def test_with_a_model_that_fails_three_times_in_ten_every_turn_is_answered_and_saved(
    database: Database, tenant: UUID
) -> None:
    config = FakeModelConfig(answers="rules", faults=dict.fromkeys(FAILING, 0.3 / len(FAILING)), seed=3)
    indexes = range(1, 17, 2)
    async with (
        FakeModel(config) as fake,
        ModelService(api_base=fake.base_url, api_key="not-needed") as service,
    ):
        analyzer = LLMAnalyzer(service, PromptLibrary(), "openai/fake", "openai/fake", deadline_s=PATIENT_S)
        engine = LiveEngine(database, analyzer, analysis_s=2 * PATIENT_S, database_s=PATIENT_S)
        taken = [await engine.take_turn(tenant, *WHERE, said(index)) for index in indexes]
        assert fake.stats.requests > 3 * len(indexes)  # some were asked again
    assert all(turn.saved and not turn.duplicate for turn in taken)
    sources = [source for turn in taken if turn.analysis for source in turn.analysis.sources.values()]
    assert len(sources) == 3 * len(indexes)
    assert {source.is_fallback for source in sources} == {True, False}
    assert_all_counted_once(await kept(engine, tenant), [f"m-{index}" for index in indexes])


async def test_with_an_analyzer_that_breaks_or_hangs_three_times_in_ten_every_turn_is_answered_and_saved(
    database: Database, tenant: UUID
) -> None:
    async def fail_sometimes(turn: Turn) -> None:
        match turn.index % 10:
            case 1:
                raise RuntimeError
            case 3:
                await asyncio.Event().wait()
            case 5:
                await asyncio.sleep(0)
                raise asyncio.CancelledError

    engine = LiveEngine(database, ScriptedAnalyzer(fail_sometimes), analysis_s=SOON_S, database_s=PATIENT_S)
    indexes = range(1, 61, 2)
    taken = await asyncio.gather(*(engine.take_turn(tenant, *WHERE, said(index)) for index in indexes))
    assert all(turn.saved and not turn.duplicate for turn in taken)
    assert_all_counted_once(await kept(engine, tenant), [f"m-{index}" for index in indexes])
