"""A live engine under load while its Postgres is killed at random moments, and what must be there afterwards."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from engine.errors import DatabaseUnavailableError
from engine.live import LiveEngine, Message, TurnTaken
from engine.model.conversation import Turn
from engine.outcomes import OutcomeType
from engine.state.database import Database
from engine.wording import questions
from tests.integration.live_turns import ACCOUNT, assert_all_counted_once, kept, outcomes_of
from tests.integration.postgres_servers import TcpServer
from tests.integration.scripted_analyzer import ScriptedAnalyzer

WORKERS = 8
SHARED = "everybody"  # a contact to whom every worker writes now and then
THINKING_S = 0.1
PATIENCE_S = 60.0


@dataclass
class Load:
    """What the workers delivered, and the turns that were acknowledged as saved, by contact and message."""

    delivered: set[tuple[str, str]] = field(default_factory=set)
    acknowledged: dict[tuple[str, str], TurnTaken] = field(default_factory=dict)
    unsaved: int = 0  # answers that said that they were not saved
    over: bool = False


async def survive(server: TcpServer, tenant: UUID, kills: int, seed: int) -> Load:
    """Deliver messages without a break while the server is killed `kills` times, then what is left, and look."""
    chance = random.Random(seed)
    database = Database(server.urls.app, pool_size=4, timeout_s=2.0)

    async def think(turn: Turn) -> None:
        await asyncio.sleep(chance.random() * 2 * THINKING_S)

    engine = LiveEngine(database, ScriptedAnalyzer(think), database_s=2.0)
    load = Load()
    working = asyncio.gather(*(_work(engine, tenant, load, worker) for worker in range(WORKERS)))
    for _ in range(kills):
        await asyncio.sleep(chance.random())
        await asyncio.to_thread(kill_and_start, server)
    load.over = True
    await working
    await _assert_nothing_lost(LiveEngine(database, ScriptedAnalyzer(), database_s=PATIENCE_S), database, tenant, load)
    await database.aclose()
    return load


async def _work(engine: LiveEngine, tenant: UUID, load: Load, worker: int) -> None:
    """One message after the other, each delivered until it is saved."""
    number = 0
    while not load.over:
        number += 1
        contact = SHARED if number % 5 == 0 else f"contact-{worker}"
        message = Message(id=f"m-{worker}-{number}", text=f"It is {number} of {worker}.")
        load.delivered.add((contact, message.id))
        while True:
            taken = await engine.take_turn(tenant, ACCOUNT, contact, message)
            assert taken.analysis is not None
            if taken.saved:
                load.acknowledged[contact, message.id] = taken
                break
            load.unsaved += 1


async def _assert_nothing_lost(engine: LiveEngine, database: Database, tenant: UUID, load: Load) -> None:
    asked = 0
    assert set(load.acknowledged) == load.delivered
    for contact in sorted({contact for contact, _ in load.delivered}):
        conversation = await kept(engine, tenant, contact)
        assert_all_counted_once(conversation, _ids(load.delivered, contact))
        for message in conversation.messages:
            taken = load.acknowledged[contact, message.message_id]
            assert (message.turn, message.analysis) == (taken.turn, taken.analysis)
            recommended = message.analysis.question.recommendation if message.analysis else None
            asked += bool(recommended and questions(recommended.suggested_question))
    outcomes = await outcomes_of(database, tenant)
    for outcome_type in OutcomeType:
        assert sum(count for (kind, _), count in outcomes.items() if kind is outcome_type) == asked


def _ids(delivered: set[tuple[str, str]], contact: str) -> Sequence[str]:
    return [message_id for its_contact, message_id in delivered if its_contact == contact]


def kill_and_start(server: TcpServer) -> None:
    """SIGKILL to the postmaster, as the kernel does it when memory runs out; then start it until it is there."""
    pid = int((server.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with suppress(DatabaseUnavailableError, psycopg.Error):  # its children hold its memory for a moment
            server.start()
            with psycopg.connect(server.urls.app):
                return
        time.sleep(0.05)
    raise TimeoutError("the server did not come back")
