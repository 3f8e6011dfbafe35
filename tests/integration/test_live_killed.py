"""A server restarted, frozen, killed at random moments: nothing acknowledged is lost, and the engine goes on."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import UUID

import psycopg
import pytest

from engine.live import LiveEngine
from engine.model.conversation import Turn
from engine.state.database import Database
from engine.state.schema import upgrade
from tests.integration.live_killing import WORKERS, survive
from tests.integration.live_turns import WHERE, assert_all_counted_once, kept, said
from tests.integration.postgres_servers import SUPERUSER, TcpServer, short_folder
from tests.integration.scripted_analyzer import ScriptedAnalyzer

KILLS = 6  # 20 in tests/benchmarks/live_killed.py
SOON_S, PATIENT_S = 0.5, 60.0


@pytest.fixture(scope="module")
def server() -> Iterator[TcpServer]:
    with short_folder() as folder:
        server = TcpServer(folder)
        server.make()
        upgrade(server.urls.owner)
        yield server
        server.stop()


async def test_a_restart_of_the_server_in_mid_turn_is_waited_for(server: TcpServer, tenant: UUID) -> None:
    async def restart(turn: Turn) -> None:
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)

    database = Database(server.urls.app, timeout_s=PATIENT_S)
    engine = LiveEngine(database, ScriptedAnalyzer(restart), analysis_s=PATIENT_S, database_s=PATIENT_S)
    taken = await engine.take_turn(tenant, *WHERE, said(1))
    assert (taken.saved, taken.duplicate) == (True, False)
    assert_all_counted_once(await kept(engine, tenant), ["m-1"])
    await database.aclose()


@contextmanager
def frozen_backends(server: TcpServer) -> Iterator[None]:
    """Every process that serves the application stands still."""
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        found = connection.execute("select pid from pg_stat_activity where usename = 'qbs_app'").fetchall()
    pids = [pid for (pid,) in found]
    assert pids
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_a_postgres_that_stands_still_keeps_nobody_waiting(server: TcpServer, tenant: UUID) -> None:
    database = Database(server.urls.app, pool_size=2, timeout_s=SOON_S)
    patient = LiveEngine(database, ScriptedAnalyzer(), database_s=PATIENT_S)
    await asyncio.gather(*(patient.take_turn(tenant, *WHERE, said(index)) for index in (1, 3)))

    async def freeze(turn: Turn) -> None:
        frozen.enter_context(frozen_backends(server))
        engine._database_s = SOON_S  # from here on

    with ExitStack() as frozen:
        engine = LiveEngine(database, ScriptedAnalyzer(freeze), database_s=PATIENT_S)
        taken = await engine.take_turn(tenant, *WHERE, said(5))
    again = await patient.take_turn(tenant, *WHERE, said(5))
    assert again.saved
    # Whether a new connection was made in time is the machine's affair; that it counts once is ours.
    assert again.duplicate == taken.saved
    assert_all_counted_once(await kept(patient, tenant), ["m-1", "m-3", "m-5"])
    await database.aclose()


async def test_a_postmaster_killed_again_and_again_costs_no_turn_that_was_said_to_be_saved(
    server: TcpServer, tenant: UUID
) -> None:
    load = await survive(server, tenant, KILLS, seed=1)
    assert len(load.acknowledged) > WORKERS
