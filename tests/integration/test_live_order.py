"""Messages in any order and from any number of workers: none is lost, and the state is that of their indexes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from engine.analyzers import RulesAnalyzer
from engine.folding import OPENING
from engine.live import LiveConversation, LiveEngine, Message, TurnTaken
from engine.model.conversation import Conversation, Turn
from engine.model.state import ConversationState, opening_state
from engine.state.database import Database
from engine.state.embedded import EmbeddedServer
from evals.replay import replay
from tests.evals.values import conversation as recorded
from tests.integration.live_turns import ACCOUNT, WHERE, assert_all_counted_once, kept, talk, without_ids
from tests.integration.scripted_analyzer import ScriptedAnalyzer

PATIENT = {"analysis_s": 120.0, "database_s": 120.0}  # of a noisy machine
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
TALK = tuple(message.model_copy(update={"time": NOON + timedelta(minutes=message.index or 0)}) for message in talk(14))
WORKERS, EACH = 16, 6


@pytest.fixture
async def databases(postgres: EmbeddedServer) -> AsyncIterator[tuple[Database, ...]]:
    """As two processes would have them."""
    databases = tuple(Database(postgres.urls.app, timeout_s=60) for _ in range(2))
    yield databases
    for database in databases:
        await database.aclose()


async def in_order(engine: LiveEngine, tenant: UUID, contact: str = "in.order") -> ConversationState:
    for message in TALK:
        await engine.take_turn(tenant, ACCOUNT, contact, message)
    return without_ids((await kept(engine, tenant, contact)).saved.state)


@pytest.mark.parametrize("seed", range(6))
async def test_messages_that_come_in_any_order_give_the_state_of_their_order(
    database: Database, tenant: UUID, seed: int
) -> None:
    engine = LiveEngine(database, ScriptedAnalyzer())
    expected = await in_order(engine, tenant)
    for message in random.Random(seed).sample(TALK, len(TALK)):
        taken = await engine.take_turn(tenant, *WHERE, message)
        assert taken.saved
    conversation = await kept(engine, tenant)
    assert_all_counted_once(conversation, [message.id for message in TALK])
    assert without_ids(conversation.saved.state) == expected


@pytest.mark.parametrize("seed", range(3))
async def test_messages_that_come_all_at_once_to_two_processes_give_the_state_of_their_order(
    databases: Sequence[Database], tenant: UUID, seed: int
) -> None:
    chance = random.Random(seed)
    waits = {message.index: chance.random() / 50 for message in TALK}

    async def think(turn: Turn) -> None:
        await asyncio.sleep(waits[turn.index])

    engines = [LiveEngine(database, ScriptedAnalyzer(think), **PATIENT) for database in databases]
    expected = await in_order(LiveEngine(databases[0], ScriptedAnalyzer(), **PATIENT), tenant)
    arrivals = chance.sample(TALK, len(TALK))
    taken = await asyncio.gather(
        *(engines[n % 2].take_turn(tenant, *WHERE, message) for n, message in enumerate(arrivals))
    )
    assert all(turn.saved for turn in taken)
    conversation = await kept(engines[0], tenant)
    assert_all_counted_once(conversation, [message.id for message in TALK])
    assert without_ids(conversation.saved.state) == expected


async def test_sixteen_workers_on_one_contact_lose_nothing(databases: Sequence[Database], tenant: UUID) -> None:
    chance = random.Random(16)

    async def think(turn: Turn) -> None:
        await asyncio.sleep(chance.random() / 100)

    async def work(worker: int) -> list[TurnTaken]:
        engine = LiveEngine(databases[worker % 2], ScriptedAnalyzer(think), **PATIENT)
        words = (Message(id=f"m-{worker}-{n}", text=f"It is {n} of {worker}.") for n in range(EACH))
        return [await engine.take_turn(tenant, *WHERE, message) for message in words]

    taken = [turn for turns in await asyncio.gather(*map(work, range(WORKERS))) for turn in turns]
    assert [(turn.saved, turn.duplicate) for turn in taken] == [(True, False)] * WORKERS * EACH
    assert sorted(turn.turn.index for turn in taken) == list(range(WORKERS * EACH))
    conversation = await kept(LiveEngine(databases[0], ScriptedAnalyzer(), **PATIENT), tenant)
    assert_all_counted_once(conversation, [f"m-{worker}-{n}" for worker in range(WORKERS) for n in range(EACH)])
    found = conversation.saved.state.qualification
    assert sorted(found.meddic.decision_criteria.values) == sorted(f"criterion {n}" for n in range(WORKERS * EACH))


# --- the rules, whose answer depends on the state and on what was said before ---


async def delivered_by_rules(
    database: Database, tenant: UUID, arrivals: Sequence[Message], opening: ConversationState
) -> LiveConversation:
    engine = LiveEngine(database, RulesAnalyzer())
    for message in arrivals:
        await engine.take_turn(tenant, *WHERE, message, opening=opening)
    return await kept(engine, tenant)


def in_time(talk: Conversation) -> Conversation:
    """The talk with a minute between two turns."""
    turns = (turn.model_copy(update={"time": NOON + timedelta(minutes=turn.index)}) for turn in talk.turns)
    return talk.model_copy(update={"turns": tuple(turns)})


def messages_of(turns: Sequence[Turn]) -> list[Message]:
    return [
        Message(id=f"m-{turn.index}", text=turn.text, speaker=turn.speaker, index=turn.index, time=turn.time)
        for turn in turns
    ]


async def test_in_their_order_messages_give_the_state_that_a_replay_gives(database: Database, tenant: UUID) -> None:
    talk = in_time(recorded(customer_turns=10))
    opening = opening_state(talk)
    records = [record async for record in replay(talk, RulesAnalyzer(), run_id="r")]
    live = await delivered_by_rules(database, tenant, messages_of(talk.turns), opening)
    state = live.saved.state
    metadata = {name: section for name, section in state.metadata.items() if name != OPENING}
    as_recorded = state.model_copy(update={"account_id": opening.account_id, "metadata": metadata})
    assert without_ids(as_recorded) == without_ids(records[-1].after)
    analyses = [message.analysis for message in live.messages if message.analysis is not None]
    assert analyses == [record.result for record in records]


@pytest.mark.parametrize("seed", range(3))
async def test_in_any_order_the_rules_count_each_message_once_and_their_state_is_the_fold_of_what_they_said(
    database: Database, tenant: UUID, seed: int
) -> None:
    talk = recorded(customer_turns=8)
    arrivals = random.Random(seed).sample(messages_of(talk.turns), len(talk.turns))
    live = await delivered_by_rules(database, tenant, arrivals, opening_state(talk))
    assert_all_counted_once(live, [message.id for message in arrivals])


async def test_once_a_late_message_is_there_what_comes_next_is_analysed_as_if_it_had_come_in_time(
    database: Database, tenant: UUID
) -> None:
    *earlier, last = messages_of(in_time(recorded(customer_turns=4)).turns)
    scripted, by_rules = LiveEngine(database, ScriptedAnalyzer()), LiveEngine(database, RulesAnalyzer())
    for contact, arrivals in {"in.time": earlier, "late": earlier[::-1]}.items():
        for message in arrivals:
            await scripted.take_turn(tenant, ACCOUNT, contact, message)
    prompt, late = [await by_rules.take_turn(tenant, ACCOUNT, contact, last) for contact in ("in.time", "late")]
    assert late.analysis == prompt.analysis
    assert without_ids(late.state) == without_ids(prompt.state)
