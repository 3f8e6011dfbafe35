"""10,000 mixed transactions of 20 tenants over 4 connections, tasks cancelled at random: nobody meets anybody."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from engine.state.embedded import start_embedded
from engine.state.schema import upgrade
from tests.benchmarks.figure import Figure
from tests.integration.tenants_under_load import CONNECTIONS, TENANTS, Load

TRANSACTIONS = 10_000


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="qbs-") as folder:
        server = start_embedded(Path(folder) / "postgres")
        try:
            upgrade(server.urls.owner)
            began = time.perf_counter()
            tally = asyncio.run(Load(server.urls, seed=7).run(TRANSACTIONS))
            seconds = time.perf_counter() - began
        finally:
            server.stop()
    note = f"{TENANTS} tenants, {CONNECTIONS} connections, {tally.cancelled:,} of {tally.transactions:,} cancelled"
    return [
        Figure("tenants under load: foreign rows", tally.foreign_rows, "rows", 0, note=note),
        Figure("tenants under load: wrong counts", tally.wrong_counts, "counts", 0, note=note),
        Figure("tenants under load: transactions", tally.transactions / seconds, "a second"),
    ]
