"""Postgres killed 20 times at random moments under load: what was said to be saved is there, and the engine goes on."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

from structlog.testing import capture_logs

from engine.state.schema import upgrade
from tests.benchmarks.figure import Figure
from tests.integration.live_killing import survive
from tests.integration.postgres_servers import TcpServer, short_folder

KILLS = 20


def measure() -> list[Figure]:
    """Raises AssertionError if a single acknowledged turn, its analysis or its outcome is missing or counted twice."""
    with short_folder() as folder:
        server = TcpServer(folder)
        server.make()
        upgrade(server.urls.owner)
        started = time.perf_counter()
        with capture_logs():  # of each answer that could not be saved
            load = asyncio.run(survive(server, uuid4(), KILLS, seed=20))
        seconds = time.perf_counter() - started
        server.stop()
    note = f"of {len(load.acknowledged):,} saved, {load.unsaved} answered without, in {seconds:.0f} s"
    return [Figure(f"turns lost or doubled over {KILLS} kills of Postgres", 0, "turns", 0, note=note)]
