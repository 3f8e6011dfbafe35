"""The prompts in production as a running engine uses them: switched under load, rolled back, kept without Postgres."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from structlog.testing import capture_logs

from engine.analyzers import LLMAnalyzer
from engine.errors import DatabaseUnavailableError
from engine.live import LiveEngine, Message, TurnTaken
from engine.live.in_use import REFRESH_S
from engine.live.released import PromptedAnalyzer, ReleasedPrompts
from engine.prompts import ANALYSIS_PROMPTS, PromptSet
from engine.releases import NewRelease, ReleaseRepository, Stage
from engine.state.database import Database
from engine.state.embedded import EmbeddedServer
from engine.state.tenants import EVERYBODY
from tests.engine.scripted_service import ASK, Answer, ScriptedService
from tests.integration.released_prompts import PASSED, edited, release, roll_back, shipped

PATIENT_S = 60.0
A, B = (
    edited(words).with_prompts(*(edited(words, name).prompt(name) for name in ANALYSIS_PROMPTS))
    for words in ("Be brief.", "Be warm.")
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Moody:
    """A database that is away, or never answers, when it is told to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.mood: str = "fine"
        self.asked = 0

    def tenant(self, tenant: UUID | str) -> Moody._Sessions:
        return Moody._Sessions(self, tenant)

    class _Sessions:
        def __init__(self, moody: Moody, tenant: UUID | str) -> None:
            self._moody, self._tenant = moody, tenant

        @asynccontextmanager
        async def begin(self) -> AsyncIterator[Any]:
            self._moody.asked += 1
            if self._moody.mood == "away":
                raise DatabaseUnavailableError("nobody answers there")
            if self._moody.mood == "silent":
                await asyncio.Event().wait()
            async with self._moody._database.tenant(self._tenant).begin() as session:
                yield session


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def moody(database: Database) -> Moody:
    return Moody(database)


@pytest.fixture
async def released(moody: Moody, clock: Clock) -> AsyncIterator[ReleasedPrompts]:
    made = ReleasedPrompts(moody, wait_s=PATIENT_S, clock=clock)  # type: ignore[arg-type]
    yield made
    await made.aclose()


async def in_use(released: ReleasedPrompts, tenant: UUID) -> str:
    return (await released.of(tenant)).prompts.hash


async def test_a_tenants_own_come_before_everybodys_and_those_before_the_shipped(
    database: Database, tenant: UUID, released: ReleasedPrompts, clock: Clock
) -> None:
    assert await in_use(released, tenant) == shipped().hash
    try:
        await release(database, EVERYBODY, A)
        clock.now += 2 * REFRESH_S
        assert await in_use(released, tenant) == A.hash
        await release(database, tenant, B)
        clock.now += 2 * REFRESH_S
        assert await in_use(released, tenant) == B.hash
        assert await in_use(released, uuid4()) == A.hash
        await roll_back(database, tenant)
        clock.now += 2 * REFRESH_S
        assert await in_use(released, tenant) == A.hash
    finally:
        await roll_back(database, EVERYBODY)
    clock.now += 2 * REFRESH_S
    assert await in_use(released, tenant) == shipped().hash


async def test_what_is_known_is_asked_for_again_only_when_it_is_old(
    tenant: UUID, released: ReleasedPrompts, moody: Moody, clock: Clock
) -> None:
    await in_use(released, tenant)
    first = moody.asked
    clock.now += REFRESH_S - 1
    await asyncio.gather(*(in_use(released, tenant) for _ in range(20)))
    assert moody.asked == first == 2  # the tenant's own, and everybody's
    clock.now += 2
    await asyncio.gather(*(in_use(released, tenant) for _ in range(20)))
    assert moody.asked == 4


async def test_a_turn_that_finds_it_old_does_not_wait_and_the_next_has_the_new_one(
    database: Database, tenant: UUID, released: ReleasedPrompts, clock: Clock
) -> None:
    await release(database, tenant, A)
    await in_use(released, tenant)
    await release(database, tenant, B)
    clock.now += REFRESH_S + 1
    assert await in_use(released, tenant) == A.hash
    await released.refresh()
    assert await in_use(released, tenant) == B.hash


async def test_a_promotion_or_a_rollback_is_in_use_within_a_minute_however_rare_the_turns(
    database: Database, tenant: UUID, released: ReleasedPrompts, clock: Clock
) -> None:
    for change, expected in (
        (release(database, tenant, A), A),
        (release(database, tenant, B), B),
        (roll_back(database, tenant), A),
    ):
        await in_use(released, tenant)
        await change
        clock.now += 60
        assert await in_use(released, tenant) == expected.hash


async def test_without_postgres_the_last_known_prompts_stay_in_use(
    database: Database, tenant: UUID, released: ReleasedPrompts, moody: Moody, clock: Clock
) -> None:
    await release(database, tenant, A)
    assert await in_use(released, tenant) == A.hash
    moody.mood = "away"
    with capture_logs() as logs:
        for _ in range(5):
            clock.now += 60
            assert await in_use(released, tenant) == A.hash
    assert {entry["error"] for entry in logs} == {"DatabaseUnavailableError"}
    moody.mood = "fine"
    await release(database, tenant, B)
    clock.now += 60
    assert await in_use(released, tenant) == B.hash


async def test_a_postgres_that_never_answers_holds_no_turn_up(
    database: Database, tenant: UUID, moody: Moody, clock: Clock
) -> None:
    released = ReleasedPrompts(moody, wait_s=0.01, clock=clock)  # type: ignore[arg-type]
    moody.mood = "silent"
    async with asyncio.timeout(PATIENT_S):
        assert await in_use(released, tenant) == shipped().hash
        asked = moody.asked
        assert await in_use(released, tenant) == shipped().hash
    assert moody.asked == asked  # one question is under way already
    await released.aclose()


async def spoil(postgres: EmbeddedServer, tenant: UUID, number: int, prompts: dict[str, str]) -> None:
    """Put other texts into a release, as nobody but the owner of the table can."""
    with psycopg.connect(postgres.urls.maintenance) as connection:
        connection.execute(
            "update qbs.prompt_releases set prompts = %s where tenant_id = %s and number = %s",
            [json.dumps(prompts), tenant, number],
        )


@pytest.mark.parametrize(
    "prompts",
    [
        {"question": "no prompt at all"},
        B.contents(),  # not what was released
        {"question": A.contents()["question"]},  # not everything that is needed
    ],
)
async def test_a_release_that_cannot_be_read_leaves_the_last_good_one_in_use(
    database: Database,
    postgres: EmbeddedServer,
    tenant: UUID,
    released: ReleasedPrompts,
    clock: Clock,
    prompts: dict[str, str],
) -> None:
    await release(database, tenant, A)
    assert await in_use(released, tenant) == A.hash
    bad = await release(database, tenant, edited("Be odd."))
    await spoil(postgres, tenant, bad.number, prompts)
    with capture_logs() as logs:
        for _ in range(3):
            clock.now += 60
            assert await in_use(released, tenant) == A.hash
        anew = ReleasedPrompts(database, wait_s=PATIENT_S, clock=clock)
        assert await in_use(anew, tenant) == A.hash  # a process that has never seen A in use
    assert [(entry["event"], entry["release"], entry["error"]) for entry in logs] == [
        ("a release cannot be read", bad.number, "PromptError")
    ] * 2
    assert {"event", "tenant", "release", "error", "log_level"} == set(logs[0])


async def test_what_many_tenants_have_released_is_read_once_and_kept_once(
    database: Database, tenant: UUID, released: ReleasedPrompts, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    async def contents(self: ReleaseRepository, number: int) -> dict[str, str]:
        read.append(number)
        return await told(self, number)

    told = ReleaseRepository.contents
    monkeypatch.setattr(ReleaseRepository, "contents", contents)
    tenants = [tenant, *(uuid4() for _ in range(3))]
    for own in tenants:
        await release(database, own, A)
    found = [await released.of(own) for own in tenants]
    assert len({id(own.prompts) for own in found}) == 1
    assert found[0].prompts.hash == A.hash
    assert len({id(own.release) for own in found if own.release}) == len(tenants)
    assert len(read) == 1


async def test_no_more_prompt_sets_are_kept_than_was_said(
    database: Database, released: ReleasedPrompts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.live.released.MOST_SETS", 1)
    for prompts in (A, B, A):
        own = uuid4()
        await release(database, own, prompts)
        assert await in_use(released, own) == prompts.hash
        assert list(released._sets) == [prompts.hash]


async def test_prompts_that_cannot_be_filled_in_are_no_good_either(
    database: Database, tenant: UUID, released: ReleasedPrompts
) -> None:
    text = shipped().contents()["question"].replace("variables:\n", "variables:\n  budget_left: what is left\n", 1)
    unfillable = PromptSet.from_contents({**shipped().contents(), "question": f"{text}\n{{{{ budget_left }}}}\n"})
    new = NewRelease.of(unfillable, Stage.PRODUCTION, released_by="ines", evidence=PASSED)
    async with database.tenant(tenant).begin() as session:
        await ReleaseRepository(session).add(new)
    with capture_logs() as logs:
        assert await in_use(released, tenant) == shipped().hash
    assert [entry["error"] for entry in logs] == ["PromptError"]


async def slowly() -> Answer:
    for _ in range(3):
        await asyncio.sleep(0)
    return ASK


def refs(prompts: PromptSet) -> frozenset[str]:
    return frozenset(prompts.prompt(name).ref for name in ANALYSIS_PROMPTS)


async def test_the_engine_switches_under_load_and_back_with_no_failed_turn(
    database: Database, tenant: UUID, released: ReleasedPrompts, clock: Clock
) -> None:
    service = ScriptedService(question=slowly)
    analyzer = PromptedAnalyzer(released, lambda prompts: LLMAnalyzer(service, prompts, "m", "m"))  # type: ignore[arg-type]
    engine = LiveEngine(database, analyzer, analysis_s=PATIENT_S, database_s=PATIENT_S)
    taken: list[TurnTaken] = []
    over = asyncio.Event()

    async def talk(contact: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            message = Message(id=f"m-{number}", text=f"Line {contact} stops, night {number}.")
            taken.append(await engine.take_turn(tenant, "norrland-mills", f"contact-{contact}", message))

    async def until(seen: Callable[[TurnTaken], bool]) -> None:
        start = len(taken)
        while not any(map(seen, taken[start:])):
            clock.now += 1  # time passes with the turns, and not by the clock of a busy machine
            await asyncio.sleep(0.01)

    def read_with(prompts: PromptSet) -> Callable[[TurnTaken], bool]:
        return lambda turn: read_by(turn) == refs(prompts)

    async with asyncio.timeout(PATIENT_S), asyncio.TaskGroup() as talks:
        for contact in range(4):
            talks.create_task(talk(contact))
        await until(read_with(shipped()))
        for change, expected in (
            (release(database, tenant, A), A),
            (release(database, tenant, B), B),
            (roll_back(database, tenant), A),
            (roll_back(database, tenant), shipped()),
        ):
            await change
            await until(read_with(expected))
        over.set()
    assert all(turn.saved and turn.analysis is not None for turn in taken)
    assert not [turn for turn in taken if any(source.is_fallback for source in sources(turn))]
    assert {read_by(turn) for turn in taken} == {refs(prompts) for prompts in (shipped(), A, B)}  # never a mixture


def sources(turn: TurnTaken) -> tuple[Any, ...]:
    assert turn.analysis is not None
    return tuple(turn.analysis.sources.values())


def read_by(turn: TurnTaken) -> frozenset[str]:
    """The prompts that a turn was read with."""
    return frozenset(source.prompt for source in sources(turn))
